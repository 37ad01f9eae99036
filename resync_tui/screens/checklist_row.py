"""A row of the checklist: an object's state as the cells of a line; pure."""

from dataclasses import dataclass
from datetime import datetime

from resync_tui import formatting
from resync_tui.outcome import Color, Status
from resync_tui.results import LastResync
from resync_tui.screens.marks import Mark
from resync_tui.screens.tree import Node
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BOLD, DOT, FAINT, PLAIN, WIDE, Line, left, right


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """The values that the checklist shows of one object."""

    key: str
    depth: int
    open: bool | None
    matches: bool
    mark: Mark
    last: str = ""
    """Time of the last resync to the second, or since when it runs."""
    processed: int | None = None
    errors: int | None = None
    extra: int = 0
    color: Color | None = None
    status: str = ""


WITH_RESULTS = {Status.COMPLETED, Status.FAILED}
"""Statuses whose counts are results; until then those of the run before stay."""


def with_results(newest: LastResync, completed: LastResync | None) -> LastResync:
    """Return the run whose results are shown: the newest started one, unless it has none and another one completed."""
    return newest if completed is None or newest.result.status in WITH_RESULTS else completed


def checklist_row(
    node: Node, mark: Mark, newest: LastResync | None, completed: LastResync | None, at: datetime, without: str
) -> ChecklistRow:
    """Return the row of an object: the status of its newest started run, with the results of the last one that has any.

    `completed` is its last completed run; `without` stands there without a run.
    """
    if newest is None:
        return ChecklistRow(node.name, node.depth, node.open, node.matches, mark, without)
    run, shown = newest.result, with_results(newest, completed).result
    last = formatting.to_the_second(shown.started)
    if shown.status is Status.RUNNING and shown.started:
        last = f"running {formatting.short_span(formatting.ran_for(shown.started, None, at))}"
    return ChecklistRow(
        node.name,
        node.depth,
        node.open,
        node.matches,
        mark,
        last,
        shown.counts.processed,
        shown.counts.errors,
        shown.counts.extra,
        run.color,
        formatting.outcome(run),
    )


def indent_for(width: int) -> int:
    """Return the indent of a tree level, in cells."""
    return 2 if width >= WIDE else 1


MINUTES, SECONDS = len("2025-11-20 04:12 "), len("2025-11-20 04:12:33 ")
"""Widths of a time."""
HEAD = "Last Resync  Results: "
"""Title of the narrow columns, before the names of the counts."""


@dataclass(frozen=True, slots=True)
class ChecklistColumns:
    """Column widths, in cells.

    If every name fits, each row says `Processed: n Errors: n`; if one would be cut, the titles say so once. The time of
    the last resync has seconds if no name gives way to them.
    """

    width: int
    widest: int = 0
    """Width of the widest name with its indent."""
    processed: int = 5
    errors: int = 3
    extra: int = 0
    """Width of the number of extra records; 0 if no object has any."""

    @property
    def indent(self) -> int:
        """Indent of a tree level."""
        return indent_for(self.width)

    @property
    def labelled(self) -> bool:
        """Whether each row has room for the names of its counts."""
        return self._left_by(len(self._labelled(0, 0, self.extra)), MINUTES) >= self.widest

    @property
    def time(self) -> int:
        """Width of the last resync's time, with a space after it."""
        return SECONDS if self._left_by(self.results, SECONDS) >= self.widest else MINUTES

    @property
    def results(self) -> int:
        """Width of the counts."""
        return len(self.counts(0, 0, self.extra))

    @property
    def name(self) -> int:
        """Width left for the name and its indent."""
        return min(48, max(10, self._left_by(self.results, self.time)))

    def _left_by(self, results: int, time: int) -> int:
        return self.width - len("[x] ") - time - 1 - results - len(" ● 100%")

    def counts(self, processed: int, errors: int, extra: int) -> str:
        """Format the counts of an object."""
        if self.labelled:
            return self._labelled(processed, errors, extra)
        return self._bare(f"{processed}", f"{errors}", f"{extra or ''}")

    def _labelled(self, processed: int, errors: int, extra: int) -> str:
        text = f"Processed: {right(str(processed), self.processed)} Errors: {right(str(errors), self.errors)}"
        room = len(" Extra: ") + self.extra if self.extra else 0
        return text + left(f" Extra: {extra}" if extra else "", room)

    def _bare(self, processed: str, errors: str, extra: str) -> str:
        text = f"{right(processed, max(9, self.processed))} {right(errors, max(6, self.errors))}"
        return text + (f" {right(extra, max(5, self.extra))}" if self.extra else "")

    def titles(self) -> Line:
        """Return the titles of the columns."""
        objects = "    DIS Objects"
        if self.labelled:
            text = (
                f"{left(objects, self.name + 5)}{left('Last Resync', self.time)}{left('Results', self.results)} Status"
            )
        else:
            begin = left(objects, self.name + 5 + self.time - len(HEAD))
            text = f"{begin}{HEAD}{self._bare('Processed', 'Errors', 'Extra')} Status"
        return ((text, BOLD),)

    def draw(self, row: ChecklistRow, glyphs: Glyphs) -> Line:
        """Return the line of an object."""
        fold = " " if row.open is None else glyphs.opened if row.open else glyphs.closed
        space = " " * (self.indent - 1)
        name = left(f"{' ' * (self.indent * row.depth)}{fold}{space}{row.key}", self.name, glyphs.cut)
        results = "" if row.processed is None else self.counts(row.processed, row.errors or 0, row.extra)
        return (
            (f"{row.mark.value} ", BOLD if row.mark is Mark.CHOSEN else PLAIN),
            (f"{name} ", BOLD if row.matches or row.mark is Mark.CHOSEN else PLAIN),
            (left(row.last[: self.time - 1], self.time), PLAIN),
            (f"{left(results, self.results)} ", PLAIN),
            (glyphs.dot(row.color) if row.status else " ", DOT[row.color]),
            (f"{row.status:>5}", PLAIN if row.color else FAINT),
        )
