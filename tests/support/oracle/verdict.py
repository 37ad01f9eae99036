"""Hold what the engine reported, and what the state holds, against the oracle."""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from resync_tui.outcome import Counts, Status
from tests.support.oracle.oracle import Oracle
from tests.support.oracle.shape import Dump
from tests.support.running import Heard

Refused = tuple[str, tuple[Any, ...], str, str]
"""Table, key, kind, reason."""

_DETAIL = (
    (r": not a valid .*", ": not a valid"),
    (r" is out of range .*", " is out of range"),
    (r" is not one of .*", " is not one of"),
    (r"^breaks the state's check .*", "breaks the state's check"),
    (r"(did not reach the state): a rule excludes it, or a record above it$", r"\1"),
    (r", of which its parent is not in the state: send that year$", ""),
)

_YEARLESS = re.compile(r"\d+ records? of \w+ without [\w.]+: they belong to no year and go with the current one")
"""What is told of the records whose way to a calendar is null."""
_SET_ASIDE = re.compile("[0-9]+ extra records? of .* gave up a unique value .*")
_STANDING_OFF = re.compile(r"[\d,]+ records? of .+ cannot have values that extra records hold \(.+\): .+")
"""What is told of records that want a value of one that the district no longer has; their reason is verified."""
_UNFED = re.compile(r"no longer fed: [\w., ]+")
"""What is told of the columns that only the state has."""


@dataclass(frozen=True)
class Outcome:
    """What became of one batch, wherever it was reported."""

    ends: Mapping[str, tuple[Status, Counts, str]]
    """Status, counts and message of each object."""
    refused: Collection[Refused]


def outcome(heard: Heard) -> Outcome:
    """Return what the engine's own events say."""
    return Outcome(
        {name: (ended.status, ended.counts, ended.message) for name, ended in heard.ended.items()},
        list(heard.refused.elements()),
    )


def compare(oracle: Oracle, outcome: Outcome, after: Dump, others: Collection[str] = ()) -> None:
    """Fail with every difference at once; rows of `others`, which were at work too, are left to their own oracle."""
    wrong = [
        f"{name}: {status} {message}"
        for name, (status, _, message) in outcome.ends.items()
        if status is not Status.COMPLETED or not _is_told(message, set(oracle.messages(name)))
    ]
    wrong += of_counts(oracle, {name: counts for name, (_, counts, _) in outcome.ends.items()})
    wrong += of_refusals(oracle, outcome.refused)
    wrong += of_rows(oracle, after, others)
    print("\n".join(sorted(wrong, key=lambda line: "in the state" in line)))
    assert not wrong


def _is_told(message: str, expected: set[str]) -> bool:
    """Whether a message tells just what is expected; of one that was cut, as far as it goes."""
    whole, cut, _ = message.partition("…")
    told = set(_told(whole.rpartition("; ")[0] if cut else message))
    return told <= expected if cut else told == expected


def _told(message: str) -> Iterator[str]:
    remarks = (_YEARLESS, _STANDING_OFF, _SET_ASIDE, _UNFED)
    return (each for each in message.split("; ") if each and not any(remark.fullmatch(each) for remark in remarks))


def of_counts(oracle: Oracle, found: Mapping[str, Counts]) -> list[str]:
    """Return where an object's counts are not the oracle's."""
    wrong = []
    for name in dict.fromkeys(each.name for each in oracle.objects.values()):
        expected, counts = +oracle.of_object(name), +Counter(asdict(found[name]))
        either = expected.pop("either", 0)
        # A part of the blocked, of which the oracle knows nothing.
        assert counts.pop("behind_exclusion", 0) <= counts["blocked"], name
        difference = {key: (counts[key], expected[key]) for key in counts | expected if counts[key] != expected[key]}
        loose = sum(one - other for one, other in difference.values())
        if difference and not (either and loose == either and difference.keys() <= {"blocked", "rejected"}):
            wrong.append(f"{name}: counted (engine, oracle) {difference}")
    return wrong


def of_refusals(oracle: Oracle, found: Iterable[Refused]) -> list[str]:
    """Return which refused records are others than the oracle's, or have another kind or reason."""
    left: dict[tuple[str, tuple[Any, ...]], list[tuple[str, str]]] = {}
    for table, key, kind, reason in Counter(found).elements():
        left.setdefault((table, tuple(map(_written, key))), []).append((kind, plain(reason)))
    wrong = []
    for table, refused in oracle.accounts.refused.items():
        for key, allowed in refused:
            here = left.get((table, tuple(map(str, key))), [])
            match = next((each for each in here if each in allowed), None)
            if match is not None:
                here.remove(match)
            else:
                wrong.append(f"{table} {key}: {here} instead of {sorted(allowed)}")
                here.clear()
    return wrong + [f"{table} {key}: {here} though it goes in" for (table, key), here in left.items() if here]


def _written(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def plain(reason: str) -> str:
    """Return a reason without the limits and names that it mentions."""
    for pattern, short in _DETAIL:
        reason = re.sub(pattern, short, reason)
    return reason


def of_rows(oracle: Oracle, after: Dump, others: Collection[str] = ()) -> list[str]:
    """Return which rows of the state are not as they must be, those of every district but `others`."""
    wrong = []
    column = oracle.tenant_column
    for table, rows in oracle.final.items():
        expected, found = (
            oracle.listed(table, [row for row in some if column is None or row[column] not in others])
            for some in (rows, after.rows[table])
        )
        wrong += [f"{table}: not in the state {row}" for row in expected - found]
        wrong += [f"{table}: in the state {row}" for row in found - expected]
    return wrong
