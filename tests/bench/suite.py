"""What a run of the tests costs: `python -m tests.bench.suite [--in FOLDER] [options of pytest]`.

Prints the number of items and the seconds, by the clock and of the processors. Those of agents, commands and database
servers count too, also where they outlive who started them: as their nearest living ancestor this process inherits
them, and waits for all. `--in` runs another checkout's tests by its own .venv, to be compared in the same hour.
"""

import argparse
import ctypes
import re
import resource
import subprocess
import sys
import threading
import time
from contextlib import suppress
from os import WNOHANG, wait, waitpid
from pathlib import Path

import psutil

PR_SET_CHILD_SUBREAPER = 36
ROOT = Path(__file__).parents[2]


def main() -> int:
    """Run pytest and print what it cost."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.suite", description=__doc__)
    parser.add_argument(
        "--in", dest="folder", type=Path, default=ROOT, help="another checkout, with a .venv of its own"
    )
    chosen, options = parser.parse_known_args()
    if sys.platform != "linux" or ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        parser.error("only Linux gives a process what its descendants leave behind")
    begun = time.monotonic()
    command = [chosen.folder.absolute() / ".venv" / "bin" / "pytest", *options]
    with subprocess.Popen(command, cwd=chosen.folder, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        threading.Thread(target=bury, args=(running.pid,), daemon=True).start()
        last = ""
        for last in running.stdout:
            print(last, end="", flush=True)
    seconds = time.monotonic() - begun
    with suppress(ChildProcessError):
        while True:
            wait()
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    items = sum(int(count) for count in re.findall(r"(\d+) (?:passed|failed|skipped|error)", last))
    print(f"{items} items, {seconds:.0f} s by the clock, {used.ru_utime + used.ru_stime:.0f} s of the processors")
    return running.returncode


def bury(pytest: int) -> None:
    """Wait for whatever this process inherits and that has ended: to others it would seem to go on."""
    while True:
        time.sleep(0.1)
        for each in psutil.Process().children():
            with suppress(psutil.NoSuchProcess, ChildProcessError):
                if each.pid != pytest and each.status() == psutil.STATUS_ZOMBIE:
                    waitpid(each.pid, WNOHANG)


if __name__ == "__main__":
    sys.exit(main())
