"""Whether systemd ends what a user left running once that user logs out."""

import re
from pathlib import Path

from resync_tui.errors import ResyncError
from resync_tui.rights import user_name

_SETTING = re.compile(r"^\s*KillUserProcesses\s*=\s*(\w+)", re.MULTILINE)


class Hint(ResyncError):
    """Something that stops nothing by itself."""

    exit_code = 0


def logout_hint(root: Path = Path("/"), user: str | None = None) -> Hint | None:
    """Return a hint where an agent that started itself would end at logout, else None; `root` is for tests."""
    user = user or user_name()
    if not (root / "run/systemd/system").exists() or (root / "var/lib/systemd/linger" / user).exists():
        return None
    folders = [root / top / "systemd" for top in ("usr/lib", "run", "etc")]
    drop_ins = [file for folder in folders for file in folder.glob("logind.conf.d/*.conf")]
    kills = False
    for file in [*(folder / "logind.conf" for folder in folders), *sorted(drop_ins, key=lambda each: each.name)]:
        for value in _SETTING.findall(file.read_text(errors="replace") if file.is_file() else ""):
            kills = value.lower() in ("yes", "true", "on", "1")
    if not kills:
        return None
    return Hint(
        "systemd ends a user's processes at logout here (KillUserProcesses), an agent that started itself too",
        f"Run the agent as a service (see the README), or: loginctl enable-linger {user}",
    )
