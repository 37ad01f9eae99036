"""A fork server: imports the program once, and forks whoever asks for a process of it; see tests/support/forks.py.

`python -m tests.support.fork_server SOCKET ROOM`: it listens on that socket until its standard input ends. `ROOM` is a
long argument, whose place in the memory takes the command lines of the forked. A request is a JSON object and three
file descriptors, the standard streams; the answers are the process id and, in the end, the wait status.
"""

import ctypes
import fcntl
import gc
import io
import json
import os
import runpy
import select
import signal
import socket
import sys
import tempfile
import termios
import time
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

from resync_tui.agent import start
from tests.support import forks
from tests.support.forks import INHERITED, LONGEST

IMPORTED = (
    "resync_tui.agent.job",
    "resync_tui.agent.service",
    "resync_tui.cli.main",
    "resync_tui.cli.wait",
    "resync_tui.control.store",
    "resync_tui.databases.postgres",
    "resync_tui.databases.sqlite",
    "resync_tui.engine.backends.postgres.target",
    "resync_tui.engine.backends.sqlite.target",
    "resync_tui.json_output.build",
    "resync_tui.screens.app",
    "resync_tui.screens.terminal",
)
"""What takes long to import, and starts no thread."""


def main() -> None:
    """Serve until standard input ends; the forked return from here as the process that was asked for."""
    for name in IMPORTED:
        import_module(name)
    gc.freeze()
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    listener.bind(sys.argv[1])
    listener.listen()
    print("ready", flush=True)
    while listener in select.select([listener, sys.stdin], [], [])[0]:
        asking, _ = listener.accept()
        if not os.fork():
            listener.close()
            _keep(asking)
            return
        asking.close()
        _bury()
    _bury()
    listener.close()


def _bury() -> None:
    """Wait for the keepers that have ended: what theirs have cost is counted only so."""
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _keep(asking: socket.socket) -> None:
    """Fork once more, and stay to say who that is and how it ends; return in the forked one."""
    message, files, _, _ = socket.recv_fds(asking, LONGEST, 3)
    pid = os.fork()
    if not pid:
        asking.close()
        _become(json.loads(message), files)
        return
    for file in files:
        os.close(file)
    asking.send(pid.to_bytes(8))
    asking.send(os.waitpid(pid, 0)[1].to_bytes(8))
    os._exit(0)


def _become(request: dict[str, Any], files: Sequence[int]) -> None:
    """Take over what a new process would have been given, and run its module as the main one."""
    for place, file in enumerate(files):
        os.dup2(file, place)
        os.close(file)
    if request["session"]:
        os.setsid()
    if request["terminal"]:
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    os.chdir(request["folder"])
    os.environ.clear()
    os.environ.update(request["environ"])
    time.tzset()
    tempfile.tempdir = None
    os.umask(request["umask"])
    for number in INHERITED:
        signal.signal(number, signal.SIG_IGN if number in request["ignored"] else signal.SIG_DFL)
    if signal.SIGINT not in request["ignored"]:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_SETMASK, request["blocked"])
    for place, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        before = getattr(sys, name)
        lines = place == 2 or os.isatty(place)
        raw = open(place, f"{mode}b", closefd=False)  # noqa: SIM115
        stream = io.TextIOWrapper(raw, before.encoding, before.errors, line_buffering=lines)
        setattr(sys, name, stream)
        setattr(sys, f"__{name}__", stream)
    vars(start)["subprocess"] = forks  # the agents that it starts are forked as well
    option, what, *arguments = request["command"]
    _rename([sys.executable, *request["command"]])
    sys.path[0] = request["folder"]
    if option == "-m":
        sys.argv = [what, *arguments]
        runpy.run_module(what, run_name="__main__", alter_sys=True)
    else:
        sys.argv = [option, *arguments]
        exec(compile(what, "<string>", "exec"), {"__name__": "__main__"})


def _rename(words: Sequence[str]) -> None:
    """Let ps and psutil see this command line."""
    begin, end = map(int, Path("/proc/self/stat").read_text().rpartition(")")[2].split()[45:47])
    text = "\0".join(words).encode()[: end - begin - 1]
    ctypes.memmove(begin, text.ljust(end - begin, b"\0"), end - begin)


if __name__ == "__main__":
    main()
