"""Export files of the screens: lists as CSV, and copied text; keys and counts, never student data."""

import os
from pathlib import Path

from resync_tui.errors import CannotRun


def write_file(name: str, text: str, *, over: bool = False) -> Path:
    """Write a file readable by its owner only, into the working folder or else the home folder; return its path.

    Without `over` an existing file stays, and a number is added to the name. Raises CannotRun.
    """
    reason: str | None = None
    for place in (Path.cwd, Path.home):
        try:
            return _write(place() / name, text, over)
        except OSError as error:
            reason = error.strerror
    raise CannotRun(f"Cannot write {name} here nor in the home folder: {reason}", "Start from a folder you may write.")


def _write(path: Path, text: str, over: bool) -> Path:
    number = 1
    free = path
    while free.exists() and not over:
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
    file = os.open(free, os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if over else os.O_EXCL) | os.O_NOFOLLOW, 0o600)
    with open(file, "w", encoding="utf-8", newline="") as opened:
        opened.write(text)
    return free
