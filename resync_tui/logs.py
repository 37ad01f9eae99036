"""Logs: the level that RESYNC_TUI_LOG names, log files, the crash log; nothing that may quote a record or a password.

Of a library's record only the place is kept: its text, parameters and exception may quote anything. Records of the
logger `resync_tui` hold counts and names, never a value.
"""

import logging
import os
import traceback
import weakref
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from resync_tui.clock import Clock, utc_now
from resync_tui.errors import ConfigError, ResyncError, UntrustedPath, nearest, one_line
from resync_tui.files import own
from resync_tui.paths import crash_log_path
from resync_tui.printable import clipped

VARIABLE = "RESYNC_TUI_LOG"
"""Environment variable: the least level of this program's own records in the agent's log."""
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
OWN = logging.getLogger("resync_tui")
TIME = "%Y-%m-%d %H:%M:%S %z"


def level() -> str:
    """Return the level that the environment names, by default INFO. Raises ConfigError for another word."""
    written = os.environ.get(VARIABLE) or "INFO"
    if written.upper() not in LEVELS:
        raise ConfigError(
            f"{VARIABLE} is {written}, no level of a log{nearest(written, LEVELS)}",
            f"Set it to {', '.join(LEVELS[:-1])} or {LEVELS[-1]}, or unset it.",
        )
    return written.upper()


def is_own(record: logging.LogRecord) -> bool:
    """Whether a record is this program's, not a library's."""
    return f"{record.name}.".startswith(f"{OWN.name}.")


def text_of(record: logging.LogRecord) -> str:
    """Return a record's line; of a library's record only where it was made, and the class of its exception."""
    error = record.exc_info[1] if record.exc_info else None
    if is_own(record):
        told = [record.getMessage()] if record.levelno >= logging.INFO else ["debug", record.name, record.getMessage()]
        return "  ".join([*told, one_line(error)] if isinstance(error, Exception) else told)
    raised = f", {type(error).__name__}" if error else ""
    return f"{record.name}  {record.levelname.lower()} in {record.module}, line {record.lineno}{raised}"


class LogFile(logging.Handler):
    """Appends each record to a file, which only its owner reads; a full disk stops nothing.

    Records of libraries below WARNING are dropped, whatever level their loggers have.
    """

    def __init__(self, path: Path, clock: Clock = utc_now) -> None:
        super().__init__()
        self.path = path
        self.clock = clock
        self._file: weakref.finalize[..., LogFile] | None = None
        """Closes the descriptor."""
        self._descriptor = -1
        self._state: tuple[int, ...] | None = None
        self.addFilter(lambda record: is_own(record) or record.levelno >= logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        """Append a line: local time, then the record's message, whose parts stand two spaces apart."""
        self.write(*text_of(record).split("  "))

    def write(self, *parts: str) -> None:
        """Append a line: local time, then the parts."""
        time = self.clock().astimezone().strftime(TIME)
        line = "  ".join((time, *(" ".join(clipped(part).split()) for part in parts)))
        with suppress(OSError, UntrustedPath):
            self.make_room()
            os.write(self._opened(), f"{line}\n".encode())

    def _opened(self) -> int:
        """Return the file's descriptor; another process may have moved the file aside, or changed its rights."""
        there = _state(self.path.lstat()) if self.path.exists() else None
        if there is None or there != self._state:
            if self._file is not None:
                self._file()
            descriptor = own.open_private(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
            self._file, self._descriptor = weakref.finalize(self, os.close, descriptor), descriptor
            self._state = _state(os.fstat(descriptor))
        return self._descriptor

    def require_own(self) -> None:
        """Require that nobody else has put something in the file's place. Raises UntrustedPath."""
        with suppress(OSError):
            append(self.path, "")

    def make_room(self) -> None:
        """Move a file aside that has grown too long; by default it may grow."""


def _state(found: os.stat_result) -> tuple[int, ...]:
    """Return by what a file that is open is known to be the one in its place, with the rights that it had."""
    return found.st_dev, found.st_ino, found.st_mode, found.st_uid, found.st_nlink


def append(path: Path, text: str) -> None:
    """Append to a file of this program's own, which is made if it is missing. Raises UntrustedPath, OSError."""
    file = own.open_private(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def keep_of_libraries() -> None:
    """Write what libraries log in this process into the crash log, and none of their texts onto standard error."""
    root = logging.getLogger()
    if not any(isinstance(each, _OfLibraries) for each in root.handlers):
        root.addHandler(_OfLibraries(crash_log_path()))


class _OfLibraries(LogFile):
    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.addFilter(lambda record: not is_own(record))


def crashed(error: Exception) -> ResyncError:
    """Return the error to report; messages of exceptions stay out of it and of the file, as they may quote a record."""
    name = f"{type(error).__module__}.{type(error).__qualname__}".removeprefix("builtins.")
    path = crash_log_path()
    try:
        _write(path, name, error)
    except (OSError, UntrustedPath):
        return ResyncError(f"An unforeseen error: {name}", f"Its traceback could not be written to {path}.")
    return ResyncError(f"An unforeseen error: {name}", f"Where it happened is in {path}; send that to the developers.")


def _write(path: Path, name: str, error: Exception) -> None:
    chain: list[str] = []
    cause: BaseException | None = error
    while cause is not None:
        chain = [f"{type(cause).__qualname__}\n", *traceback.format_tb(cause.__traceback__), *chain]
        cause = cause.__cause__ or cause.__context__
    append(path, f"{datetime.now().astimezone():%Y-%m-%d %H:%M:%S %z} {name}\n{''.join(chain)}\n")
