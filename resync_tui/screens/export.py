"""Export files of the screens: lists as CSV, and copied text; keys and counts, never student data."""

import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from resync_tui.errors import CannotRun

_LONGEST = 120
"""Characters of a file's name: a file system takes 255 bytes."""
_NOT_IN_NAMES = re.compile(r"[^\w.()\[\] -]+|^\.+")


def write_file(name: str, text: str, *, over: bool = False) -> Path:
    """Write a file readable by its owner only, into the working folder or else the home folder; return its path.

    It is a new file, whatever stands there: with `over` it takes that one's place, else a number is added to the name.
    Raises CannotRun.
    """
    reason: str | None = None
    for place in (Path.cwd, Path.home):
        try:
            return _write(place() / _name(name), text, over)
        except OSError as error:
            reason = error.strerror
    raise CannotRun(f"Cannot write {name} here nor in the home folder: {reason}", "Start from a folder you may write.")


def _name(name: str) -> str:
    """Return a file's name without what names of objects may hold and leads elsewhere, or hides the file."""
    stem, dot, kind = name.rpartition(".")
    return _NOT_IN_NAMES.sub("_", stem)[:_LONGEST] + dot + kind


def _write(path: Path, text: str, over: bool) -> Path:
    if over:
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")
        with _removed_at_failure(Path(draft)):
            _fill(descriptor, text)
            os.replace(draft, path)
        return path
    descriptor, free = _free(path)
    with _removed_at_failure(free):
        _fill(descriptor, text)
    return free


def _fill(descriptor: int, text: str) -> None:
    with open(descriptor, "w", encoding="utf-8", newline="") as opened:
        opened.write(text)


@contextmanager
def _removed_at_failure(path: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:
        path.unlink(missing_ok=True)
        raise


def _free(path: Path) -> tuple[int, Path]:
    """Make a new file under the first free name."""
    number, free = 1, path
    while True:
        with suppress(FileExistsError):
            return os.open(free, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600), free
        number += 1
        free = path.with_stem(f"{path.stem}-{number}")
