"""Lines on a terminal that are redrawn in place while a command waits; without a terminal nothing."""

import os
import shutil
import sys
from collections.abc import Sequence

import click

from resync_tui.printable import clipped, printable


class LiveLines:
    """The live lines on standard error; what is told in between stays above them."""

    def __init__(self) -> None:
        self.shown = sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
        """Whether there is a terminal to redraw lines on."""
        self._rows = 0

    @property
    def width(self) -> int:
        """Cells of a line, one less than the terminal has, so that none wraps."""
        return max(20, shutil.get_terminal_size().columns - 1)

    def show(self, lines: Sequence[str]) -> None:
        """Replace the live lines."""
        room = max(1, shutil.get_terminal_size().lines - 1)
        self._write("".join(f"{printable(line)}\n" for line in lines[:room]))
        self._rows = min(len(lines), room)

    def tell(self, line: str) -> None:
        """Print a line that stays."""
        self._write(f"{clipped(line)}\n")

    def clear(self) -> None:
        """Remove the live lines."""
        self._write("")

    def _write(self, text: str) -> None:
        back = f"\033[{self._rows}A\r\033[J" if self._rows else ""
        self._rows = 0
        if back or text:
            click.echo(back + text, nl=False, err=True)
