"""Names of tables and columns that are the program's own words in its stages and queries."""

from dataclasses import replace

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine.job import Limits
from resync_tui.outcome import Counts, Purpose, Status
from tests.support.comparison import every_comparison
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ENDS, SAME, Database, pair

WORDS = (
    "n", "new", "swaps", "kind", "reason", "number", "hash", "rows", "place", "v0", "question", "own", "held", "staged",
    "parent", "other", "moving", "t", "p", "year_0", "year_1", "classified", "hanging", "oid", "rowid", "_rowid_",
)  # fmt: skip
TABLES = ("staged", "held", "parent", "other", "moving", "year_1", "classified", "hanging", "own", "rows", "n", "fence")


@every_comparison(ENDS)
async def test_columns_named_like_the_stages_own_are_sent(database: Database, ends: tuple[str, str]) -> None:
    first, *others = (f'"{word}"' for word in WORDS)
    catalog = Catalog("Words", (DisObject("V", ("v",)),), tenant_column="tenant")
    body = f"{first} integer, {', '.join(f'{name} varchar(9)' for name in others)}"
    unique = ", ".join(f"UNIQUE (tenant, {name})" for name in others[:3])
    names = ", ".join((first, *others))
    rows = [(number, *(f"{place}-{number}" for place in range(len(others)))) for number in (1, 2, 3)]
    here = await pair(
        database,
        ends,
        "".join(f"INSERT INTO v ({names}) VALUES {row};" for row in rows),
        f"INSERT INTO v (tenant, {first}, {others[0]}) VALUES ('01', 1, '0-2'), ('01', 2, '0-1'), ('01', 9, 'extra');",
        district=f"CREATE TABLE v ({body}, PRIMARY KEY ({first}));",
        state=f"CREATE TABLE v (tenant varchar(9), {body}, PRIMARY KEY (tenant, {first}), {unique});",
    )
    heard = await run(make_job(here.district, here.state, catalog, "01"))
    assert heard.counts["V"] == Counts(processed=3, inserted=1, updated=2, extra=1), heard.ended
    assert await here.held(f"SELECT {names} FROM v WHERE {first} < 9 ORDER BY {first}") == rows
    again = await run(make_job(here.district, here.state, catalog, "01"))
    assert again.counts["V"] == Counts(processed=3, unchanged=3, extra=1)


@pytest.mark.parametrize("ends", SAME)
async def test_tables_named_like_the_programs_own_are_sent(database: Database, ends: tuple[str, str]) -> None:
    catalog = Catalog(
        "Words",
        (
            DisObject("Above", ("above",), school_year=True),
            *(DisObject(name, (name,), ("Above",), school_year=True) for name in TABLES),
        ),
        tenant_column="tenant",
        year="above.endYear",
    )
    above, child = 'id integer, "endYear" integer', "id integer, above integer, code varchar(9)"
    here = await pair(
        database,
        ends,
        "INSERT INTO above VALUES (1, 2026), (2, 2025);"
        + "".join(f"INSERT INTO \"{name}\" VALUES (1, 1, 'a'), (2, 1, 'b'), (3, 2, 'c');" for name in TABLES),
        "INSERT INTO above VALUES ('01', 1, 2026);"
        + "".join(
            f"INSERT INTO \"{name}\" VALUES ('01', 1, 1, 'b'), ('01', 2, 1, 'a'), ('01', 9, 1, 'x');" for name in TABLES
        ),
        district=f"CREATE TABLE above ({above}, PRIMARY KEY (id));"
        + "".join(f'CREATE TABLE "{name}" ({child}, PRIMARY KEY (id));' for name in TABLES),
        state=f"CREATE TABLE above (tenant varchar(9), {above}, PRIMARY KEY (tenant, id));"
        + "".join(
            f'CREATE TABLE "{name}" (tenant varchar(9), {child}, PRIMARY KEY (tenant, id), UNIQUE (tenant, code),'
            " FOREIGN KEY (tenant, above) REFERENCES above (tenant, id));"
            for name in TABLES
        ),
    )
    job = make_job(here.district, here.state, catalog, "01")
    heard = await run(job)
    expected = Counts(processed=2, updated=2, extra=1)
    assert {name: heard.counts[name] for name in TABLES} == dict.fromkeys(TABLES, expected), heard.ended
    removed = await run(replace(job, purpose=Purpose.REMOVE_EXTRA, token=2, limits=Limits(extra_share=1)))
    assert {name: removed.counts[name].removed for name in TABLES} == dict.fromkeys(TABLES, 1), removed.ended


@pytest.mark.parametrize("ends", SAME)
@pytest.mark.parametrize("end", ["district", "state"])
async def test_a_column_of_the_reserved_prefix_fails_its_object(
    database: Database, ends: tuple[str, str], end: str
) -> None:
    catalog = Catalog("Words", (DisObject("V", ("v",)),))
    table = "CREATE TABLE v (id integer PRIMARY KEY, name text);"
    here = await pair(database, ends, district=table, state=table)
    await run_script(getattr(here, end), "ALTER TABLE v ADD COLUMN _resync_n integer;")
    heard = await run(make_job(here.district, here.state, catalog, None))
    assert heard.statuses == {"V": Status.FAILED}
    assert heard.ended["V"].message.startswith(f"v has the name _resync_n in the {end}: names that begin with")
