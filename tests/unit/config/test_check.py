"""Schedules, the window and retention as resync.toml writes them."""

from pathlib import Path

import pytest

from resync_tui.config.load import load_settings
from resync_tui.config.settings import Settings
from resync_tui.errors import ConfigError
from tests.support.settings import ONE_DISTRICT


def written(folder: Path, more: str) -> Settings:
    file = folder / "resync.toml"
    file.write_text(ONE_DISTRICT + more)
    return load_settings(file)


@pytest.mark.parametrize(
    ("cron", "trouble"),
    [
        ("0 2 * *", "is not five fields"),
        ("@weekly", "is not five fields"),
        ("0 25 * * 0", "is no time"),
        ("R 2 * * 0", "is no time"),
        ("0 H * * 0", "is no time"),
        ("0 2 * * noday", "is no time"),
        ("0 0 31 2 *", "never comes"),
    ],
)
def test_a_cron_that_cannot_be_is_told(tmp_path: Path, cron: str, trouble: str) -> None:
    with pytest.raises(ConfigError, match=f'\\[\\[schedule\\]\\] weekly: cron ".*" {trouble}') as told:
        written(tmp_path, f'[[schedule]]\nname = "weekly"\ncron = "{cron}"')
    assert told.value.do.startswith("Write minute, hour, day, month, weekday")


@pytest.mark.parametrize("cron", ["0 2 * * 0", "*/15 1-5 * * MON-FRI", "30 2 1,15 * *", "0 3 * MAR THU"])
def test_a_cron_of_five_fields_is_taken(tmp_path: Path, cron: str) -> None:
    (schedule,) = written(tmp_path, f'[[schedule]]\nname = "weekly"\ncron = "{cron}"').schedule
    assert (schedule.cron, schedule.timezone) == (cron, "UTC")


def test_an_unknown_time_zone_is_told_with_the_nearest(tmp_path: Path) -> None:
    text = '[[schedule]]\nname = "weekly"\ncron = "0 2 * * 0"\ntimezone = "America/Los_Angles"'
    with pytest.raises(ConfigError, match="no timezone America/Los_Angles; the nearest is America/Los_Angeles"):
        written(tmp_path, text)


@pytest.mark.parametrize("window", ["22:00", "22:00-25:00", "22-5", "05:00-05:00"])
def test_a_window_that_is_no_span_is_told(tmp_path: Path, window: str) -> None:
    with pytest.raises(ConfigError, match="is no span of time"):
        written(tmp_path, f'[engine]\nwindow = "{window}"')


@pytest.mark.parametrize("line", ["extra_share = 1.01", "extra_share = -0.1", "reach_again = -1"])
def test_a_limit_that_cannot_be_is_told(tmp_path: Path, line: str) -> None:
    with pytest.raises(ConfigError, match=line.split()[0]):
        written(tmp_path, f"[engine]\n{line}")


def test_retention_is_off_unless_configured(tmp_path: Path) -> None:
    off = written(tmp_path, "").retention
    assert (off.logs, off.errors, off.history) == (0, 0, 0)
    on = written(tmp_path, "[retention]\nlogs = 30\nerrors = 90\nhistory = 400").retention
    assert (on.logs, on.errors, on.history) == (30, 90, 400)
    with pytest.raises(ConfigError, match="retention"):
        written(tmp_path, "[retention]\nerrors = -1")
