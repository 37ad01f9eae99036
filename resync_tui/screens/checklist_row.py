"""One row of the checklist: from what is known of an object to the cells of the line; pure."""

from dataclasses import dataclass
from datetime import datetime

from resync_tui import words
from resync_tui.control.views import LastResync
from resync_tui.marks import Mark
from resync_tui.outcome import Color, Status
from resync_tui.screens.tree import Node
from resync_tui.widgets.glyphs import Glyphs
from resync_tui.widgets.line import BOLD, DOT, FAINT, PLAIN, WIDE, Line, left, right


@dataclass(frozen=True, slots=True)
class ChecklistRow:
    """What the checklist shows of one object."""

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


def checklist_row(node: Node, mark: Mark, known: LastResync | None, at: datetime) -> ChecklistRow:
    """Return the row of an object; `known` is its newest result that has started."""
    bare = ChecklistRow(node.name, node.depth, node.open, node.matches, mark)
    if known is None:
        return bare
    result = known.result
    last = words.when(result.started)
    if result.status is Status.RUNNING and result.started:
        last = f"running {words.short_span(words.ran_for(result.started, None, at))}"
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
        words.outcome(result),
    )


@dataclass(frozen=True, slots=True)
class Columns:
    """How wide the columns are; on a narrow terminal the tree is indented by one cell a level, else by two."""

    width: int
    processed: int = 5
    errors: int = 3
    extra: int = 0
    """Cells of the number of extra records; 0 where no object has any."""

    @property
    def indent(self) -> int:
        """Cells a level of the tree takes."""
        return 2 if self.width >= WIDE else 1

    @property
    def results(self) -> int:
        """Cells of `Processed: n Errors: n`, and of `Extra: n` where any object has extra records."""
        extra = len(self._extra) + self.extra if self.extra else 0
        return len("Processed: ") + self.processed + len(" Errors: ") + self.errors + extra

    @property
    def _extra(self) -> str:
        """What stands before the number of extra records."""
        return " Extra: " if self.width >= WIDE else " +"

    @property
    def name(self) -> int:
        """Cells that are left for the name and its indent."""
        return min(48, max(10, self.width - len("[x] ") - 17 - 1 - self.results - len(" ● 100%")))

    def titles(self) -> Line:
        """Return the titles of the columns."""
        text = f"    {left('DIS Objects', self.name)} {left('Last Resync', 17)}{left('Results', self.results)} Status"
        return ((text, BOLD),)

    def draw(self, row: ChecklistRow, glyphs: Glyphs) -> Line:
        """Return the line of an object."""
        fold = " " if row.open is None else glyphs.opened if row.open else glyphs.closed
        space = " " * (self.indent - 1)
        name = left(f"{' ' * (self.indent * row.depth)}{fold}{space}{row.key}", self.name, glyphs.cut)
        results = ""
        if row.processed is not None:
            results = f"Processed: {right(str(row.processed), self.processed)}"
            results += f" Errors: {right(str(row.errors), self.errors)}"
        if row.extra:
            results += f"{self._extra}{row.extra}"
        return (
            (f"{row.mark.value} ", BOLD if row.mark is Mark.CHOSEN else PLAIN),
            (f"{name} ", BOLD if row.matches or row.mark is Mark.CHOSEN else PLAIN),
            (left(row.last, 17), PLAIN),
            (f"{left(results, self.results)} ", PLAIN),
            (glyphs.dot(row.color) if row.status else " ", DOT[row.color]),
            (f"{row.status:>5}", PLAIN if row.color else FAINT),
        )
