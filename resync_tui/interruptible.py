"""Ctrl-C amid a question to a database: it is answered first, as a driver may hang where it is cut short."""

import asyncio
import signal
from collections.abc import Awaitable, Callable
from typing import TypeVar

import anyio

T = TypeVar("T")


def run(ask: Callable[[], Awaitable[T]]) -> T:
    """Run something in an event loop of its own, from the main thread. Raises KeyboardInterrupt after Ctrl-C.

    What is shielded goes on to its end; an event loop's own way with Ctrl-C minds no shield. A job in the background,
    for which the shell has Ctrl-C ignored, goes on ignoring it.
    """
    before = signal.getsignal(signal.SIGINT)

    async def asked() -> list[T]:
        with anyio.CancelScope() as scope:
            if before is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(signal.SIGINT, scope.cancel)
            return [await ask()]
        return []

    try:
        answer = anyio.run(asked)
    finally:
        signal.signal(signal.SIGINT, before)
    if not answer:
        raise KeyboardInterrupt
    return answer[0]
