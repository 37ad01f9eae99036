"""What a terminal may do to the program: not be one, hang up, or stop reading."""

import os
import signal
import sys
import termios
from collections.abc import Callable
from dataclasses import dataclass
from threading import Thread
from time import sleep
from typing import Any

GRACE_SECONDS = 2
ENDING = (signal.SIGHUP, signal.SIGTERM)


def why_no_terminal() -> str | None:
    """Return in one line why the screens cannot run here, and what to use instead; None where they can."""
    if not all(stream.isatty() for stream in (sys.stdin, sys.stdout, sys.stderr)):  # Textual draws on standard error
        return "This is no terminal. Use a command instead, such as: resync-tui objects, resync-tui run --help"
    if os.environ.get("TERM", "dumb") in ("dumb", ""):
        return "TERM says that this terminal is dumb. Use a command instead, such as: resync-tui objects"
    return None


def block_endings() -> None:
    """Keep hang-up and termination away from every thread; call it before the first one starts."""
    signal.pthread_sigmask(signal.SIG_BLOCK, ENDING)


@dataclass
class Ending:
    """Why the program was told to leave."""

    code: int | None = None
    """Its exit code; None: nobody has told it."""


def _on_ending(leave: Callable[[int], object]) -> Ending:
    """Call `leave` with the exit code, in another thread, when the terminal hangs up or somebody ends the program.

    Textual does not leave by itself then, and with a stalled terminal a clean exit can hang: two seconds later the
    process is gone whatever happened. What runs in an agent goes on.
    """

    ending = Ending()

    def wait() -> None:
        ending.code = 128 + signal.sigwait(ENDING)
        Thread(target=_end, args=(ending.code,), daemon=True).start()
        leave(ending.code)

    Thread(target=wait, name="endings", daemon=True).start()
    return ending


def run(app: Any) -> int:
    """Run the screens until they are left; return the exit code: 128 and the signal's number where somebody ended them.

    A terminal that is gone can break them before the signal that says so has been heard, and on their way out too.
    Raises ResyncError where they could not go on.
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
    """Whether the terminal has not yet read what was last written to it; more would freeze the event loop."""
    writer = getattr(getattr(app, "_driver", None), "_writer_thread", None)
    queue = getattr(writer, "_queue", None)
    return queue is not None and bool(queue.qsize() > 1)


def write_title(app: Any, title: str) -> None:
    """Set the terminal's title, the one before kept by the terminal (XTWINOPS 22) so that it can be given back."""
    kept = "" if getattr(app, "_title_kept", False) else "\x1b[22;2t"
    app._title_kept = True
    clean = "".join(each if each.isprintable() else " " for each in title)
    _write(app, f"{kept}\x1b]2;{clean}\a")


def restore_title(app: Any) -> None:
    """Give the terminal the title back that it had; one that cannot keep titles gets an empty one."""
    _write(app, "\x1b]2;\a\x1b[23;2t")


def _write(app: Any, sequence: str) -> None:
    if (driver := getattr(app, "_driver", None)) is not None:
        driver.write(sequence)
