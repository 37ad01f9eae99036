"""What is shown where the terminal is too small for anything else."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen

from resync_tui.net import Netted
from resync_tui.widgets.line import plain
from resync_tui.widgets.lines import Lines

COLUMNS, ROWS = 60, 15


class SmallScreen(Netted, ModalScreen[None]):
    """Waits for the terminal to grow; what is below stays as it is."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("q", "app.quit", "Quit")]

    def __init__(self) -> None:
        super().__init__()
        self._lines = Lines(id="small", height=3)

    def compose(self) -> ComposeResult:
        """Two lines."""
        yield self._lines

    def on_resize(self) -> None:
        """Say what is needed and what there is."""
        size = self.app.size
        self._lines.show(
            [
                plain("Terminal too small"),
                plain(f"{size.width}x{size.height}, needs {COLUMNS}x{ROWS}"),
                plain("q quits"),
            ]
        )
