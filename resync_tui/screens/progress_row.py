"""A row of the progress page; pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from resync_tui import formatting
from resync_tui.analysis.progress import Throughput
from resync_tui.outcome import Color, Status
from resync_tui.results import ObjectResult
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BAD, BOLD, DOT, FAINT, PLAIN, WARN, WIDE, Line, left, right


@dataclass(frozen=True, slots=True)
class ProgressRow:
    """The values that the progress page shows of one object."""

    key: str
    color: Color | None
    part: float
    percent: str
    done: str
    per_second: str
    errors: int | None
    remark: str
    """Remaining time, what it waits for, or how it ended."""


def progress_row(result: ObjectResult, waits_for: str, pace: Throughput) -> ProgressRow:
    """Return the row of an object."""
    running, begun = result.status is Status.RUNNING, result.started is not None
    total = f"{result.total:,}" if result.total is not None else "-"
    speed = pace.per_second if running and result.phase != "waiting" else None
    part = formatting.share(result)
    return ProgressRow(
        key=result.object,
        color=result.color,
        part=part,
        percent=formatting.percent(part)
        if begun and result.status is not Status.QUEUED
        else formatting.outcome(result),
        done=f"{result.counts.processed:,}/{total}" if begun else f"-/{total}",
        per_second="-" if speed is None else f"{speed:,.0f}",
        errors=result.counts.errors if begun else None,
        remark=_remark(result, waits_for, pace),
    )


def _remark(result: ObjectResult, waits_for: str, pace: Throughput) -> str:
    if result.status is Status.COMPLETED:
        return "done"
    if result.status is Status.RUNNING:
        if result.phase == "waiting":
            return f"after {waits_for}" if waits_for else "waiting"
        left_over = (result.total or 0) - result.counts.processed
        seconds = pace.seconds_for(left_over) if result.phase == "merging" else None
        return formatting.span(seconds) if seconds is not None else result.phase or "running"
    if result.status is Status.QUEUED:
        return f"after {waits_for}" if waits_for else "its turn comes"
    return result.message or ("stopped" if result.status is Status.CANCELLED else str(result.status))


REMARK = 12
"""Cells always left for a remark: `stopped`, `00:04:31`; the note shows a longer one in full."""


@dataclass(frozen=True, slots=True)
class ProgressColumns:
    """Column widths, in cells."""

    width: int
    name: int = 18
    bar: int = 10
    done: int = 13
    speed: int = 8
    """Width of the throughput; 0 on a narrow terminal."""

    @property
    def remark(self) -> int:
        """Width left for the remark."""
        return max(4, self.width - _beside(self.done, self.speed) - self.name - self.bar)

    def titles(self) -> Line:
        """Return the titles of the columns."""
        text = f"  {left('Object', self.name)} {left('Progress', self.bar + 5)} {right('Done/Total', self.done)}"
        return ((f"{text}{right('Rec/s', self.speed) * bool(self.speed)}{right('Errors', 7)}  ETA", BOLD),)

    def draw(self, row: ProgressRow, glyphs: Glyphs) -> Line:
        """Return the line of an object."""
        errors = "-" if row.errors is None else f"{row.errors:,}"
        return (
            (f"{glyphs.dot(row.color)} ", DOT[row.color]),
            (f"{left(row.key, self.name, glyphs.cut)} ", PLAIN),
            (glyphs.bar(row.part, self.bar), FAINT),
            (f"{row.percent:>5} ", PLAIN),
            (f"{row.done:>{self.done}}", PLAIN),
            (right(row.per_second, self.speed) * bool(self.speed), PLAIN),
            (f"{errors:>7}", WARN if row.errors else PLAIN),
            (f"  {left(row.remark, self.remark, glyphs.cut)}", BAD if row.color is Color.RED else FAINT),
        )


def _beside(done: int, speed: int) -> int:
    """Return the cells of a row beside name, bar and remark."""
    return len("● ") + 1 + len(" 100%") + 1 + done + speed + 7 + 2


NARROW = 72
"""Columns below which the throughput gives way."""


def columns_for(width: int, rows: Sequence[ProgressRow]) -> ProgressColumns:
    """Return widths that fit names and counts; on a narrow terminal the bars give way to long names."""
    wanted = max([16, *(len(row.key) for row in rows)])
    done = max([10, *(len(row.done) for row in rows)])
    speed = 8 if width >= NARROW else 0
    room = width - _beside(done, speed) - REMARK
    bar = 20 if width >= WIDE else max(5, min(10, room - wanted))
    return ProgressColumns(width, max(12, min(wanted, room - bar)), bar, done, speed)
