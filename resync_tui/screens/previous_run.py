"""The comparison page of a batch with the previous run: each object's result, and its differences."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.binding import Binding, BindingType

from resync_tui import formatting
from resync_tui.outcome import Color
from resync_tui.previous_run import runs_before
from resync_tui.results import Batch, LastResync, ObjectResult
from resync_tui.screens.page import Page
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, DOT, PLAIN, TITLE, WARN, Line, Part, left, plain, right
from resync_tui.screens.widgets.rows import Rows


@dataclass(frozen=True, slots=True)
class CompareRow:
    """The row of one object: its counts, and their differences from the previous run; None without one."""

    key: str
    color: Color | None
    processed: int
    processed_by: int | None
    errors: int
    errors_by: int | None
    color_before: Color | None
    before: str
    """The previous run: its batch and time."""


def compare_row(result: ObjectResult, before: LastResync | None) -> CompareRow:
    """Return the row of an object."""
    counts = result.counts
    bare = CompareRow(result.object, result.color, counts.processed, None, counts.errors, None, None, "no run before")
    if before is None:
        return bare
    then = before.result.counts
    return CompareRow(
        result.object,
        result.color,
        counts.processed,
        counts.processed - then.processed,
        counts.errors,
        counts.errors - then.errors,
        before.result.color,
        f"#{before.batch} {formatting.when(before.result.started)}",
    )


def difference(by: int | None) -> str:
    """Format a difference with its sign; none is an equals sign."""
    return "-" if by is None else f"{by:+,}" if by else "="


@dataclass(frozen=True, slots=True)
class PreviousRunColumns:
    """Column widths, in cells; the names have what the others leave."""

    name: int
    processed: int
    processed_by: int
    errors: int
    errors_by: int

    def titles(self) -> Line:
        """Return the titles of the columns."""
        text = f"  {left('Object', self.name)} {right('Processed', self.processed)} {right('by', self.processed_by)}"
        return plain(f"{text} {right('Errors', self.errors)} {right('by', self.errors_by)}    Run before", BOLD)

    def draw(self, row: CompareRow, glyphs: Glyphs) -> Line:
        """Return the line of an object."""
        processed = (
            f"{right(f'{row.processed:,}', self.processed)} {right(difference(row.processed_by), self.processed_by)}"
        )
        return (
            (f"{glyphs.dot(row.color)} ", DOT[row.color]),
            (f"{left(row.key, self.name, glyphs.cut)} {processed} ", PLAIN),
            (f"{right(f'{row.errors:,}', self.errors)} ", PLAIN),
            (f"{right(difference(row.errors_by), self.errors_by)}  ", WARN if (row.errors_by or 0) > 0 else PLAIN),
            (f"{glyphs.dot(row.color_before)} ", DOT[row.color_before]),
            (row.before, PLAIN),
        )


def columns_for(width: int, rows: Sequence[CompareRow]) -> PreviousRunColumns:
    """Return widths at which every number and every previous run fits."""

    def widest(title: str, texts: Iterable[str]) -> int:
        return max([len(title), *map(len, texts)])

    processed = widest("Processed", (f"{row.processed:,}" for row in rows))
    processed_by = widest("+99", (difference(row.processed_by) for row in rows))
    errors = widest("Errors", (f"{row.errors:,}" for row in rows))
    errors_by = widest("+99", (difference(row.errors_by) for row in rows))
    beside = len("● ") + processed + processed_by + errors + errors_by + 4 + len("  ● ")
    room = width - beside - widest("Run before", (row.before for row in rows))
    return PreviousRunColumns(
        max(10, min(room, widest("Object", (row.key for row in rows)))), processed, processed_by, errors, errors_by
    )


class ComparePage(Page):
    """A batch, object by object, beside each object's previous run."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("w", "csv", "Write this into a CSV file")]
    KEYS: ClassVar[Sequence[tuple[str, str]]] = (
        *(("w", "CSV"), ("c", "Copy"), ("Esc", "Back"), ("H", "History"), ("?", "Help")),
    )

    def __init__(self, session: Session, glyphs: Glyphs, batch: int) -> None:
        super().__init__(session, glyphs)
        self.number = batch
        self._batch: Batch | None = None
        self._before: Mapping[str, LastResync] = {}
        self._columns = columns_for(80, ())
        self._list = Rows[CompareRow](lambda row, _: self._columns.draw(row, self.glyphs))

    @property
    def subject(self) -> Hashable:
        """The batch."""
        return self.number

    def rows(self) -> Rows[CompareRow]:
        """Return the list of objects."""
        return self._list

    async def load(self) -> None:
        """Read the batch and the previous runs."""
        store = await self.session.store()
        batch = await store.batch(self.number)
        self._before = await runs_before(store, batch)
        self._batch = batch

    def draw(self) -> None:
        """Draw the objects."""
        heading = Part(" Run before ", TITLE), Part(f"  Batch #{self.number}", BOLD)
        self.header(self.fitted(heading, self.place(self._batch)))
        results = self._batch.objects if self._batch else ()
        rows = [compare_row(each, self._before.get(each.object)) for each in results]
        columns = columns_for(self._list.width or self.size.width - 1, rows)
        if columns != self._columns:
            self._columns = columns
            self._list.redraw()
        self.titles(columns.titles())
        self._list.show(rows)

    def note(self) -> list[Line]:
        """Return the sum of what is new."""
        if self._batch is None:
            return []
        rows = self._list.values
        more = sum(row.errors_by for row in rows if row.errors_by is not None and row.errors_by > 0)
        fewer = -sum(row.errors_by for row in rows if row.errors_by is not None and row.errors_by < 0)
        unknown = sum(row.errors_by is None for row in rows)
        if unknown == len(rows):
            return [plain("None of these objects was run before.")]
        text = f"{formatting.plural(more, 'error')} more, {fewer:,} fewer than the run before."
        return [plain(f"{text} {formatting.plural(unknown, 'object')} without a run before." if unknown else text)]

    async def action_csv(self) -> None:
        """Write the comparison as CSV."""
        titles = ("object", "processed", "processed_by", "errors", "errors_by", "run_before")
        rows = [
            (each.key, each.processed, each.processed_by, each.errors, each.errors_by, each.before)
            for each in self._list.values
        ]
        await self.write_csv(f"resync-{self.number}-compared.csv", titles, rows)
