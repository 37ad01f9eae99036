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
    processed: int | None = None
    errors: int | None = None
    extra: int = 0
    color: Color | None = None
    status: str = ""


def checklist_row(node: Node, mark: Mark, known: LastResync | None, at: datetime, without: str) -> ChecklistRow:
    """Return the row of an object; `known` is its newest started result, `without` what stands there without one."""
    bare = ChecklistRow(node.name, node.depth, node.open, node.matches, mark, without)
    if known is None:
        return bare
    result = known.result
    last = formatting.when(result.started)
    if result.status is Status.RUNNING and result.started:
        last = f"running {formatting.short_span(formatting.ran_for(result.started, None, at))}"
    return ChecklistRow(
        node.name,
        node.depth,
        node.open,
        node.matches,
        mark,
        last,
        result.counts.processed,
        result.counts.errors,
        result.counts.extra,
        result.color,
        formatting.outcome(result),
    )


def indent_for(width: int) -> int:
    """Return the indent of a tree level, in cells."""
    return 2 if width >= WIDE else 1


HEAD = "Last Resync  Results: "
"""Title of the narrow columns, before the names of the counts."""


@dataclass(frozen=True, slots=True)
class ChecklistColumns:
    """Column widths, in cells.

    If every name fits, each row says `Processed: n Errors: n`; if one would be cut, the titles say so once.
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
        return self._left_by(len(self._labelled(0, 0, self.extra))) >= self.widest

    @property
    def results(self) -> int:
        """Width of the counts."""
        return len(self.counts(0, 0, self.extra))

    @property
    def name(self) -> int:
        """Width left for the name and its indent."""
        return min(48, max(10, self._left_by(self.results)))

    def _left_by(self, results: int) -> int:
        return self.width - len("[x] ") - 17 - 1 - results - len(" ● 100%")

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
            text = f"{left(objects, self.name + 5)}{left('Last Resync', 17)}{left('Results', self.results)} Status"
        else:
            begin = left(objects, self.name + 5 + 17 - len(HEAD))
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
            (left(row.last, 17), PLAIN),
            (f"{left(results, self.results)} ", PLAIN),
            (glyphs.dot(row.color) if row.status else " ", DOT[row.color]),
            (f"{row.status:>5}", PLAIN if row.color else FAINT),
        )
