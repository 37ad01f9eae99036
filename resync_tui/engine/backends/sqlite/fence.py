"""Fence: a file beside a SQLite state with each tenant's newest token, locked while a claim writes.

It lies by the state's real path, so that it is one fence by whatever path the state is named.
"""

import fcntl
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import anyio
import psutil

from resync_tui.databases.sqlite import real_path
from resync_tui.engine.backends.base import End, fence_ahead, taken_over
from resync_tui.files import own
from resync_tui.processes import end_if_stopped

STOPPED_SECONDS = 2.0
"""Seconds that a stopped process may hold the lock before its successor ends it."""


class Fence:
    """Fence of a SQLite state: only the newest claim of a district may write."""

    def __init__(self, end: End) -> None:
        state = real_path(end.url)
        self.path = state.with_name(f"{state.name}.resync-fence")
        self.end = end
        self._me = [os.getpid(), psutil.Process().create_time()]

    @asynccontextmanager
    async def held(self, *, claim: bool = False) -> AsyncIterator[None]:
        """Hold the lock; `claim` makes this token the tenant's newest. Raises LeaseLost if it is not.

        A stopped process of the claimed tenant is ended: stopped in a transaction, it could not release its lock on the
        state or the district.
        """
        descriptor = own.open_private_beside(self.path, os.O_RDWR | os.O_CREAT)
        try:
            await self._lock(descriptor)
            content = self._read(descriptor)
            tokens, processes = content["tokens"], content["processes"]
            newest = tokens.get(self.end.tenant, 0)
            if newest > self.end.token:
                raise fence_ahead(self.end, newest, f"remove {self.path} while no agent runs")
            if newest < self.end.token and not claim:
                raise taken_over()
            if newest < self.end.token:
                _end_if_stopped(processes.get(self.end.tenant))
            tokens[self.end.tenant], processes[self.end.tenant] = self.end.token, self._me
            self._write(descriptor, {"tokens": tokens, "processes": processes, "holder": self.end.tenant})
            yield
        finally:
            os.close(descriptor)

    async def _lock(self, descriptor: int) -> None:
        waiting_since = anyio.current_time()
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if anyio.current_time() - waiting_since > STOPPED_SECONDS:
                    self._end_stopped_holder(descriptor)
                await anyio.sleep(0.01)
            else:
                return

    def _end_stopped_holder(self, descriptor: int) -> None:
        """End an agent stopped while it wrote for this tenant: its lease has lapsed, its lock has not."""
        content = self._read(descriptor)
        tenant = self.end.tenant
        if content["holder"] == tenant and content["tokens"].get(tenant, 0) < self.end.token:
            _end_if_stopped(content["processes"].get(tenant))

    @staticmethod
    def _read(descriptor: int) -> dict[str, Any]:
        content: dict[str, Any] = {"tokens": {}, "processes": {}, "holder": None}
        with suppress(ValueError):
            content |= json.loads(os.pread(descriptor, 1_000_000, 0))
        return content

    @staticmethod
    def _write(descriptor: int, content: dict[str, Any]) -> None:
        text = json.dumps(content).encode()
        os.pwrite(descriptor, text, 0)
        os.ftruncate(descriptor, len(text))


def _end_if_stopped(process: list[Any] | None) -> None:
    """End a process, given by its id and creation time, if it is stopped (SIGSTOP, Ctrl-Z)."""
    if process is not None:
        end_if_stopped(process[0], lambda found: bool(found.create_time() == process[1]))
