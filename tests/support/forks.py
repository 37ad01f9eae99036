"""Processes of the program that are forked where all is imported: a tenth of what it costs to start Python for each."""

import json
import os
import select
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from functools import cache, partial
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import Any, AnyStr

import pytest

from tests.support.waiting import DEADLINE

ROOT = Path(__file__).parents[2]
SERVER = "RESYNC_TUI_TEST_FORK_SERVER"
"""Names the socket of the server, whose file is called by the session that the forked are in.

The forked know it too, so that the agents that they start in sessions of their own are forked.
"""
LONGEST = 200_000
"""Bytes that a request may have: most of it is the environment."""
LONGEST_COMMAND = 4_000
"""Bytes of the longest command line."""
INHERITED = (signal.SIGHUP, signal.SIGINT, signal.SIGTERM)
"""Signals that a new process ignores if the one that started it does."""
_started: "list[subprocess.Popen[bytes]]" = []


class Popen(subprocess.Popen[AnyStr]):
    """A process as of `subprocess`, which is forked if it is `python -m` or `-c`; `terminal` is to be its terminal."""

    _kept: socket.socket | None = None
    """What tells of its end; None: it is no forked one, or has ended."""

    def __init__(self, command: Sequence[str], *, terminal: int | None = None, **options: Any) -> None:
        self._terminal = terminal
        if terminal is not None:
            options["preexec_fn"] = partial(os.login_tty, terminal)
        super().__init__(command, **options)

    def _execute_child(self, args: Sequence[str], *rest: Any) -> None:
        _, preexec, _, keep, folder, environ, _, _, shell, *streams = rest
        words = [each for each in args[1:] if each != "-P"]
        python = args[0] == sys.executable and words[0] in ("-m", "-c") and SERVER in os.environ
        apart = streams[11] or self._terminal is not None
        more = keep or shell or any(streams[7:10]) or (preexec and self._terminal is None)
        if more or not python or not (apart or _in_its_session()):
            super()._execute_child(args, *rest)  # type: ignore[misc]
            return
        theirs = [self._terminal] * 3 if self._terminal is not None else [streams[0], streams[3], streams[5]]
        path = _server()
        request = {
            "command": words,
            "folder": os.fspath(folder or Path.cwd()),
            "environ": {**(os.environ if environ is None else environ), SERVER: path},
            "session": apart,
            "terminal": self._terminal is not None,
            "blocked": [*signal.pthread_sigmask(signal.SIG_BLOCK, [])],
            "ignored": [each for each in INHERITED if signal.getsignal(each) is signal.SIG_IGN],
            "umask": _umask(),
        }
        self._kept = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self._kept.connect(path)
        files = [place if file == -1 else file for place, file in enumerate(theirs)]
        socket.send_fds(self._kept, [json.dumps(request).encode()], files)
        self.pid = int.from_bytes(self._kept.recv(8))
        assert self.pid, "the fork server has ended"
        self._child_created = True
        self._close_pipe_fds(*streams[:6])  # type: ignore[attr-defined]

    def _try_wait(self, wait_flags: int) -> tuple[int, int]:
        if self._kept is None:
            found: tuple[int, int] = super()._try_wait(wait_flags)  # type: ignore[misc]
            return found
        if wait_flags and not select.select([self._kept], [], [], 0)[0]:
            return 0, 0
        with self._kept:
            return self.pid, int.from_bytes(self._kept.recv(8))

    def _internal_poll(self, *chosen: Any, **more: Any) -> int | None:
        if self._kept is not None:
            more["_waitpid"] = lambda _, flags: self._try_wait(flags)
        code: int | None = super()._internal_poll(*chosen, **more)  # type: ignore[misc]
        return code


def run(command: Sequence[str], **options: Any) -> "subprocess.CompletedProcess[str]":
    """Run a process to its end, and return what it printed."""
    chosen = {"stdin": DEVNULL, "stdout": PIPE, "stderr": PIPE, "text": True} | options
    with Popen[str](command, **chosen) as process:
        out, err = process.communicate(timeout=DEADLINE)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def _in_its_session() -> bool:
    """Whether what the server forks is in the session of this process, as what this process forked would be."""
    return Path(os.environ[SERVER]).name == str(os.getsid(0))


def _umask() -> int:
    os.umask(found := os.umask(0o077))
    return found


@cache
def _server() -> str:
    """Return the server's socket; in the tests' process the first who asks starts it."""
    path = os.environ[SERVER]
    if not Path(path).exists():
        command = [sys.executable, "-m", "tests.support.fork_server", path, " " * LONGEST_COMMAND]
        _started.append(server := subprocess.Popen(command, cwd=ROOT, stdin=PIPE, stdout=PIPE))
        assert server.stdout is not None
        assert server.stdout.readline() == b"ready\n"
    return path


@pytest.fixture(scope="session", autouse=True)
def fork_server() -> Iterator[None]:
    """Let processes be forked in the tests, by a server that is started once it is needed; benchmarks have none."""
    with pytest.MonkeyPatch.context() as patch, tempfile.TemporaryDirectory(prefix="resync-tui-forks-") as folder:
        if sys.platform == "linux":
            patch.setenv(SERVER, f"{folder}/{os.getsid(0)}")
        yield
        while _started:
            with _started.pop():
                pass  # what it forked may go on, and have its output open
