"""How a test's ends are compared: as they are proven to have in common, or as the test demands it."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from enum import StrEnum

import pytest

from resync_tui.databases.sqlite import sqlite_path
from resync_tui.engine.hashing import Hashing

HASHING: Hashing | None = None
"""What the jobs of the running test say; its `comparison` fixture sets it."""


class Comparison(StrEnum):
    """A way to find out what differs."""

    NATIVE = "native"
    TEXT = "text"
    BESIDE = "beside"
    """Both ends are SQLite files that one connection may read."""
    OFF = "off"

    @property
    def hashing(self) -> Hashing:
        """What a job must say."""
        return Hashing.NATIVE if self is Comparison.BESIDE else Hashing(self.value)


_POSSIBLE = {
    "postgresql": (Comparison.NATIVE, Comparison.TEXT, Comparison.OFF),
    "sqlite": (Comparison.BESIDE, Comparison.OFF),
}


def _possible(ends: tuple[str, str]) -> tuple[Comparison, ...]:
    ours, theirs = (kind.partition("-")[0] for kind in ends)
    return _POSSIBLE[ours] if ours == theirs else (Comparison.OFF,)


Pair = tuple[str, str]


def every_comparison(
    ends: Iterable[Pair], once: Iterable[Pair] = (), more: Iterable[Pair] = ()
) -> pytest.MarkDecorator:
    """Give a test `ends` and run it with every way in which these can be compared; all must come to the same.

    The first way runs always, the others with `-m matrix`, as do those of `more`. Those of `once` are compared in their
    first way only.
    """
    ways = [(pair, how, how != _possible(pair)[0]) for pair in ends for how in _possible(pair)]
    ways += [(pair, _possible(pair)[0], False) for pair in once]
    ways += [(pair, how, True) for pair in more for how in _possible(pair)]
    cases = [
        pytest.param(pair, how, id=f"{'-'.join(pair)}-{how}", marks=[pytest.mark.matrix] * further)
        for pair, how, further in ways
    ]
    return pytest.mark.parametrize(("ends", "comparison"), cases, indirect=["comparison"])


one_kind = pytest.mark.parametrize(
    "kind", ["sqlite", pytest.param("postgresql", marks=pytest.mark.matrix)], indirect=True
)
"""For tests of what does not go by the kind of database: with `-m matrix` that of a server too."""


@pytest.fixture
def comparison(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Comparison | None:
    """How this test's ends are compared; None: as they are proven to have in common."""
    demanded: Comparison | None = getattr(request, "param", None)
    monkeypatch.setattr(f"{__name__}.HASHING", demanded and demanded.hashing)
    return demanded


def readable_beside(url: str) -> None:
    """Give a SQLite file such a journal that others may read it while it is written."""
    with closing(sqlite3.connect(sqlite_path(url))) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
