"""The command palette: it answers once, as every box of the screens does."""

from typing import Any

from textual import on
from textual.await_complete import AwaitComplete
from textual.command import CommandPalette
from textual.message import Message
from textual.widgets import Input, OptionList

from resync_tui.screens.net import Netted


class Palette(Netted, CommandPalette):
    """Textual's palette, which by itself would run a command again, and close the page below, at each further Enter."""

    _answered = False

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Close; ignored after the first time."""
        if self._answered:
            return AwaitComplete()
        self._answered = True
        return super().dismiss(result)

    @on(OptionList.OptionSelected)
    @on(Input.Submitted)
    def _select_once(self, event: Message) -> None:
        """Drop what was selected after the answer."""
        if self._answered:
            event.stop()
            event.prevent_default()
