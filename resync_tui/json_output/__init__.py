"""The JSON output of the commands: functions that build the typed documents of `documents`."""

from resync_tui.json_output.build import (
    alert,
    batch,
    doctor,
    error,
    objects,
    plan,
    removal,
    schedule,
    standing,
    verification,
)

__all__ = [
    "alert",
    "batch",
    "doctor",
    "error",
    "objects",
    "plan",
    "removal",
    "schedule",
    "standing",
    "verification",
]
