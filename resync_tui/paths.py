"""Every place on disk that the program chooses: the agents' folder and log, the crash log, an agent's output."""

from pathlib import Path

import platformdirs

from resync_tui.config.url import file_of


def state_folder(control_url: str) -> Path:
    """Return where agents of a control database keep log and locks: beside a SQLite file, else in the user's state."""
    file = file_of(control_url)
    return file.absolute().parent if file else platformdirs.user_state_path("resync-tui")


def log_path(control_url: str) -> Path:
    """Return where the agents of a control database write their log."""
    return state_folder(control_url) / "agent.log"


def crash_log_path() -> Path:
    """Return where tracebacks of unforeseen errors go."""
    return platformdirs.user_log_path("resync-tui") / "errors.log"


def agent_output_path() -> Path:
    """Return where an agent that a console started prints to."""
    return platformdirs.user_state_path("resync-tui") / "agent.out"
