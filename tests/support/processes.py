"""Processes that are no children of the tests."""

import time
from contextlib import suppress

import psutil

from tests.support.waiting import DEADLINE


def is_over(pid: int) -> bool:
    """Whether a process has ended; whoever inherited it may take its time to bury it."""
    with suppress(psutil.NoSuchProcess):
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    return True


def ended(pid: int) -> None:
    """Wait until a process has ended."""
    deadline = time.monotonic() + DEADLINE
    while not is_over(pid):
        assert time.monotonic() < deadline, f"{pid} goes on"
        time.sleep(0.01)
