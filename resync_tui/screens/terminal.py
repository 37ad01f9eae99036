"""The terminal's failure modes: none at all, a hang-up, a stalled reader."""

import os
import signal
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from time import sleep
from typing import Any

from resync_tui.printable import clipped

GRACE_SECONDS = 2
TITLE = 200
"""Characters of a title at most."""
ENDING = (signal.SIGHUP, signal.SIGTERM)


def why_no_terminal() -> str | None:
    """Return why the screens cannot run here and what to use instead, in one line; None if they can."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # Textual draws on standard error
        return "This is no terminal. Use a command instead, such as: resync-tui objects, resync-tui run --help"
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        return "TERM says that this terminal is dumb. Use a command instead, such as: resync-tui objects"
    return None


def block_endings() -> None:
    """Block hang-up and termination signals in every thread; call it before the first thread starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


@dataclass
class Ending:
    """The signal to end the program."""

    code: int | None = None
    """Exit code for that signal; None: none was received."""


def _on_ending(leave: Callable[[int], object]) -> Ending:
    """Call `leave` with the exit code, in another thread, on a hang-up or termination signal.

    Textual does not exit by itself then, and with a stalled terminal a clean exit can hang: two seconds later the
    process is ended in any case. Agents go on.
    """

    ending = Ending()

    def wait() -> None:
        ending.code = 128 + signal.sigwait(ENDING)
        Thread(target=_end, args=(ending.code,), daemon=True).start()
        leave(ending.code)

    Thread(target=wait, name="endings", daemon=True).start()
    return ending


def run(app: Any) -> int:
    """Run the screens until they end; return the exit code, for a signal 128 and its number.

    A lost terminal can break them before its signal has arrived, and on their way out too. Raises ResyncError if they
    could not go on.
    """
    ending = _on_ending(app.leave)
    try:
        app.run(mouse=False)
    except Exception:
        if ending.code is None and not _hung_up():
            raise
    if ending.code is None and app.broken is not None and not _hung_up():
        raise app.broken
    return ending.code or (128 + signal.SIGHUP if _hung_up() else app.return_code or 0)


def _hung_up() -> bool:
    try:
        termios.tcgetattr(2)  # standard error, where Textual draws
    except termios.error:
        return True
    return False


def _end(code: int) -> None:
    sleep(GRACE_SECONDS)
    os._exit(code)


def is_behind(app: Any) -> bool:
    """Whether the terminal has unread output; more would block the event loop."""
    writer = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue is not None and bool(queue.qsize() > 1)


def write_title(app: Any, title: str) -> None:
    """Set the terminal's title, after saving the old one in the terminal (XTWINOPS 22) for `restore_title`."""
    kept = "" if getattr(app, "_title_kept", False) else "\x1b[22;2t"
    app._title_kept = True
    _write(app, f"{kept}\x1b]2;{clipped(title, TITLE)}\a")


def restore_title(app: Any) -> None:
    """Restore the terminal's old title; a terminal that cannot save titles gets an empty one."""
    _write(app, "\x1b]2;\a\x1b[23;2t")


def _write(app: Any, sequence: str) -> None:
    if (driver := getattr(app, "_driver", None)) is not None:
        driver.write(sequence)
