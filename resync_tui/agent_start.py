"""Start an agent from a console: detached, so that it outlives the terminal."""

import os
import subprocess
import sys
import threading
from pathlib import Path

from resync_tui.paths import agent_output_path

IDLE_SECONDS = 300.0
"""How long an agent that was started for one request waits for more."""


def start_detached(config_path: Path) -> int:
    """Start an agent that outlives this terminal and ends after some idle minutes; return its process id.

    A session of its own is not enough: without standard streams of its own it dies at its first write after a hang-up.
    """
    command = [sys.executable, "-P", "-m", "resync_tui", "--config", str(config_path.absolute())]
    path = agent_output_path()
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        output = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    except OSError:
        output = os.open(os.devnull, os.O_WRONLY | os.O_CLOEXEC)
    try:
        process = subprocess.Popen(  # noqa: S603 - this program itself
            [*command, "agent", "--idle-seconds", f"{IDLE_SECONDS:g}"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(output)
    # Whoever started it may live longer: nobody else takes note of its end.
    threading.Thread(target=process.wait, daemon=True).start()
    return process.pid
