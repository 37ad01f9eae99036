"""Plain-text output of the commands: tables of at most 80 columns, local times with the year."""

from resync_tui.cli.text.batches import batch, batches, errors, status, troubles
from resync_tui.cli.text.checks import doctor
from resync_tui.cli.text.comparisons import extra_records, removal, verification
from resync_tui.cli.text.overviews import NO_SCHEDULES, alerts, board, hints, objects, plan, schedules
from resync_tui.cli.text.progress import summary

__all__ = [
    "NO_SCHEDULES",
    "alerts",
    "batch",
    "batches",
    "board",
    "doctor",
    "errors",
    "extra_records",
    "hints",
    "objects",
    "plan",
    "removal",
    "schedules",
    "status",
    "summary",
    "troubles",
    "verification",
]
