"""The base of pages with a filter: `/` opens it, Enter keeps it, Esc clears it."""

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from resync_tui.screens.page import Page


class FilteringPage(Page):
    """A page of which the list is filtered by a text."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("slash", "filter", "Filter by a part of a name")]
    FILTERED: ClassVar[str] = "a name"
    """What the text is a part of."""

    wanted_name = ""
    """Text of the filter."""

    def compose_filter(self) -> ComposeResult:
        """Yield the input of the filter."""
        asked = Input(id="filter", placeholder=f"part of {self.FILTERED}; Enter keeps, Esc clears", compact=True)
        asked.cursor_blink = asked.select_on_focus = False
        self.rows().filter = asked
        yield asked

    def filtered(self) -> None:
        """Redraw after a change of the filter."""
        self.refresh_all()

    def action_filter(self) -> None:
        """Open the filter."""
        self.add_class("filtering")
        self.set_focus(self.query_one("#filter", Input))

    @on(Input.Changed, "#filter")
    def _filter(self, event: Input.Changed) -> None:
        self.wanted_name = event.value.strip()
        self.filtered()

    @on(Input.Submitted, "#filter")
    def _keep_filter(self) -> None:
        self.remove_class("filtering")
        self.rows().focus()

    @property
    def is_filtered(self) -> bool:
        """Whether a filter holds, or is being typed."""
        return bool(self.wanted_name) or self.has_class("filtering")

    def clear_filter(self) -> None:
        """List all again."""
        self.query_one("#filter", Input).value = ""
        self._keep_filter()

    def action_back(self) -> None:
        """Clear the filter; without one go back."""
        if self.is_filtered:
            self.clear_filter()
        else:
            super().action_back()
