"""Pickers: one or several from a list, with a filter for long ones; school years and districts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input

from resync_tui.screens.marks import Mark
from resync_tui.screens.page import FILTER
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Modal, help_sheet
from resync_tui.screens.widgets.line import BOLD, PLAIN, WARN, Line, Part, fitted, plain
from resync_tui.screens.widgets.lines import Lines
from resync_tui.screens.widgets.rows import Rows


@dataclass(frozen=True, slots=True)
class Choice:
    """One item of the list."""

    key: str
    label: str
    picked: bool = False


@dataclass(frozen=True, slots=True)
class Picked:
    """The result: the picked keys in the order of the list, and the current one."""

    keys: tuple[str, ...]
    current: str


class Picker(Modal[Picked | None]):
    """A modal with a list; Enter takes the picked items, or else the one under the cursor."""

    AROUND: ClassVar[int] = 6
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pick", "Pick"),
        Binding("a", "all", "Pick all, or none"),
        Binding("u", "none", "Pick all, or none"),
        Binding("slash", "filter", "Filter"),
        Binding("enter", "take", "Take"),
        Binding("question_mark", "help", "Help"),
        Binding("escape,q", "leave", "Leave all as it was"),
    ]

    def __init__(self, title: str, choices: Sequence[Choice], current: str, *, several: bool) -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._input = Input(id="filter", placeholder="part of a name", compact=True)
        self._input.cursor_blink = self._input.select_on_focus = False
        self._title = title
        self._choices = list(choices)
        self._picked = {each.key for each in choices if each.picked}
        self._current = current
        self._several = several
        self._rows = Rows[Choice](self._draw)
        self._rows.filter = self._input if several else None
        if several:
            self._rows.mark_by(lambda: self._picked, self._pick_range)

    def _draw(self, choice: Choice, width: int) -> Line:
        mark = Mark.CHOSEN if choice.picked else Mark.NONE
        box = f"{mark.value} " if self._several else ""
        return ((box, BOLD), (choice.label, BOLD if choice.picked else PLAIN))

    def content(self) -> ComposeResult:
        """Yield title, list, filter and keys."""
        yield self._titles
        yield self._rows
        yield self._input
        yield self._hint

    def on_mount(self) -> None:
        """Show all items, with the cursor on the current one."""
        self.fit(len(self._choices))
        keys = (
            "Spc pick  J K range  a all  u none  / filter  Enter done  Esc leave"
            if self._several
            else "Enter take  Esc leave"
        )
        self._hint.show([plain(keys)])
        self._show()
        self._rows.go(self._current)
        self._rows.focus()

    def _show(self) -> None:
        wanted = self._input.value.strip().casefold()
        shown = [each for each in self._choices if wanted in each.label.casefold()]
        self._rows.show([Choice(each.key, each.label, each.key in self._picked) for each in shown], at_once=True)
        count = f"  {len(self._picked)} of {len(self._choices)} picked" if self._several else ""
        parts = (
            Part(self._title, BOLD),
            Part(count, turn=1),
            Part(f"  Filter: {wanted}" * bool(wanted), WARN, turn=2, least=FILTER),
            Part("" if shown else ": none is like that", WARN),
        )
        self._titles.show([fitted(parts, (), self.inner_width)])

    def action_pick(self) -> None:
        """Toggle the item under the cursor."""
        if self._may_pick() and self._rows.current:
            self._picked = self._picked ^ {self._rows.current.key}
            self._show()

    def _pick_range(self, before: set[str], rows: Sequence[Choice]) -> None:
        """Pick the items over which the cursor has been extended."""
        self._picked = before | {each.key for each in rows}
        self._show()

    def action_all(self) -> None:
        """Pick all items that match the filter."""
        if self._may_pick():
            self._picked = self._picked | {each.key for each in self._rows.values}
            self._show()

    def action_none(self) -> None:
        """Unpick all items that match the filter."""
        if self._may_pick():
            self._picked = self._picked - {each.key for each in self._rows.values}
            self._show()

    def action_filter(self) -> None:
        """Open the filter."""
        if self._may_pick():
            self.add_class("filtering")
            self._input.focus()

    @on(Input.Changed)
    def _filter(self) -> None:
        self._show()

    @on(Input.Submitted)
    def _keep_filter(self) -> None:
        self.remove_class("filtering")
        self._rows.focus()

    def _may_pick(self) -> bool:
        """Whether several may be picked; if not, say what takes one."""
        if not self._several:
            self.say("One is taken: by Enter, the one under the cursor.")
        return self._several

    def action_take(self) -> None:
        """Return the picked items, else the one under the cursor."""
        under = self._rows.current.key if self._rows.current else self._current
        keys = tuple(each.key for each in self._choices if each.key in self._picked) if self._several else (under,)
        keys = keys or (under,)
        self.dismiss(Picked(keys, under if under in keys else keys[0]))

    def action_help(self) -> None:
        """Show the keys of this list."""
        self.app.push_screen(help_sheet(self.active_bindings))

    def action_leave(self) -> None:
        """Close without a change."""
        self.dismiss(None)


def year_picker(session: Session) -> Picker:
    """Return the picker of the school years for which the listed district is configured."""
    current = session.settings.years.current
    names = {current - 1: "Previous", current: "Current", current + 1: "Next"}
    words = "Resync Data For The {} School Year ({}-{})"
    choices = [Choice(str(year), words.format(names[year], year - 1, year)) for year in session.years]
    return Picker("School year", choices, str(session.year), several=False)


def district_picker(session: Session) -> Picker:
    """Return the picker of districts: several in a state edition, one in a district's."""
    choices = [Choice(each.id, session.district_name(each.id), each.id in session.picked) for each in session.districts]
    return Picker("Select Districts", choices, session.district, several=session.state_edition)
