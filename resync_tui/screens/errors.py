"""What did not reach the state: by object and reason, and below that by key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui.control.views import ErrorGroup, ErrorRecord
from resync_tui.screens import words
from resync_tui.screens.page import Page
from resync_tui.session import Session
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BOLD, PLAIN, TITLE, WARN, WIDE, Line, left, plain, spread
from resync_tui.widgets.rows import Rows

KEYS_SHOWN = 1000
"""Keys of one reason that are listed; the count above them is exact all the same."""

KINDS = {
    "excluded": "excluded: by its own rule such a record may not sync.",
    "rejected": "rejected: the state cannot take the record as it is. Mend it in the district.",
    "blocked": "blocked: its parent record is not in the state. Mend the parent, then resync both.",
}


@dataclass(frozen=True, slots=True)
class GroupRow:
    """Records of one object that were refused for one reason."""

    key: str
    group: ErrorGroup


def draw_group(row: GroupRow, width: int, glyphs: Glyphs) -> Line:
    """Return the line of a reason."""
    group = row.group
    name = 20 if width < WIDE else 30
    return (
        (f"{group.count:>8,} ", BOLD),
        (f"{left(group.object, name, glyphs.cut)} ", PLAIN),
        (f"{group.kind:<9}", WARN),
        (left(group.reason, max(10, width - name - 19), glyphs.cut), PLAIN),
    )


class ErrorsPage(Page):
    """The reasons of one batch, or of one object of it, with exact counts."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "open", "Keys of these records")]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Keys"), ("Esc", "Back"), ("H", "History"), ("?", "Help")),
    )

    def __init__(
        self, session: Session, glyphs: Glyphs, batch: int, object: str | None = None, at: str | None = None
    ) -> None:
        """`object` shows only that one's; `at` puts the cursor on its first reason."""
        super().__init__(session, glyphs)
        self.number = batch
        self._object = object
        self._begin = at
        self._groups: list[ErrorGroup] | None = None
        self._list = Rows[GroupRow](lambda row, width: draw_group(row, width, self.glyphs))

    def rows(self) -> Rows[GroupRow]:
        """Return the reasons."""
        return self._list

    async def load(self) -> None:
        """Read the reasons and their counts."""
        store = await self.session.store()
        self._groups = await store.error_groups(self.number, self._object)

    def draw(self) -> None:
        """Draw the reasons."""
        groups = self._groups or []
        of = f" of {self._object}" if self._object else ""
        count = sum(group.count for group in groups)
        heading: Line = ((" Errors ", TITLE), (f"  Resync #{self.number}{of}", BOLD))
        self.header(spread(heading, plain(f"{words.plural(count, 'record')} refused "), self.size.width))
        name = 20 if (self._list.width or self.size.width - 1) < WIDE else 30
        self.titles(plain(f"{'Records':>8} {left('Object', name)} {'Kind':<9}Reason", BOLD))
        rows = [GroupRow(f"{each.object}/{each.table}/{each.kind}/{each.reason}", each) for each in groups]
        self._list.show(rows)
        if self._begin and rows:
            self._list.go(next((row.key for row in rows if row.group.object == self._begin), rows[0].key))
            self._begin = None

    def note(self) -> list[Line]:
        """Say what the kind under the cursor means, and the whole reason."""
        if self._groups == []:
            return [plain("No record was refused.")]
        current = self._list.current
        if current is None:
            return []
        return [plain(f"{current.group.table}: {current.group.reason}"), plain(KINDS[current.group.kind], WARN)]

    def on_rows_moved(self) -> None:
        """The note goes with the cursor."""
        self.show_message()

    def action_open(self) -> None:
        """Show the keys of the records under the cursor."""
        if self._list.current:
            self.app.push_screen(KeysPage(self.session, self.glyphs, self.number, self._list.current.group))


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One refused record: its key, and nothing else of it."""

    key: str
    text: str


class KeysPage(Page):
    """The keys of the records that were refused for one reason; never their content."""

    KEYS: ClassVar[Sequence[tuple[str, str]]] = (("Esc", "Back"), ("?", "Help"))
    HEADER_ROWS: ClassVar[int] = 2

    def __init__(self, session: Session, glyphs: Glyphs, batch: int, group: ErrorGroup) -> None:
        super().__init__(session, glyphs)
        self.number = batch
        self.group = group
        self._records: list[ErrorRecord] = []
        self._list = Rows[KeyRow](lambda row, width: plain(left(row.text, width, self.glyphs.cut)))

    def rows(self) -> Rows[KeyRow]:
        """Return the keys."""
        return self._list

    async def load(self) -> None:
        """Read the keys that are kept of this reason."""
        group = self.group
        store = await self.session.store()
        records = await store.errors(
            self.number, object=group.object, kind=group.kind, reason=group.reason, limit=KEYS_SHOWN
        )
        self._records = [each for each in records if each.table == group.table]

    def draw(self) -> None:
        """Draw the keys."""
        group, shown = self.group, len(self._records)
        heading: Line = ((" Errors ", TITLE), (f"  Resync #{self.number}  {group.object}, {group.table}", BOLD))
        count = f"{group.count:,} refused" if shown == group.count else f"{shown:,} of {group.count:,} listed"
        self.header(spread(heading, plain(f"{count} "), self.size.width), plain(f"{group.kind}: {group.reason}", WARN))
        self.titles(plain("Key of the record", BOLD))
        self._list.show([KeyRow(str(n), key_text(record)) for n, record in enumerate(self._records)])


def key_text(record: ErrorRecord) -> str:
    """Write a record's key: personID 12, endYear 2026."""
    return "  ".join(f"{column} {'NULL' if value is None else value}" for column, value in record.key.items())
