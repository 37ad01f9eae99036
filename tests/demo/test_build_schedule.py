"""The sample set-up's weekly sync, which waits behind comment signs."""

import re
import tomllib

from resync_tui.demo.build import CONFIG_TEXT


def test_uncommented_the_schedule_is_weekly() -> None:
    text = CONFIG_TEXT.format(control="sqlite:///c.db", state="sqlite:///s.db", year=2026, before=2025)
    assert "schedule" not in tomllib.loads(text)
    begun = re.sub(r"(?m)^# (\[\[schedule|name|cron|timezone)", r"\1", text)
    assert tomllib.loads(begun)["schedule"] == [
        {"name": "weekly", "cron": "0 2 * * 0", "timezone": "America/Los_Angeles"}
    ]
