"""Detached agents: start one from a console so that it outlives the terminal; hint where it would end at logout."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Collection
from pathlib import Path

from resync_tui.errors import ResyncError, UntrustedPath
from resync_tui.files import own
from resync_tui.paths import agent_output_path
from resync_tui.processes import plain_environment, user_name

IDLE_SECONDS = 300.0
"""Idle seconds after which an agent that was started for one request ends."""


_OWN_VARIABLES = ("KRB5", "LD_", "PG", "PYTHON", "RESYNC_TUI_", "SQLITE_", "SSL_", "XDG_")
"""Beginnings of the variables that the program, its libraries and Python read."""


def start_detached(config_path: Path, variables: Collection[str] = ()) -> int:
    """Start a detached agent that ends after some idle minutes; return its process id.

    A session of its own is not enough: without standard streams of its own it dies at its first write after a hang-up.
    `variables` are those that its configuration names; no other secret of the environment is left to it.
    """
    named = {name: value for name, value in os.environ.items() if name in variables or name.startswith(_OWN_VARIABLES)}
    command = [sys.executable, "-P", "-m", "resync_tui", "--config", str(config_path.absolute())]
    try:
        output = own.open_private(agent_output_path(), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    except (OSError, UntrustedPath):
        output = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [*command, "agent", "--idle-seconds", f"{IDLE_SECONDS:g}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            env=plain_environment(os.environ) | named,
            start_new_session=True,
        )
    finally:
        os.close(output)
    # The starting process may live longer: only this thread reaps the agent.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid


_SETTING = re.compile(r"^\s*KillUserProcesses\s*=\s*(\w+)", re.MULTILINE)


class Hint(ResyncError):
    """A warning that stops nothing by itself."""

    exit_code = 0


def logout_hint(root: Path = Path("/"), user: str | None = None) -> Hint | None:
    """Return a hint if a detached agent would end at logout, else None; `root` is for tests."""
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
