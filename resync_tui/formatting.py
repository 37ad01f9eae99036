"""Formats of times, counts and results, on screen and in command output; pure."""

import csv
import io
import re
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from resync_tui.outcome import Counts, Purpose, Status
from resync_tui.printable import printable
from resync_tui.results import Batch, ObjectResult

NOBODY_FIRES = "No service is there to fire schedules. Start one that stays: resync-tui agent"


def last_firing(batch: Batch | None) -> str:
    """Format a schedule's last firing, by the newest batch of it; None: it has not fired yet."""
    if batch is None:
        return "never"
    agent = f", by {batch.agent}" if batch.agent else ""
    return f"{when(batch.requested)}, request {batch.request}{agent}"


def when(moment: datetime | None) -> str:
    """Format a time as local time, with the year."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M") if moment else "-"


def day_of(moment: datetime | None) -> str:
    """Format the local day of a time; empty without one."""
    return f"{moment.astimezone().date()}" if moment else ""


def to_the_second(moment: datetime | None) -> str:
    """Format a time as local time, with the year and the second."""
    return moment.astimezone().strftime("%Y-%m-%d %H:%M:%S") if moment else "-"


def since(moment: datetime, at: datetime) -> str:
    """Format a time to the second, as local time; with the date only if that is not today."""
    local = moment.astimezone()
    return local.strftime("%H:%M:%S" if local.date() == at.astimezone().date() else "%Y-%m-%d %H:%M:%S")


def span(seconds: float) -> str:
    """Format a duration as hours, minutes and seconds."""
    whole = max(0, int(seconds))
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02}"


def short_span(seconds: float) -> str:
    """Format a duration in at most six characters: 42s, 7m42s, 3h05m, 12d."""
    whole = max(0, int(seconds))
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole // 60 % 60:02}m" if whole < 360_000 else f"{whole // 86_400}d"


def ran_for(started: datetime | None, finished: datetime | None, at: datetime) -> float:
    """Return the duration of a run in seconds, up to `at` while it runs; 0 before it starts."""
    return ((finished or at) - started) / timedelta(seconds=1) if started else 0.0


def school_year(year: int) -> str:
    """Format a school year, known by the year in which it ends, as 2025-26."""
    return f"{year - 1}-{year % 100:02}"


def plural(count: int, one: str, many: str = "") -> str:
    """Format a count with its noun, singular or plural."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


NAMED = 10
"""Names in one line; of more only the number is given."""


def some(names: Sequence[str]) -> str:
    """Format a list of names of any length in one line."""
    more = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {more} more" if more > 0 else "")


def by_rule(counts: Counts) -> str:
    """Format what of the errors follows from rules of the catalog, as a sentence; empty if nothing is to be told."""
    if counts.errors and not counts.failures:
        return "All errors are expected: rules of the catalog exclude these records, or what they need."
    if counts.behind_exclusion:
        return f"Of the blocked {counts.behind_exclusion:,} follow from exclusions: nothing to mend."
    return ""


def error_rate(counts: Counts) -> str:
    """Format the error rate, rounded, in at most four characters; never as 0 % or all, nor across the 1 % line."""
    errors, processed = counts.errors, counts.processed
    if not errors or not processed:
        return "ok" if not errors else "all"
    if errors * 1000 < processed:
        return "<.1%"
    tenths, whole = _rounded(errors * 1000, processed), _rounded(errors * 100, processed)
    if tenths <= 10 and errors * 100 > processed:
        return ">1%"
    if tenths < 100:
        return f"{tenths // 10}.{tenths % 10}%"
    return ">99%" if whole == 100 and errors < processed else f"{whole}%"


def _rounded(amount: int, of: int) -> int:
    return (2 * amount + of) // (2 * of)


STOPPED = 0.99
"""Progress that what was stopped shows at most."""


def share(result: ObjectResult) -> float:
    """Return an object's progress, 0 to 1: its settled records among those in scope; only a completed one has 1."""
    if result.status is Status.COMPLETED:
        return 1.0
    part = min(1.0, result.counts.processed / result.total) if result.total else 0.0
    return min(part, STOPPED) if result.status.ended else part


_ENDED = {Status.FAILED: "fail", Status.CANCELLED: "canc", Status.SKIPPED: "skip", Status.QUEUED: "wait"}


def outcome(result: ObjectResult) -> str:
    """Format the result beside an object's dot, in at most four characters."""
    if result.status is Status.RUNNING:
        return percent(share(result))
    return _ENDED.get(result.status) or error_rate(result.counts)


def status(batch: Batch) -> str:
    """Format a batch's status; one that is to be cancelled and has not ended is cancelling."""
    return "cancelling" if batch.cancel_requested and not batch.status.ended else str(batch.status)


def named_request(request: int, batches: Sequence[int]) -> str:
    """Format a request of these batches: batch #7 where it is one, else request 9: 40 districts."""
    return f"batch #{batches[0]}" if len(batches) == 1 else f"request {request}: {plural(len(batches), 'district')}"


def kind_of(batch: Batch) -> str:
    """Format a batch's purpose: resync, full resync, compare, remove extra."""
    if batch.purpose is Purpose.RESYNC:
        return "full resync" if batch.full else "resync"
    return "compare" if batch.purpose is Purpose.VERIFY else "remove extra"


def percent(part: float) -> str:
    """Format a share, 0 to 1, as whole percent, rounded down: 100 % is all of it."""
    return f"{int(part * 100 + 1e-9)}%"


def counted(batch: Batch) -> bool:
    """Whether the records of all objects of a batch are counted."""
    return all(each.total is not None for each in batch.objects)


def batch_share(batch: Batch) -> float:
    """Return a batch's progress, 0 to 1, by settled records where all are counted, else by completed objects."""
    if batch.status is Status.COMPLETED:
        return 1.0
    if counted(batch):
        done, whole = batch.counts.processed, sum(each.total or 0 for each in batch.objects)
    else:
        done, whole = completed(batch), len(batch.objects)
    part = min(1.0, done / whole) if whole else 0.0
    return min(part, STOPPED) if batch.status.ended else part


def completed(batch: Batch) -> int:
    """Return the number of a batch's objects that have completed."""
    return sum(each.status is Status.COMPLETED for each in batch.objects)


def folded(text: str, width: int) -> list[str]:
    """Wrap a text between words; a word longer than a line, such as a path, continues on the next."""
    lines = [""]
    for word in printable(text).split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > width:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
        while len(lines[-1]) > width > 0:
            lines[-1:] = [lines[-1][:width], lines[-1][width:]]
    return lines


def csv_text(titles: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV (RFC 4180) of printable texts; what a spreadsheet would run begins with an apostrophe.

    That is also what follows a semicolon: where decimals have a comma, spreadsheets part cells there, quoted or not.
    """
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(titles)
    writer.writerows([_cell(each) for each in row] for row in rows)
    return text.getvalue()


_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
"""Beginnings that spreadsheets take for a formula, the full-width ones too."""
_LATER_FORMULA = re.compile(r";(?=[\s\"]*[=+\-@\uff1d\uff0b\uff0d\uff20])")
_NO_FORMULA = re.compile(r"-|[+-]?\d+([.,]\d+)*%?")


def _cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    is_run = _FORMULA.match(value) and not _NO_FORMULA.fullmatch(value)
    return ("'" if is_run else "") + printable(_LATER_FORMULA.sub(";'", value))
