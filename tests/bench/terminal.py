"""What the screens cost a line and a processor: `python -m tests.bench.terminal` prints a table.

The real program in a pseudo-terminal, over a real control database that another process writes; run it on a machine
that does nothing else.
"""

import os
import re
import select
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.bench.terminal_load import NAMES, build
from tests.support.forks import ROOT
from tests.support.screens.pseudo_terminal import Terminal, stall, terminal

SECONDS = 10.0
UNREAD = 15.0
SETTLE = 4.0
PRESSED = 120
HANGUPS = 10
STARTS = 7
SMALL, LARGE = (80, 24), (120, 40)
SCREENS = (("checklist", ""), ("progress", "p"))
"""The screens that live, and the keys that open them."""
REVERSED = rb"\x1b\[(?:[\d;]*;)?7(?:;[\d;]*)?m[^\x1b]*(?:\x1b\[[\d;]*m[^\x1b]*)?"
"""The begin of a row that the cursor is on."""


def row(what: str, found: str, wanted: str) -> None:
    """Print a line of the table."""
    print(f"| {what} | {found} | {wanted} |", flush=True)


@contextmanager
def load_of(config: Path) -> Iterator[None]:
    """Let 20 of 80 objects get on ten times a second."""
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.terminal_load", str(config)], cwd=ROOT)
    try:
        yield
        assert process.poll() is None, "the load ended, so nothing was measured under it"
    finally:
        process.kill()
        process.wait()


@contextmanager
def screens(config: Path, size: tuple[int, int], keys: str = "") -> Iterator[Terminal]:
    """Open the screens, press keys, and let everything settle."""
    with terminal("resync_tui", "--config", str(config), size=size) as shown:
        shown.reads_until(b"Quit")
        drain(shown, SETTLE)
        for key in keys:
            shown.press(key)
            drain(shown, 1.0)
        yield shown


def drain(shown: Terminal, seconds: float) -> int:
    """Read for so long, and return how many bytes came."""
    before, end = len(shown.output), time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if select.select([shown.fd], [], [], left)[0]:
            shown.read()
    return len(shown.output) - before


def cost(shown: Terminal) -> tuple[int, float]:
    """Return the bytes of some seconds, and the share of a core."""
    process = psutil.Process(shown.process.pid)
    before, begun = process.cpu_times(), time.monotonic()
    sent = drain(shown, SECONDS)
    after, took = process.cpu_times(), time.monotonic() - begun
    return sent, (after.user + after.system - before.user - before.system) / took


def key_to_paint(shown: Terminal) -> list[float]:
    """Return how many seconds after a key the cursor stands on the next row, per key."""
    took = []
    for number in range(PRESSED):
        down = number // 15 % 2 == 0
        name = NAMES[(number % 15 + 1) if down else 14 - number % 15].encode()
        drain(shown, 0.1 + 0.013 * (number % 10))
        seen, begun = len(shown.output), time.monotonic()
        shown.press("j" if down else "k")
        while not re.search(REVERSED + name, shown.output[seen:]):
            assert time.monotonic() - begun < 10, shown.text[-4000:]
            shown.read()
        took.append(time.monotonic() - begun)
    return sorted(took)


def start(command: list[str]) -> float:
    """Return the seconds of a command, the median of several."""
    took = []
    for _ in range(STARTS):
        begun = time.monotonic()
        subprocess.run([sys.executable, *command], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
        took.append(time.monotonic() - begun)
    return statistics.median(took)


def first_paint(config: Path) -> float:
    """Return the seconds from the start of the program to its first full screen, the median of several."""
    took = []
    for _ in range(STARTS):
        begun = time.monotonic()
        with terminal("resync_tui", "--config", str(config)) as shown:
            shown.reads_until(b"Quit")
            took.append(time.monotonic() - begun)
    return statistics.median(took)


def starts(config: Path) -> None:
    """Measure what is there at once."""
    options = ["--config", str(config)]
    row("first paint", f"{first_paint(config):.2f} s", "≤ 0.6 s")
    row("`--help`", f"{start(['-m', 'resync_tui', '--help']):.2f} s", "≤ 0.4 s")
    row("`plan`", f"{start(['-m', 'resync_tui', 'plan', NAMES[9], *options]):.2f} s", "≤ 0.4 s")
    bare = start(["-c", "import sqlmodel"])
    objects = start(["-m", "resync_tui", "objects", *options])
    row("`objects`, against `import sqlmodel`", f"{objects:.2f} s / {bare:.2f} s = {objects / bare:.2f}", "≤ 1.5")


def idle(config: Path) -> None:
    """Measure ten seconds in which nothing happens."""
    with screens(config, SMALL) as shown:
        sent, share = cost(shown)
    row("idle for 10 s", f"{sent} bytes, {share:.2%}", "0 bytes, < 0.5 %")


def loaded(config: Path) -> None:
    """Measure what is sent while everything gets on."""
    for name, keys in SCREENS:
        with screens(config, SMALL, keys) as shown:
            sent, share = cost(shown)
        row(f"load, {name}, 80x24", f"{sent / SECONDS / 1000:.1f} kB/s, {share:.1%}", "≤ 15 kB/s, ≤ 5 %")


def keys(config: Path) -> None:
    """Measure how soon a key is answered meanwhile."""
    for name, keys in SCREENS:
        with screens(config, LARGE, keys + "g") as shown:
            took = key_to_paint(shown)
        p50, p95 = took[len(took) // 2], took[int(len(took) * 0.95)]
        row(f"key to paint, {name}, 120x40", f"p50 {p50 * 1000:.0f} ms, p95 {p95 * 1000:.0f} ms", "p95 ≤ 50 ms")


def unread(config: Path) -> None:
    """Measure what comes when a terminal is read again."""
    for name, keys in SCREENS:
        with screens(config, SMALL, keys) as shown:
            time.sleep(UNREAD)
            sent = drain(shown, 2.0)
            shown.press("L")
            shown.reads_until(b"still processing")
        row(f"unread for 15 s, {name}", f"{sent / 1000:.1f} kB on return, alive", "≤ 50 kB")


def hangups(config: Path) -> None:
    """Measure how soon the program is gone after a hang-up, the worst of ten."""
    for name, prepare in (("a healthy", None), ("a stalled", stall)):
        took = []
        for _ in range(HANGUPS):
            with terminal("resync_tui", "--config", str(config)) as shown:
                shown.reads_until(b"Quit")
                if prepare:
                    prepare(shown)
                    time.sleep(0.5)
                begun = time.monotonic()
                shown.process.send_signal(signal.SIGHUP)
                shown.ends(reading=False)
                took.append(time.monotonic() - begun)
        row(f"hang-up of {name} terminal, the worst of {HANGUPS}", f"gone after {max(took):.1f} s", "≤ 3 s")


def main() -> None:
    """Print the table; words choose its parts."""
    still: dict[str, Callable[[Path], None]] = {"starts": starts, "idle": idle}
    moving: dict[str, Callable[[Path], None]] = {"loaded": loaded, "keys": keys, "unread": unread, "hangups": hangups}
    chosen = sys.argv[1:] or [*still, *moving]
    with tempfile.TemporaryDirectory() as name:
        os.environ["XDG_STATE_HOME"] = name
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # What is measured is a start with compiled files.
        config = build(Path(name))
        made = [sys.executable, "-m", "resync_tui", "objects", "--config", str(config)]
        subprocess.run(made, check=True, cwd=ROOT, stdout=subprocess.DEVNULL)
        print("| what | measured | wanted |\n| --- | --- | --- |")
        for part in filter(still.__contains__, chosen):
            still[part](config)
        with load_of(config):
            for part in filter(moving.__contains__, chosen):
                moving[part](config)


if __name__ == "__main__":
    main()
