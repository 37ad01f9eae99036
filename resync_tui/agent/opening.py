"""The control database as an agent opens it: tried again for as long as a running agent would outlast an outage."""

import logging

import anyio

from resync_tui.config.settings import Settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.errors import ConnectionLost, DiskFull, Unreachable, one_line
from resync_tui.rights import edition_of

_log = logging.getLogger(__name__)

POLL_SECONDS = 1.0
OUTAGE_PAUSE = 15.0
ONCE_PATIENCE = 5
"""Consecutive failures to reach the control database after which `--once` gives up."""


def pause_after(failures: int) -> float:
    """Return the seconds until the next poll, after consecutive failures to reach the control database."""
    return min(POLL_SECONDS * 2**failures, OUTAGE_PAUSE) if failures else POLL_SECONDS


def is_hopeless(failures: int, idle: float, *, once: bool, idle_seconds: float | None) -> bool:
    """Whether an agent without work gives up, after consecutive failures and `idle` seconds."""
    return failures >= ONCE_PATIENCE if once else idle_seconds is not None and idle >= idle_seconds


async def open_control(
    settings: Settings, patience: float, *, once: bool, idle_seconds: float | None
) -> ControlDatabase:
    """Open the control database, again and again while it is out of reach or its disk is full. Raises CannotRun."""
    begun, failures = anyio.current_time(), 0
    while True:
        try:
            edition = edition_of(settings)
            return await ControlDatabase.open(
                settings.control_url(), patience=patience, edition=edition, progress=False
            )
        except (Unreachable, ConnectionLost, DiskFull) as error:
            failures += 1
            if is_hopeless(failures, anyio.current_time() - begun, once=once, idle_seconds=idle_seconds):
                raise
            if failures == 1:
                _log.warning("%s Trying again.", one_line(error))
            await anyio.sleep(pause_after(failures))
