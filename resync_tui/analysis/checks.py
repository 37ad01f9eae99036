"""Checks: one thing each that `doctor` has looked at, what it found, and what to do."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from resync_tui.errors import ResyncError
from resync_tui.formatting import some


class Mark(StrEnum):
    """Result of a check."""

    OK = "ok"
    ADVICE = "advice"
    """Worth knowing or doing; no problem, and no exit code."""
    PROBLEM = "problem"


class ActionNeeded(ResyncError):
    """Something to do, although nothing is broken."""

    exit_code = 1


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at."""

    mark: Mark
    what: str
    do: str = ""
    exit_code: int = 0
    district: str | None = None
    """Id of the district that it is about; None: of the configuration, the control database or the state."""


def passed(what: str) -> Check:
    """Return the check of what is as it should be."""
    return Check(Mark.OK, what)


def advice(what: str, do: str = "") -> Check:
    """Return the check of what is worth knowing or doing."""
    return Check(Mark.ADVICE, what, do)


def problem(error: ResyncError) -> Check:
    """Return the check that found an error."""
    return Check(Mark.PROBLEM, error.what, error.do, error.exit_code)


def of_districts(found: Mapping[str, Sequence[Check]]) -> Iterator[Check]:
    """Yield the checks of districts, by their ids: once what several share; advice with their ids."""
    shared: dict[Check, list[str]] = {}
    for district, checks in found.items():
        for each in dict.fromkeys(checks):
            shared.setdefault(each, []).append(district)
    for check, districts in shared.items():
        named = f" (district {some(districts)})" if check.mark is Mark.ADVICE else ""
        yield replace(check, what=check.what + named, district=districts[0])
