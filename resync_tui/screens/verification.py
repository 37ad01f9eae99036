"""The findings of a comparison: per object the number of same, different, missing and extra records, and their keys."""

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.outcome import Counts, Finding, Status
from resync_tui.results import Batch, FindingRecord, LastCompleted
from resync_tui.screens.errors_row import key_text
from resync_tui.screens.extra import ExtraPage
from resync_tui.screens.marks import Marks
from resync_tui.screens.page import NAME, READING, Page, open_page
from resync_tui.screens.sending import SendingPage
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import TextRow, text_rows
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, GOOD, PLAIN, TITLE, WARN, Line, Part, left, plain, right, wrapped
from resync_tui.screens.widgets.rows import Rows

KEYS_SHOWN = 1000


@dataclass(frozen=True, slots=True)
class FindingRow:
    """The row of one object: its number of same records, and of each finding."""

    key: str
    status: str
    counts: Counts
    moved: int

    @property
    def differs(self) -> bool:
        """Whether a resync would change something."""
        return bool(self.counts.updated or self.counts.inserted)


MATCHED, DIFFERENT, MISSING = ("Matched", 9), ("Different", 10), ("Missing", 8)
MOVED, EXTRA, BY_RULE, REFUSED = ("Moved", 6), ("Extra", 6), ("By rule", 8), ("Refused", 8)
"""Titles and widths of the columns."""
STATUS = len("  completed")
LEAST = 10
"""Cells of a name at least."""


@dataclass(frozen=True, slots=True)
class FindingColumns:
    """Columns, and their widths in cells; one that has nothing to tell is left out."""

    width: int
    counts: tuple[tuple[str, int], ...] = (MATCHED, DIFFERENT, MISSING, EXTRA, BY_RULE, REFUSED)
    status: bool = False
    """Whether any object has not completed."""

    @property
    def name(self) -> int:
        """Width of the name."""
        return max(LEAST, min(24, self.width - self._counts - STATUS * self.status))

    @property
    def _counts(self) -> int:
        return sum(width for _, width in self.counts)

    def titles(self) -> Line:
        """Return the titles of the columns."""
        counts = "".join(right(title, width) for title, width in self.counts)
        return plain(f"{left('Object', self.name)}{counts}{left('  Status', self._status) * self.status}", BOLD)

    def draw(self, row: FindingRow, glyphs: Glyphs) -> Line:
        """Return the line of an object."""
        name = f"{left(row.key, self.name - 1, glyphs.cut)} "
        numbers = _numbers(row)
        cells = [
            (right(f"{numbers[column]:,}", column[1]), WARN if numbers[column] and column not in AS_EXPECTED else PLAIN)
            for column in self.counts
        ]
        status = left(f"  {row.status}", self._status, glyphs.cut) if self.status else ""
        return ((name, BOLD if row.differs else PLAIN), *cells, (status, PLAIN))

    @property
    def _status(self) -> int:
        return min(STATUS, max(0, self.width - self.name - self._counts))


AS_EXPECTED = MATCHED, BY_RULE
"""Columns of records about which there is nothing to do."""


def _numbers(row: FindingRow) -> dict[tuple[str, int], int]:
    counts = row.counts
    return {
        MATCHED: counts.unchanged,
        DIFFERENT: counts.updated,
        MISSING: counts.inserted,
        MOVED: row.moved,
        EXTRA: counts.extra,
        BY_RULE: counts.errors - counts.failures,
        REFUSED: counts.failures,
    }


def columns_for(width: int, rows: Sequence[FindingRow]) -> FindingColumns:
    """Return the columns that these rows need; the moved records, which the verdict counts, give way to names."""
    bare = FindingColumns(width, status=any(row.status != Status.COMPLETED for row in rows))
    if not any(row.moved for row in rows):
        return bare
    whole = replace(bare, counts=(MATCHED, DIFFERENT, MISSING, MOVED, EXTRA, BY_RULE, REFUSED))
    return whole if whole._counts + LEAST <= width else bare


class FindingsPage(SendingPage):
    """A comparison object by object: whether a resync is needed, and of which objects."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "Keys of what is not the same"),
        Binding("s", "send", "Send the objects that differ"),
        Binding("X", "extra", "Extra records, to remove"),
        Binding("w", "csv", "Write all keys into a CSV file"),
    ]
    WRITE_KEYS: ClassVar[frozenset[str]] = frozenset("s")
    HEADER_ROWS: ClassVar[int] = 2
    MESSAGE_ROWS: ClassVar[int] = 3

    def __init__(self, session: Session, glyphs: Glyphs, batch: int) -> None:
        super().__init__(session, glyphs)
        self.number = batch
        self._batch: Batch | None = None
        self._moved = Counter[str]()
        """Records that moved to another year, by object."""
        self._last = LastCompleted()
        self._columns = FindingColumns(79)
        self._list = Rows[FindingRow](lambda row, _: self._columns.draw(row, self.glyphs))

    def bar_keys(self) -> Sequence[tuple[str, str]]:
        """Return the keys of the key bar."""
        return [
            *(("Enter", "Keys"), ("s", self.session.send_words), ("X", "Extra records"), ("w", "CSV"), ("c", "Copy")),
            *(("Esc", "Back"), ("?", "Help")),
        ]

    @property
    def subject(self) -> Hashable:
        """The comparison."""
        return self.number

    def rows(self) -> Rows[FindingRow]:
        """Return the list of objects."""
        return self._list

    async def load(self) -> None:
        """Read the comparison, and the expected cost of a resync."""
        store = await self.session.store()
        batch = await store.batch(self.number)
        self._last = await store.last_completed(batch.district, batch.year)
        groups = await store.finding_groups(self.number)
        self._moved = Counter[str]()
        for each in groups:
            self._moved[each.object] += each.count if each.finding is Finding.MOVED else 0
        self._batch = batch

    def draw(self) -> None:
        """Draw the objects."""
        batch = self._batch
        heading = Part(" Compared ", TITLE), Part(f"  Batch #{self.number}", BOLD)
        self.header(self.fitted(heading, self.place(batch)), self._verdict())
        rows = [
            FindingRow(each.object, str(each.status), each.counts, self._moved[each.object])
            for each in (batch.objects if batch else ())
        ]
        columns = columns_for(self._list.width or self.size.width - 1, rows)
        if columns != self._columns:
            self._columns = columns
            self._list.redraw()
        self.titles(columns.titles())
        self._list.show(rows)

    def _verdict(self) -> Line:
        if self._batch is None:
            return ()
        if not self._batch.status.ended:
            return plain(" It is still comparing.")
        counts, moved = self._batch.counts, sum(self._moved.values())
        if counts.updated + counts.inserted:
            where = f", {moved:,} moved to another year" if moved else f" in the {self.session.receiver}"
            what = f"{counts.updated:,} different, {counts.inserted:,} missing{where}"
            return plain(f" A resync is needed: {what}.", WARN)
        if moved:
            whose = f"{moved:,} of the {self.session.receiver}'s records"
            return plain(f" {whose} moved to another year: send that year.", WARN)
        if counts.failures:
            what = f"{formatting.plural(counts.failures, 'record')} cannot be sent as they are"
            return plain(f" {what}: the errors of this batch say why.", WARN)
        return plain(
            f" No resync is needed: the {self.session.receiver} has every record that may sync, as it is.", GOOD
        )

    def note(self) -> list[Line]:
        """Return the meaning of the columns."""
        state = self.session.receiver
        meanings = (
            f"Missing: not in the {state}.",
            f"Extra: only in the {state}.",
            "By rule: may not sync, as expected.",
            "Refused: cannot be sent.",
        )
        return [
            *wrapped([plain(each) for each in meanings], self.size.width, gap=1),
            plain("Nothing was changed. s sends the objects that differ; X shows the extra records."),
        ]

    def action_open(self) -> None:
        """Show the keys of the differing records."""
        if current := self.under_cursor():
            open_page(self.app, FindingKeysPage(self.session, self.glyphs, self.number, current.key))

    def action_send(self) -> None:
        """Ask whether to send the objects that differ."""
        batch = self._batch
        if not self.may_act():
            return
        if batch is None:
            self.show_status(READING)
            return
        catalog = self.catalog_of(batch)
        if catalog is None:
            return
        marks = Marks(catalog, frozenset(row.key for row in self._list.values if row.differs and row.key in catalog))
        if marks.chosen:
            self.ask_to_send(marks, batch.year, (batch.district,), lambda: self._last)
        else:
            self.show_status("Nothing differs, so there is nothing to send.")

    def action_extra(self) -> None:
        """Show the extra records."""
        open_page(self.app, ExtraPage(self.session, self.glyphs, self.number))

    async def action_csv(self) -> None:
        """Write the kept keys of the differing records as CSV."""
        store = await self.session.store()
        await self.write_csv(
            f"resync-{self.number}-compared.csv",
            ("object", "table", "finding", "key"),
            [
                (each.object, each.table, each.finding.value, key_text(each))
                for each in await self.session.shielded(store.findings(self.number))
            ],
        )


class FindingKeysPage(Page):
    """The keys of one object's differing records; never their content."""

    KEYS: ClassVar[Sequence[tuple[str, str]]] = (("c", "Copy"), ("Esc", "Back"), ("?", "Help"))

    def __init__(self, session: Session, glyphs: Glyphs, batch: int, object: str) -> None:
        super().__init__(session, glyphs)
        self.number = batch
        self._object = object
        self._records: list[FindingRecord] | None = None
        self._list = Rows[TextRow](lambda row, _: row.line)

    @property
    def subject(self) -> Hashable:
        """The comparison and the object."""
        return self.number, self._object

    def rows(self) -> Rows[TextRow]:
        """Return the list of keys."""
        return self._list

    async def load(self) -> None:
        """Read the kept keys of each finding."""
        store = await self.session.store()
        self._records = [
            record
            for finding in Finding
            for record in await store.findings(self.number, object=self._object, finding=finding, limit=KEYS_SHOWN)
        ]

    def draw(self) -> None:
        """Draw the keys."""
        heading = (
            Part(" Compared ", TITLE),
            Part(f"  Batch #{self.number}", BOLD),
            Part(f"  {self._object}", BOLD, 1, NAME),
        )
        records = self._records or []
        self.header(self.fitted(heading, self.known(Part(f"{formatting.plural(len(records), 'key')} listed "))))
        self.titles(plain(f"{'Finding':<11}Table and key of the record", BOLD))
        rows: list[Line] = [
            ((f"{each.finding:<11}", WARN), (f"{each.table}  {key_text(each)}", PLAIN)) for each in records
        ]
        self._list.show(text_rows(rows))

    def note(self) -> list[Line]:
        """Return that nothing differs, if so."""
        return [plain("No record that is not the same at both ends is known by a key.")] if self._records == [] else []
