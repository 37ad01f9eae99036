"""What runs: a batch's line and bar for its own page, and the panel or strip that the checklist has of it."""

from collections.abc import Sequence
from datetime import datetime

from rich.cells import cell_len

from resync_tui import formatting
from resync_tui.analysis.progress import Throughput, handled, waits_for, work
from resync_tui.control.protocol import Store
from resync_tui.outcome import Color, Status
from resync_tui.results import Batch, ObjectResult
from resync_tui.screens.page import NAME
from resync_tui.screens.progress_row import ProgressRow, progress_row
from resync_tui.screens.session import Session
from resync_tui.screens.widgets.glyphs import Glyphs
from resync_tui.screens.widgets.line import BAD, BOLD, DOT, FAINT, PLAIN, WARN, Line, Part, fitted, left
from resync_tui.screens.widgets.lines import Lines

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
    speed = _speed(batch, paces.whole) if batch.status is Status.RUNNING else []
    return [*_done(batch), *speed, _errors(batch)]


def _done(batch: Batch) -> list[Part]:
    counts = batch.counts
    known = f"{sum(each.total or 0 for each in batch.objects):,}{'' if formatting.counted(batch) else '+'}"
    objects, done = (formatting.completed(batch), len(batch.objects)), f"{counts.processed:,}"
    if batch.status.ended and batch.status is not Status.COMPLETED:
        text = f"Overall {objects[0]} of {objects[1]} objects  {done} of {known}"
        return [Part(text), Part(" records", turn=1), Part("  stopped", WARN)]
    return [Part(f"Overall {objects[0]}/{objects[1]}  {done}/{known}"), Part(" records", turn=2)]


def _errors(batch: Batch) -> Part:
    errors = batch.counts.errors
    return Part(f"  Errors: {errors:,}", WARN if errors else PLAIN)


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


class RunningPanel:
    """What the checklist tells of a batch that runs: a panel beside its list, or a strip below."""

    def __init__(self, session: Session, glyphs: Glyphs) -> None:
        self._session = session
        self._glyphs = glyphs
        self._batch: Batch | None = None
        """What runs, with its objects."""
        self._paces = Paces()
        self.beside, self.below = Lines(id="panel"), Lines(id="strip", height=STRIP)
        self.beside.styles.height = "1fr"

    async def read(self, store: Store, district: str, year: int) -> None:
        """Read the newest batch that runs, if possible of this district and school year, and take a sample of it."""
        running = self._all()
        listed = (each for each in running if (each.district, each.year) == (district, year))
        newest = next(listed, running[0] if running else None)
        self._batch = None if newest is None else await store.batch(newest.batch)
        if self._batch is not None:
            self._paces.sample(self._batch, self._session.now())

    def draw(self, width: int) -> bool:
        """Draw the panel or the strip, or neither if nothing runs; return whether the list's width changes by it."""
        batch = self._batch if self._session.active else None
        is_beside = batch is not None and width >= PANEL_FROM
        changes = self.beside.display != is_beside
        self.beside.display = is_beside
        self.below.display = batch is not None and not is_beside
        if batch is not None and is_beside:
            columns = max(34, min(46, width // 3))
            self.beside.styles.width = columns
            self.beside.show(self._panel(batch, self.beside.size.height, columns))
        elif batch is not None:
            self.below.show(self._strip(batch, width))
        return changes

    def _all(self) -> list[Batch]:
        return [each for each in self._session.active if each.status is Status.RUNNING]

    def _title(self, batch: Batch) -> tuple[Part, ...]:
        """Return which batch it is, since when it runs, and how many others do."""
        again = f" attempt {batch.attempts}" if batch.attempts > 1 else ""
        seconds = formatting.ran_for(batch.started, batch.finished, self._session.now())
        others = len(self._all()) - 1
        return (
            Part(f"#{batch.batch} {formatting.status(batch).upper()}{again}", BOLD),
            Part(f" {formatting.span(seconds)}", BOLD, turn=2),
            Part(f"  {self._session.district_name(batch.district)}", turn=1, least=NAME),
            Part(f"  +{others} running" if others > 0 else "", turn=3),
        )

    def _strip(self, batch: Batch, width: int) -> list[Line]:
        """Return the two lines of a narrow terminal: which batch and how far, then its numbers and what runs of it."""
        first = next(iter(rows_of(self._session, batch, _running(batch), self._paces)), None)
        name = (Part(f"  {first.key} {first.percent}", turn=5, least=14),) if first else ()
        part = formatting.batch_share(batch)
        share = (Part(self._glyphs.bar(part, 12), FAINT, turn=4), Part(f" {formatting.percent(part)}", BOLD))
        return [
            fitted(self._title(batch), share, width, self._glyphs.cut),
            fitted((*overall(batch, self._paces), *name), (), width, self._glyphs.cut),
        ]

    def _panel(self, batch: Batch, height: int, width: int) -> list[Line]:
        """Return the lines of the panel: the batch, its bar and numbers, then what runs and what waits for what."""
        glyphs, inner = self._glyphs, width - 2
        edge = ("│ " if glyphs.cut == "…" else "| ", FAINT)
        lines: list[Line] = [
            fitted(self._title(batch), (), inner, glyphs.cut),
            bar(batch, inner, glyphs),
            fitted(_done(batch), (), inner, glyphs.cut),
            fitted([*_speed(batch, self._paces.whole), _errors(batch)], (), inner, glyphs.cut),
            (),
        ]
        shown = [*_running(batch), *(each for each in batch.objects if each.status is Status.QUEUED)]
        room = max(0, height - len(lines))
        if len(shown) > room:
            room = max(0, room - 1)
        lines += [_object(row, inner, glyphs) for row in rows_of(self._session, batch, shown[:room], self._paces)]
        if len(shown) > room:
            lines.append(((f"{len(shown) - room} more: p shows all", FAINT),))
        lines += [()] * (height - len(lines))
        return [(edge, *line) for line in lines]


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
