"""The crash log: the place of an unforeseen error goes to a file, one line to the user."""

import os
import traceback
from datetime import datetime
from pathlib import Path

from resync_tui.errors import ResyncError
from resync_tui.paths import crash_log_path


def crashed(error: Exception) -> ResyncError:
    """Return the error to report; messages of exceptions stay out of it and of the file, as they may quote a record."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    path = crash_log_path()
    try:
        _write(path, name, error)
    except OSError:
        return ResyncError(f"An unforeseen error: {name}", f"Its traceback could not be written to {path}.")
    return ResyncError(f"An unforeseen error: {name}", f"Where it happened is in {path}; send that to the developers.")


def _write(path: Path, name: str, error: Exception) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        chain = [f"{type(cause).__qualname__}\n", *traceback.format_tb(cause.__traceback__), *chain]
        cause = cause.__cause__ or cause.__context__
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "a") as log:
        log.write(f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z} {name}\n{''.join(chain)}\n")
