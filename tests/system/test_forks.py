"""A forked process is given what one would be given that the tests started; only its imports are done already."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.support import forks

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere each process is started")
FOUND = """
import json, os, signal, sys
found = [os.getcwd(), os.environ["GIVEN"], sys.argv, os.getsid(0), os.umask(0), sys.stdin.read(), os.getppid() > 1]
found += [sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])), signal.getsignal(signal.SIGHUP) is signal.SIG_IGN]
found += [signal.getsignal(signal.SIGINT) is signal.default_int_handler, sys.stdout.isatty(), sys.stdout.encoding]
print(json.dumps([str(each) for each in found]))
print("end", file=sys.stderr)
sys.exit(7)
"""


@pytest.mark.parametrize("ignored", [signal.SIG_IGN, signal.SIG_DFL])
def test_what_it_is_given_is_what_a_started_one_is(tmp_path: Path, ignored: signal.Handlers) -> None:
    command = [sys.executable, "-c", FOUND, "one", "two"]
    chosen: dict[str, Any] = {"cwd": tmp_path, "env": {**os.environ, "GIVEN": "something"}}
    before = signal.signal(signal.SIGHUP, ignored)
    signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.umask(umask := os.umask(0o027))
    os.umask(0o027)
    try:
        forked = forks.run(command, **chosen)
        started = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **chosen)
    finally:
        os.umask(umask)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
        signal.signal(signal.SIGHUP, before)
    assert (forked.returncode, forked.stderr) == (started.returncode, started.stderr) == (7, "end\n")
    assert json.loads(forked.stdout) == json.loads(started.stdout)


def test_it_is_forked_shown_by_its_command_and_killed() -> None:
    command = [sys.executable, "-c", "import sys, time; print('sqlalchemy' in sys.modules, flush=True); time.sleep(99)"]
    with forks.Popen[bytes](command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"True\n"
        assert [each for each in psutil.Process(process.pid).cmdline() if each] == command
        assert process.poll() is None
        process.kill()
        assert process.wait() == -signal.SIGKILL
