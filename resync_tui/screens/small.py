"""What is shown where the terminal is too small for anything else."""

from textual.app import ComposeResult
from textual.screen import ModalScreen

from resync_tui.widgets.line import plain
from resync_tui.widgets.lines import Lines

COLUMNS, ROWS = 60, 15


class SmallScreen(ModalScreen[None]):
    """Waits for the terminal to grow; what is below stays as it is."""

    def compose(self) -> ComposeResult:
        """Two lines."""
        yield Lines(id="small", height=3)

    def on_resize(self) -> None:
        """Say what is needed and what there is."""
        size = self.app.size
        self.query_one(Lines).show(
            [
                plain("Terminal too small"),
                plain(f"{size.width}x{size.height}, needs {COLUMNS}x{ROWS}"),
                plain("q quits"),
            ]
        )
