"""File locations that the program chooses: the agents' state folder and log, the crash log, an agent's output."""

from pathlib import Path

import platformdirs

from resync_tui.databases import forms


def state_folder(control_url: str) -> Path:
    """Return the folder of the agents' log and locks: by a SQLite file's real path, else the user's state folder."""
    file = forms.parse(control_url).file
    return file.resolve().parent if file else platformdirs.user_state_path("resync-tui")


def log_path(control_url: str) -> Path:
    """Return the path of the log of a control database's agents."""
    return state_folder(control_url) / "agent.log"


def crash_log_path() -> Path:
    """Return the path of the crash log, for tracebacks of unforeseen errors."""
    return platformdirs.user_log_path("resync-tui") / "errors.log"


def agent_output_path() -> Path:
    """Return the path of the output of an agent started by a console."""
    return platformdirs.user_state_path("resync-tui") / "agent.out"
