"""What the commands share that wait for an agent: whether to ask, and how to leave what goes on by itself."""

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from resync_tui.results import Batch

INTERRUPTED = 130


def is_terminal() -> bool:
    """Whether somebody is there to answer a question."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def or_detached(carry_out: "Callable[[list[Batch]], list[Batch]]", goes_on: str = "it goes on") -> "list[Batch] | None":
    """Return what was carried out, or None where Ctrl-C left it to go on by itself, and how to see it is told."""
    queued: list[Batch] = []
    try:
        return carry_out(queued)
    except KeyboardInterrupt:
        if not queued:
            raise
        number = queued[0].batch
        click.echo(
            f"Detached; {goes_on}. See: resync-tui history --batch {number}; stop: resync-tui cancel {number}", err=True
        )
        return None
