"""The keys page: keys of refused records, never their content."""

from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.analysis.causes import Causes, ancestor_text, holder_text, query_of
from resync_tui.printable import printable
from resync_tui.results import ErrorGroup, ErrorRecord
from resync_tui.screens.errors_row import key_text
from resync_tui.screens.filtering import FilteringPage
from resync_tui.screens.page import FILTER, NAME
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Sheet
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, PLAIN, TITLE, WARN, Line, Part, folded_to, left, plain
from resync_tui.screens.widgets.rows import Rows

KEYS_SHOWN = 10_000
"""Keys of one reason that are listed; the count above them is exact nevertheless."""


REASON_ROWS = 3
"""Rows of a reason at most; Enter shows the whole."""

SEARCHED = 50_000
"""Refused records of the batch among which parents are looked up."""


@dataclass(frozen=True, slots=True)
class KeyRow:
    """The row of one refused record: its key only."""

    key: str
    text: str
    record: ErrorRecord
    fresh: bool
    """Whether the previous run did not refuse it."""


class KeysPage(FilteringPage):
    """The keys of the records refused for one reason; those that are new since the previous run are marked."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "open", "All about the record"),
        Binding("C", "copy_query", "Copy the SQL that finds the record"),
        Binding("w", "csv", "Write these keys into a CSV file"),
    ]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("Enter", "Record"), ("C", "Copy SQL"), ("/", "Filter")),
        *(("w", "CSV"), ("c", "Copy"), ("Esc", "Back"), ("?", "Help")),
    )
    FILTERED: ClassVar[str] = "a key"
    HEADER_ROWS: ClassVar[int] = 2
    MESSAGE_ROWS: ClassVar[int] = 4

    def __init__(
        self, session: Session, glyphs: Glyphs, batch: int, group: ErrorGroup, before: int | None = None
    ) -> None:
        """`before` is the batch of the object's previous run."""
        super().__init__(session, glyphs)
        self.number = batch
        self.group = group
        self._before = before
        self._rows: list[KeyRow] = []
        self._causes = Causes(())
        self._list = Rows[KeyRow](self._draw)

    @property
    def subject(self) -> Hashable:
        """The batch and the reason."""
        return self.number, self.group

    def rows(self) -> Rows[KeyRow]:
        """Return the list of keys."""
        return self._list

    def _draw(self, row: KeyRow, width: int) -> Line:
        mark = "new " if row.fresh else "    " if self._before else ""
        return ((mark, WARN), (left(row.text, width - len(mark), self.glyphs.cut), PLAIN))

    async def load(self) -> None:
        """Read the kept keys of this reason, of this run and of the previous one."""
        group, store = self.group, await self.session.store()
        records = await self._kept(self.number, KEYS_SHOWN)
        texts = [key_text(each) for each in records]
        known = set(texts)
        if self._before:
            # Whatever the reason was called there.
            before = await store.errors(self._before, object=group.object, kind=group.kind)
            known = {key_text(each) for each in before if each.table == group.table}
        if any(each.detail.parent_table for each in records):
            self._causes = Causes(await store.errors(self.number, limit=SEARCHED))
        pairs = enumerate(zip(texts, records, strict=True))
        self._rows = [KeyRow(str(n), text, record, text not in known) for n, (text, record) in pairs]

    async def _kept(self, batch: int, limit: int | None = None) -> list[ErrorRecord]:
        group, store = self.group, await self.session.store()
        kept = await store.errors(batch, object=group.object, kind=group.kind, reason=group.reason, limit=limit)
        return [each for each in kept if each.table == group.table]

    def draw(self) -> None:
        """Draw the keys."""
        group = self.group
        about = Part(f"  {group.object}, {group.table}", BOLD, turn=1, least=NAME)
        heading = (
            *(Part(" Errors ", TITLE), Part(f"  Batch #{self.number}", BOLD), about),
            Part(f"  Filter: {self.wanted_name}" if self.wanted_name else "", WARN, turn=2, least=FILTER),
        )
        wanted = self.wanted_name.casefold()
        rows = [each for each in self._rows if wanted in each.text.casefold()]
        count = f"{group.count:,} refused" if len(rows) == group.count else f"{len(rows):,} of {group.count:,} listed"
        self.header(self.fitted(heading, self.known(Part(f"{count} "))), *self._reason(REASON_ROWS))
        self.titles(plain("    Key of the record" if self._before else "Key of the record", BOLD))
        self._list.show(rows)

    def _reason(self, rows: int) -> list[Line]:
        """Return why these records were refused, in at most so many rows."""
        return folded_to(f"{self.group.kind}: {self.group.reason}", self.size.width, rows, self.glyphs.cut, WARN)

    def action_open(self) -> None:
        """Show all about the record under the cursor: the whole reason, every parent that it lacks, and the SQL."""
        if (row := self.under_cursor()) is None:
            return
        record = row.record
        lines = [plain(f"{self.group.kind}: {self.group.reason}", WARN)]
        lines += map(plain, _about_value(record))
        lines += [plain(f"Lacks {ancestor_text(each)}", WARN) for each in self._causes.chain(record)]
        lines += [plain(""), plain(query)] if (query := query_of(record.table, record.key)) else []
        self.app.push_screen(Sheet(f"{record.table} {row.text}", lines))

    def note(self) -> list[Line]:
        """Return the size of the refused value, the parents that the record lacks up to the root cause, and the SQL."""
        if self._list.current is None:
            return [plain("No key is like that. Esc clears the filter.")] if self._rows else []
        record = self._list.current.record
        query = query_of(record.table, record.key)
        lines = [plain(about) for about in _about_value(record)]
        chain = self._causes.chain(record)
        shown = [*chain[:1], *chain[-1:]] if len(chain) > 1 else chain
        lines += [plain(f"Lacks {ancestor_text(each)}", WARN) for each in shown]
        return [*lines, plain(query)] if query else lines

    def on_rows_moved(self) -> None:
        """Redraw the note, which follows the cursor."""
        self.show_message()

    async def action_copy_query(self) -> None:
        """Copy the SELECT that finds the record under the cursor in the district."""
        if self._list.current is None:
            self.show_status("There is no record here.")
        elif query := query_of(self._list.current.record.table, self._list.current.record.key):
            await self.copy_text(f"{printable(query)}\n")
        else:
            self.show_status("Its table has no key, so no SQL finds this record alone.")

    async def action_csv(self) -> None:
        """Write all kept keys of this reason as CSV."""
        records = await self.session.shielded(self._kept(self.number))
        await self.write_csv(f"resync-{self.number}-{self.group.object}.csv", *csv_of(records))


def _about_value(record: ErrorRecord) -> Iterator[str]:
    """Yield the refused value's column, size and holder, as far as they are known and the reason does not say them."""
    column, size = record.detail.column, record.detail.size
    untold = column and column not in record.reason
    if size is not None:
        yield f"Its {column if untold else 'value'} has {formatting.plural(size, 'character')}."
    elif untold:
        yield f"Column: {column}."
    if holder := holder_text(record):
        yield f"Its value is {holder}."


def csv_of(records: Sequence[ErrorRecord]) -> tuple[Sequence[str], Sequence[Sequence[object]]]:
    """Return CSV titles and rows of refused records."""
    rows = [(each.kind.value, each.object, each.table, each.reason, key_text(each)) for each in records]
    return ("kind", "object", "table", "reason", "key"), rows
