"""What a request will cost, told by the last run of each object; pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from resync_tui import formatting
from resync_tui.outcome import Color
from resync_tui.results import LastResync, ObjectResult


@dataclass(frozen=True, slots=True)
class Expected:
    """How many records the last runs of some objects had, and how long these took."""

    records: int
    seconds: float
    unknown: int
    """Objects that have not been run from here."""


def expected(names: Sequence[str], last: Mapping[str, LastResync]) -> Expected:
    """Add up the last runs; objects of one batch overlap, so a batch counts from its first begin to its last end."""
    known = [last[name] for name in names if name in last and last[name].result.finished]
    batches: dict[int, list[ObjectResult]] = {}
    for each in known:
        batches.setdefault(each.batch, []).append(each.result)
    return Expected(
        records=sum(each.result.counts.processed for each in known),
        seconds=sum(_lasted(results) for results in batches.values()),
        unknown=len(names) - len(known),
    )


def _lasted(results: Sequence[ObjectResult]) -> float:
    begun = [each.started for each in results if each.started]
    ended = [each.finished for each in results if each.finished]
    return (max(ended) - min(begun)) / timedelta(seconds=1) if begun and ended else 0.0


def expected_words(names: Sequence[str], last: Mapping[str, LastResync]) -> str:
    """Write what is expected: 412,880 records expected; the last run took 7m42s."""
    cost = expected(names, last)
    if cost.unknown == len(names):
        return "How many records is not known: none of these has been run from here."
    records = formatting.plural(cost.records, "record")
    text = f"{records} expected; the last run took {formatting.short_span(cost.seconds)}."
    return (
        f"{text} Not known: {formatting.plural(cost.unknown, 'object')} never run from here." if cost.unknown else text
    )


def last_in_sync(known: LastResync | None) -> str:
    """Write when an object was last in sync, which it was by its last run if that had no errors."""
    if known is None:
        return "never resynced from here"
    if known.result.color is Color.GREEN:
        return f"in sync {formatting.when(known.result.started)}"
    return f"last resync {formatting.when(known.result.started)}: {formatting.outcome(known.result)} errors"
