"""Confirmation modals, answered by `y` or a typed text, with what to expect: records and duration by the last runs."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.widgets import Input

from resync_tui import formatting
from resync_tui.catalog import Catalog
from resync_tui.outcome import Color, Purpose, Status
from resync_tui.plan import Marked, Plan, PlannedObject
from resync_tui.results import Batch, LastCompleted, LastResync, ObjectResult
from resync_tui.screens.marks import Mark, Marks
from resync_tui.screens.session import Session
from resync_tui.screens.sheets import Modal, TextRow
from resync_tui.screens.widgets.line import BAD, BOLD, KEY, PLAIN, WARN, Line, Part, fitted, plain
from resync_tui.screens.widgets.lines import Lines
from resync_tui.screens.widgets.rows import Rows


@dataclass(frozen=True, slots=True)
class Expected:
    """The expected records and duration of some objects, by their last runs."""

    records: int
    seconds: float
    unknown: int
    """Number of objects without a last run."""


def expected(names: Sequence[str], last: LastCompleted, purpose: Purpose, full: bool) -> Expected:
    """Return the sums of the last completed runs of a kind; their batches count as a whole."""
    of_kind = last.of_kind(purpose, full)
    known = [of_kind[name] for name in names if name in of_kind]
    return Expected(
        records=sum(each.result.counts.processed for each in known),
        seconds=sum(last.seconds.get(batch, 0.0) for batch in {each.batch for each in known}),
        unknown=len(names) - len(known),
    )


def expected_words(names: Sequence[str], last: LastCompleted | None, purpose: Purpose, full: bool) -> str:
    """Format the expectation: 412,880 records expected; the last full resync took 7m42s.

    `last` are the last completed runs, None before they are read.
    """
    if last is None:
        return "How many records: the last runs are still being read."
    kind, cost = kind_of(purpose, full), expected(names, last, purpose, full)
    if cost.unknown == len(names):
        return f"How many records is not known: no {kind} of these has completed from here."
    records = formatting.plural(cost.records, "record")
    text = f"{records} expected; the last {kind} took {formatting.short_span(cost.seconds)}."
    if cost.unknown:
        text += f" Not known: {formatting.plural(cost.unknown, 'object')} that no {kind} had."
    return text


def kind_of(purpose: Purpose, full: bool) -> str:
    """Return the kind of a run, by which the next one is estimated: full resync, partial comparison."""
    noun = {Purpose.VERIFY: "comparison", Purpose.REMOVE_EXTRA: "removal"}.get(purpose, "resync")
    return f"{'full' if full else 'partial'} {noun}"


def last_in_sync(known: LastResync | None) -> str:
    """Format when an object was last in sync: its last run, if that had no errors."""
    if known is None:
        return "never resynced from here"
    if known.result.color is Color.GREEN:
        return f"in sync {formatting.when(known.result.started)}"
    return f"last resync {formatting.when(known.result.started)}: {formatting.outcome(known.result)} errors"


WIDTH = 74
SCROLL = {"up": -1, "k": -1, "down": 1, "j": 1, "pageup": -10, "pagedown": 10, "home": -1000, "end": 1000}
"""Keys that only scroll, with their number of rows."""


class Question(Modal[bool]):
    """A modal that asks: `y` is yes, the arrows scroll, every other key is no.

    Enter and the key that asked are no answer: they have cost others a night's data.
    """

    AUTO_FOCUS: ClassVar[str | None] = ""

    def __init__(self, title: str, lines: Sequence[Line], yes: str) -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._title = title
        self._text = lines
        self._yes = yes
        self._rows = Rows[TextRow](lambda row, _: row.line, cursor=False)

    def content(self) -> ComposeResult:
        """Yield title, list and keys."""
        yield self._titles
        yield self._rows
        yield self._hint

    def on_mount(self) -> None:
        """Show the list at its full height, as far as it fits."""
        self._titles.show([plain(self._title, BOLD)])
        scroll = Part("   Up Down scroll", turn=1)
        keys = Part("y", KEY), Part(f" {self._yes}", BOLD), Part("   any other key goes back"), scroll
        self._hint.show([fitted(keys, (), self.inner_width)])
        self.show_text(self._text)

    def on_key(self, event: events.Key) -> None:
        """Answer, or scroll."""
        event.stop()
        event.prevent_default()
        if event.key in SCROLL:
            self._rows.action_move(SCROLL[event.key])
        else:
            self.dismiss(event.key == "y")


class TypedQuestion(Modal[bool]):
    """A modal that only a typed text confirms; everything else is no."""

    AROUND: ClassVar[int] = 5

    def __init__(self, title: str, lines: Sequence[Line], text: str) -> None:
        super().__init__(classes="over")
        self._titles = Lines(id="titles")
        self._hint = Lines(id="hint")
        self._title = title
        self._text = lines
        self._wanted = text
        self._rows = Rows[TextRow](lambda row, _: row.line, cursor=False)
        self._input = Input(id="answer", compact=True)
        self._input.cursor_blink = self._input.select_on_focus = False

    def content(self) -> ComposeResult:
        """Yield title, list and input."""
        yield self._titles
        yield self._rows
        yield self._hint
        yield self._input

    def on_mount(self) -> None:
        """Show the list at its full height, as far as it fits."""
        self._titles.show([plain(self._title, BOLD)])
        scroll = Part(" Up Down scroll", turn=1)
        keys = Part("Type "), Part(self._wanted, KEY), Part(" and Enter. Esc goes back."), scroll
        self._hint.show([fitted(keys, (), self.inner_width)])
        self.show_text(self._text)
        self._input.focus()

    @on(Input.Submitted)
    def _answer(self, event: Input.Submitted) -> None:
        self.dismiss(event.value.strip().casefold() == self._wanted.casefold())

    def on_key(self, event: events.Key) -> None:
        """Scroll, or cancel."""
        if event.key in ("up", "down", "pageup", "pagedown"):
            event.stop()
            self._rows.action_move(SCROLL[event.key])
        elif event.key == "escape":
            event.stop()
            event.prevent_default()
            self.dismiss(False)


VERBS = {Purpose.VERIFY: "Compare", Purpose.REMOVE_EXTRA: "Remove extra records"}


def confirm_send(
    session: Session,
    marks: Marks,
    plan: Plan,
    districts: Sequence[str],
    last: Callable[[], LastCompleted | None],
    purpose: Purpose = Purpose.RESYNC,
    retried: Batch | None = None,
) -> Modal[bool]:
    """Return the question that lists what will be sent; a full resync of several districts must be typed out.

    `last` returns the last completed runs of the listed district, None before they are read; the question follows them.
    `retried` is the batch of which this is a retry.
    """
    verb = "Retry" if retried else VERBS.get(purpose, session.send_words)
    count = formatting.plural(len(plan.objects), "DIS object")
    what = f"Retry batch #{retried.batch}" if retried else verb
    title = f"{what}: {count} of school year {formatting.school_year(plan.year)}"
    places = [session.district_name(each) for each in districts]
    listed = session.district_name(session.district)

    def lines() -> list[Line]:
        return confirm_lines(marks.catalog, plan, places, marks, last(), purpose, listed=listed, retried=retried)

    question: Modal[bool] = Question(title, lines(), verb)
    if marks.full and len(districts) > 1 and purpose is Purpose.RESYNC:
        question = TypedQuestion(title, lines(), f"full resync {len(districts)}")
    question.follow(lines)
    return question


def confirm_lines(
    catalog: Catalog,
    plan: Plan,
    places: Sequence[str],
    marks: Marks,
    last: LastCompleted | None,
    purpose: Purpose = Purpose.RESYNC,
    *,
    listed: str = "",
    retried: Batch | None = None,
) -> list[Line]:
    """Return the content of a request and its destination, in order, with its cost and what is left out.

    `last` are the last completed runs of the place that is `listed`; `retried` is the batch of which this is a retry.
    """
    noun = "Districts" if len(places) > 1 else "District"
    lines = [plain(f"{noun}: {', '.join(places)}", BOLD)]
    if purpose is Purpose.VERIFY:
        lines.append(plain("Only compares: nothing is changed, in no database.", BOLD))
    else:
        if marks.full:
            lines.append(plain("A full resync: every object.", WARN))
        lines.append(plain("A manual resync may slow system performance.", WARN))
    where = f"{listed} alone: " if len(places) > 1 else ""
    lines.append(plain(where + expected_words(plan.names, last, purpose, marks.full), PLAIN))
    known = None if last is None else last.of(Purpose.RESYNC)
    if retried is not None:
        lines += _left_out(marks, known, plain("Only what failed is tried again, without what it depends on:"))
    elif purpose is Purpose.RESYNC:
        title = "Check dependencies is off: records may be refused. Parents left out:"
        lines += _left_out(marks, known, plain(title, BAD))
        lines.append(plain("Is it needed? Go back and press v: that compares and changes nothing."))
    for each in plan.names:
        if catalog[each].hint and marks[each] is not Mark.NONE:
            lines.append(plain(f"{each}: {catalog[each].hint}", WARN))
    lines.append(plain(""))
    wide = max(len(each.object) for each in plan.objects)
    why = {each.object: _failed(each) for each in retried.objects} if retried else {}
    return lines + [_object_line(each, wide, why.get(each.object, "chosen")) for each in plan.objects]


def _failed(result: ObjectResult) -> str:
    """Return why an object is retried: its status, else what it has of refused records."""
    if result.status is not Status.COMPLETED:
        return str(result.status)
    counts = result.counts
    refused = {"rejected": counts.rejected, "blocked": counts.blocked - counts.behind_exclusion}
    return ", ".join(f"{number:,} {kind}" for kind, number in refused.items() if number)


def _left_out(marks: Marks, last: Mapping[str, LastResync] | None, title: Line) -> list[Line]:
    """Return when the parents that are not sent were last in sync, under a title."""
    if not marks.left_out:
        return []
    wide = max(len(name) for name in marks.left_out)
    told = {name: "still being read" if last is None else last_in_sync(last.get(name)) for name in marks.left_out}
    return [title, *(plain(f"  {name:<{wide}}  {text}", WARN) for name, text in told.items())]


def _object_line(planned: PlannedObject, wide: int, why: str) -> Line:
    number = f"{planned.sequence:>3} "
    if planned.marked is Marked.SELECTED:
        return ((number, PLAIN), ("[x] ", BOLD), (f"{planned.object:<{wide}}", BOLD), (f"  {why}", PLAIN))
    by = ", ".join(planned.required_by)
    text = f"  required by {by}" if len(by) < WIDTH - wide - 22 else f"  required by {len(planned.required_by)} objects"
    return ((number, PLAIN), ("[+] ", PLAIN), (f"{planned.object:<{wide}}", PLAIN), (text, PLAIN))
