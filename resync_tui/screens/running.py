"""What runs: a batch's line and bar for its own page, and the panel or strip that the checklist has of it."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from resync_tui import formatting
from resync_tui.analysis.progress import Throughput, handled, waits_for, work
from resync_tui.outcome import Color, Status
from resync_tui.results import Batch, ObjectResult
from resync_tui.screens.progress_row import ProgressRow, progress_row
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BAD, BOLD, DOT, FAINT, PLAIN, WARN, Line, Part, fitted, left

PANEL_FROM = 110
"""Columns from which there is room for a panel beside the list."""
STRIP = 2
"""Lines of the strip, which stands for the panel on a narrower terminal."""
_BAR = 8


class Paces:
    """Throughput of one batch and of its objects, from samples while it runs."""

    def __init__(self) -> None:
        self._batch: int | None = None
        self.whole = Throughput()
        self._objects: dict[str, Throughput] = {}

    def sample(self, batch: Batch, at: datetime) -> None:
        """Take a sample; one of another batch begins anew."""
        if batch.batch != self._batch:
            self._batch, self.whole, self._objects = batch.batch, Throughput(), {}
        for each in batch.objects:
            if each.status is Status.RUNNING:
                self._objects.setdefault(each.object, Throughput()).add(at, handled(each))
        self.whole.add(at, sum(work(each)[0] for each in batch.objects))

    def of(self, name: str) -> Throughput:
        """Return the throughput of an object."""
        return self._objects.get(name, Throughput())


def rows_of(session: Session, batch: Batch, objects: Sequence[ObjectResult], paces: Paces) -> list[ProgressRow]:
    """Return the rows of some of a batch's objects."""
    return [
        progress_row(each, waits_for(session.catalog, batch, each.object), paces.of(each.object)) for each in objects
    ]


def overall(batch: Batch, paces: Paces) -> list[Part]:
    """Return what is done of what, how fast it goes on, and the errors so far."""
    counts = batch.counts
    known = f"{sum(each.total or 0 for each in batch.objects):,}{'' if formatting.counted(batch) else '+'}"
    objects, done = (formatting.completed(batch), len(batch.objects)), f"{counts.processed:,}"
    errors = Part(f"  Errors: {counts.errors:,}", WARN if counts.errors else PLAIN)
    if batch.status.ended and batch.status is not Status.COMPLETED:
        text = f"Overall {objects[0]} of {objects[1]} objects  {done} of {known}"
        return [Part(text), Part(" records", turn=1), Part("  stopped", WARN), errors]
    parts = [Part(f"Overall {objects[0]}/{objects[1]}  {done}/{known}"), Part(" records", turn=2)]
    if batch.status is Status.RUNNING:
        parts += _speed(batch, paces.whole)
    return [*parts, errors]


def _speed(batch: Batch, pace: Throughput) -> list[Part]:
    """Return what is being read, the throughput and the remaining time."""
    through, whole = (sum(part) for part in zip(*(work(each) for each in batch.objects), strict=True))
    speed, seconds = pace.per_second, pace.seconds_for(whole - through)
    left_over = formatting.span(seconds) if seconds is not None and formatting.counted(batch) else "-"
    reading = sum(each.read for each in batch.objects if each.phase == "reading")
    return [
        Part(f"  reading {reading:,}" if reading else "", turn=3),
        Part(f"  {speed:,.0f}/s" if speed is not None else "  -/s", turn=1),
        Part(f"  ETA {left_over}", turn=4),
    ]


def bar(batch: Batch, width: int, glyphs: Glyphs) -> Line:
    """Return the bar of a batch and its percentage."""
    part = formatting.batch_share(batch)
    percent = f" {formatting.percent(part)}" + ("" if formatting.counted(batch) else " of objects")
    return ((glyphs.bar(part, max(10, width - max(7, len(percent) + 1))), FAINT), (percent, BOLD))


def title(session: Session, batch: Batch, running: int) -> tuple[Part, ...]:
    """Return which batch it is, since when it runs, and how many others do."""
    again = f" attempt {batch.attempts}" if batch.attempts > 1 else ""
    seconds = formatting.ran_for(batch.started, batch.finished, session.now())
    word = "CANCELLING" if batch.cancel_requested else formatting.status(batch).upper()
    return (
        Part(f"#{batch.batch} {word}{again}", BOLD),
        Part(f" {formatting.span(seconds)}", BOLD, turn=2),
        Part(f"  {session.district_name(batch.district)}", turn=1, least=8),
        Part(f"  +{running - 1} running" if running > 1 else "", turn=3),
    )


def strip(session: Session, batch: Batch, running: int, paces: Paces, width: int, glyphs: Glyphs) -> list[Line]:
    """Return the two lines of a narrow terminal: which batch and how far, then its objects that run."""
    first = next(iter(rows_of(session, batch, _running(batch), paces)), None)
    name = (Part(f"  {first.key} {first.percent}", turn=5, least=14),) if first else ()
    part = formatting.batch_share(batch)
    share = (Part(glyphs.bar(part, 12), FAINT, turn=4), Part(f" {formatting.percent(part)}", BOLD))
    return [
        fitted(title(session, batch, running), share, width, glyphs.cut),
        fitted((*overall(batch, paces), *name), (), width, glyphs.cut),
    ]


def panel(
    session: Session, batch: Batch, running: int, paces: Paces, height: int, width: int, glyphs: Glyphs
) -> list[Line]:
    """Return the lines of the panel: the batch, its bar and numbers, then what runs and what waits for what."""
    inner, edge = width - 2, ("│ " if glyphs.cut == "…" else "| ", FAINT)
    counts = batch.counts
    lines: list[Line] = [
        fitted(title(session, batch, running), (), inner, glyphs.cut),
        bar(batch, inner, glyphs),
        fitted(overall(batch, paces)[:2], (), inner, glyphs.cut),
        fitted(
            [*_speed(batch, paces.whole), Part(f"  Errors: {counts.errors:,}", WARN if counts.errors else PLAIN)],
            (),
            inner,
            glyphs.cut,
        ),
        (),
    ]
    shown = [*_running(batch), *(each for each in batch.objects if each.status is Status.QUEUED)]
    room = max(0, height - len(lines))
    if len(shown) > room:
        room = max(0, room - 1)
    lines += [_object(row, inner, glyphs) for row in rows_of(session, batch, shown[:room], paces)]
    if len(shown) > room:
        lines.append(((f"{len(shown) - room} more: p shows all", FAINT),))
    lines += [()] * (height - len(lines))
    return [(edge, *line) for line in lines]


def panel_width(width: int) -> int:
    """Return the columns of the panel on a terminal of so many."""
    return max(34, min(46, width // 3))


def _running(batch: Batch) -> list[ObjectResult]:
    """Return the objects that run, first those that do not wait for others."""
    running = [each for each in batch.objects if each.status is Status.RUNNING]
    return sorted(running, key=lambda each: each.phase == "waiting")


def _object(row: ProgressRow, width: int, glyphs: Glyphs) -> Line:
    """Return an object's dot, name, and its bar or what it waits for."""
    begun = row.percent.endswith("%")
    beside = f"{glyphs.bar(row.part, _BAR)} {row.percent:>4}" if begun else row.remark
    beside = left(beside, min(cell_len(beside), width // 2), glyphs.cut)
    name = left(row.key, width - 3 - cell_len(beside), glyphs.cut)
    style = BAD if row.color is Color.RED else FAINT
    return ((f"{glyphs.dot(row.color)} ", DOT[row.color]), (f"{name} ", PLAIN), (beside, style))
