"""Ctrl-C never breaks a question to a database off in its middle: SQLite's driver would hang for ever."""

import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from resync_tui.cli.options import run_interruptibly
from tests.support import forks

ASK = """
import os, signal, sys
import anyio
from resync_tui.cli.options import run_interruptibly
from resync_tui.control.connection import ControlDatabase

async def ask():
    database = await ControlDatabase.open(sys.argv[1])
    try:
        for number in range(1000):
            async with database.read() as connection:
                if number == 7:
                    os.kill(os.getpid(), signal.SIGINT)
                await connection.exec_driver_sql("SELECT 1")
                print(number, flush=True)
            await anyio.sleep(0.001)
    finally:
        await database.close()
        print("closed", flush=True)

try:
    run_interruptibly(ask)
except KeyboardInterrupt:
    print("interrupted")
"""


def test_a_question_is_answered_before_ctrl_c_counts(tmp_path: Path) -> None:
    done = forks.run([sys.executable, "-c", ASK, f"sqlite:///{tmp_path}/control.db"])
    lines = done.stdout.split()
    assert lines[7] == "7", done.stderr
    assert lines[-2:] == ["closed", "interrupted"]
    assert len(lines) < 20
    assert done.returncode == 0


@pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.default_int_handler])
def test_an_answer_comes_back_and_ctrl_c_is_what_it_was(handler: Any) -> None:
    """A job in the background ignores it, before, meanwhile and afterwards."""

    async def asked() -> int:
        ignored = signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        assert ignored == (handler is signal.SIG_IGN)
        return 5

    before = signal.signal(signal.SIGINT, handler)
    try:
        assert run_interruptibly(asked) == 5
        assert signal.getsignal(signal.SIGINT) is handler
    finally:
        signal.signal(signal.SIGINT, before)
