"""Hashes of values by PostgreSQL: those that print differently hash differently, each asked by itself.

All of a server's hashes are asked in one statement, of one row whose columns are the cases.
"""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from resync_tui.catalog import Catalog
from resync_tui.engine.backends.base import Source, Target
from resync_tui.engine.backends.postgres.hashing import HASHING
from resync_tui.engine.backends.registry import open_source, open_target
from resync_tui.engine.hashing import Columns, Hashing
from tests.support.databases import run_script
from tests.support.running import make_job
from tests.support.small import Database
from tests.support.values import DIFFERENT, DIFFERING, FEW, MOODS, OTHER_ORDER, SAME, Case, literal

RELEASES = pytest.mark.parametrize(
    "ends", [("postgresql", "postgresql"), ("postgresql", "postgresql-16")], ids="-".join
)
FORMS = pytest.mark.parametrize("how", [Hashing.NATIVE, Hashing.TEXT])
PLACES = [Case(kind, one, kind, other) for kind, pairs in DIFFERENT.items() for one, other in pairs]


class Ends:
    """Both ends, with one wide table."""

    def __init__(self, source: Source, target: Target, tables: tuple[sa.Table, sa.Table]) -> None:
        self.source, self.target = source, target
        self.tables = tables

    def columns(self, *names: str) -> Columns:
        """Return columns by name, of both ends."""
        ours, theirs = self.tables
        return {name: (ours.c[name], theirs.c[name]) for name in names}

    async def hashes(self, columns: Sequence[Columns], how: Hashing) -> list[tuple[object, object]]:
        """Return the hashes of columns of the first row, by both ends."""
        asked: list[Any] = []
        for table in self.tables:
            hashes: list[Any] = [
                sa.literal_column(HASHING.row_hash(table, each, how)).label(f"h{n}") for n, each in enumerate(columns)
            ]
            asked.append(sa.select(*hashes).select_from(table).where(table.c.id == 1))
        ((*ours,),), ((*theirs,),) = await self.source.fetch(asked[0]), await self.target.fetch(asked[1])
        return list(zip(ours, theirs, strict=True))

    async def buckets(self, columns: Sequence[Columns], how: Hashing) -> list[tuple[object, object]]:
        """Return the fingerprints of columns of all rows, taken as one bucket, by both ends."""
        asked = []
        for table in self.tables:
            questions = []
            for each in columns:
                rows = HASHING.rows(table, "0", HASHING.row_hash(table, each, how), sa.true())
                questions.append(f"(SELECT b::text FROM ({HASHING.by_bucket(rows)}) b)")
            asked.append(f"SELECT {', '.join(questions)}")
        ((*ours,),), ((*theirs,),) = await self.source.ask(asked[0]), await self.target.ask(asked[1])
        return list(zip(ours, theirs, strict=True))


@asynccontextmanager
async def wide(
    database: Database, kinds: tuple[str, str], cases: list[Case], *, reversed_too: bool = False
) -> AsyncIterator[Ends]:
    """Make both ends, each with columns v0, v1, … of the cases.

    `reversed_too`: columns w0, w1, … hold the other end's value, and a second row all of them the other way round.
    """
    urls = database(kinds[0]), database(kinds[1])
    made = [(case.district, case.value, case.held) for case in cases], [(c.state, c.held, c.value) for c in cases]
    for url, types, columns in zip(urls, (MOODS, OTHER_ORDER), made, strict=True):
        sides = "vw" if reversed_too else "v"
        table = ", ".join(f"{side}{n} {kind}" for n, (kind, _, _) in enumerate(columns) for side in sides)
        rows = [[value for _, one, other in columns for value in ((one, other) if reversed_too else (one,))]]
        if reversed_too:
            rows.append([value for _, one, other in columns for value in (other, one)])
        values = ", ".join(f"({n}, {', '.join(map(literal, row))})" for n, row in enumerate(rows, 1))
        script = f"CREATE TABLE v (id integer PRIMARY KEY, {table}); INSERT INTO v VALUES {values};"
        await run_script(url, types + FEW + script)
    job = make_job(*urls, Catalog("None", ()), None)
    source, target = open_source(job.source, job.target), open_target(job.target)
    try:
        await target.claim()
        async with source.snapshot():
            ours, theirs = await source.reflect(["v"]), await target.reflect(["v"])
            yield Ends(source, target, (ours["v"], theirs["v"]))
    finally:
        await target.drop_stages()
        await source.close()
        await target.close()


@FORMS
@RELEASES
async def test_values_that_print_differently_hash_differently(
    database: Database, ends: tuple[str, str], how: Hashing
) -> None:
    async with wide(database, ends, DIFFERING) as both:
        hashes = await both.hashes([both.columns(f"v{n}") for n in range(len(DIFFERING))], how)
    assert [case for case, (ours, theirs) in zip(DIFFERING, hashes, strict=True) if ours == theirs] == []


@FORMS
@RELEASES
async def test_values_of_a_type_that_print_alike_hash_alike(
    database: Database, ends: tuple[str, str], how: Hashing
) -> None:
    """Else equal records of all tables would be moved."""
    alike = [case for case in SAME if case.district == case.state]
    async with wide(database, ends, alike) as both:
        hashes = await both.hashes([both.columns(f"v{n}") for n in range(len(alike))], how)
    assert [case for case, (ours, theirs) in zip(alike, hashes, strict=True) if ours != theirs] == []


@FORMS
@RELEASES
async def test_values_that_have_changed_places_hash_differently(
    database: Database, ends: tuple[str, str], how: Hashing
) -> None:
    """Between the columns of a record, and between two records of a bucket."""
    async with wide(database, ends, PLACES, reversed_too=True) as both:
        columns = await both.hashes([both.columns(f"v{n}", f"w{n}") for n in range(len(PLACES))], how)
        records = await both.buckets([both.columns("id", f"v{n}") for n in range(len(PLACES))], how)
    for asked in (columns, records):
        assert [case for case, (ours, theirs) in zip(PLACES, asked, strict=True) if ours == theirs] == []
