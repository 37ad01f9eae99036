"""Waiting for what another task, process or server does; how long it takes is never what a test is about."""

import time
from collections.abc import Awaitable, Callable
from inspect import isawaitable

import anyio

DEADLINE = 240.0
"""Seconds after which a test gives up: many times what the slowest machine needs."""


SHORTEST, LONGEST = 0.01, 0.15
"""Seconds between two looks: more with each, as looking costs what is waited for its processor."""


async def until(
    condition: Callable[[], object],
    pause: Callable[[], Awaitable[object]] | None = None,
    seen: Callable[[], str] = str,
) -> None:
    """Wait until a condition, which may be asynchronous, holds; fail with what is `seen` where it never does."""
    end, seconds = time.monotonic() + DEADLINE, SHORTEST
    while not await _holds(condition):
        assert time.monotonic() < end, seen()
        await (pause() if pause else anyio.sleep(seconds))
        seconds = min(seconds * 1.5, LONGEST)


async def _holds(condition: Callable[[], object]) -> object:
    answer = condition()
    return await answer if isawaitable(answer) else answer


def wait_until(condition: Callable[[], object]) -> None:
    """Wait likewise where there is no event loop."""
    end = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < end, "the condition was never met"
        time.sleep(0.05)
