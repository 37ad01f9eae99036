"""Any table, keyed or not, any difference: what the engine counts and leaves behind is what a plain model says."""

import secrets
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, note
from hypothesis import strategies as st

from resync_tui.catalog import Catalog, DisObject
from resync_tui.engine import buckets
from resync_tui.engine.hashing import Hashing
from resync_tui.engine.read import fingerprints
from tests.support.databases import create_database, execute, run_script
from tests.support.oracle.fill import fill
from tests.support.oracle.oracle import Knowledge, Oracle
from tests.support.oracle.shape import Row, Table, column_of, dump, versions
from tests.support.oracle.verdict import compare, outcome
from tests.support.oracle.worlds import tried, worlds
from tests.support.running import make_job, run

TENANT = "tenant"
POSSIBLE: dict[tuple[str, str], list[Hashing | None]] = {
    ("postgresql", "postgresql"): [Hashing.NATIVE, Hashing.TEXT, Hashing.OFF],
    ("sqlite", "sqlite"): [None, Hashing.OFF],
    ("sqlite", "postgresql"): [None],
}
"""By the kinds of the ends; None: as it is proven, side by side where one connection reads both files."""

Lasting = Callable[[str], str]


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Lasting]:
    """Give a database that all examples of this module use, one after the other."""
    folder: Path = tmp_path_factory.mktemp("lasting")
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        if kind == "sqlite":
            with closing(sqlite3.connect(folder / name)) as connection:
                connection.execute("PRAGMA journal_mode = WAL")
            return f"sqlite:///{folder / name}"
        made.append(name)
        return create_database(request.getfixturevalue("postgres_server"), name)

    yield make
    if made:
        drops = (f"DROP DATABASE {name} WITH (FORCE)" for name in made)
        execute(request.getfixturevalue("postgres_server"), *drops)


@pytest.fixture(scope="module")
def ends(request: pytest.FixtureRequest, lasting: Lasting) -> tuple[tuple[str, str], str, str]:
    """The kinds of both ends, and their databases."""
    kinds: tuple[str, str] = request.param
    return kinds, lasting(kinds[0]), lasting(kinds[1])


@pytest.fixture(autouse=True)
def small_buckets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a few rows fill several buckets of both kinds."""
    monkeypatch.setattr(buckets, "BUCKET_ROWS", 8)
    monkeypatch.setattr(fingerprints, "FEW_ROWS", 4)


async def refill(url: str, ddl: str, columns: dict[str, str], rows: dict[str | None, list[Row]]) -> None:
    """Make the table again and fill it; rows by tenant."""
    await run_script(url, "DROP TABLE IF EXISTS v; " + ddl)
    table = Table("v", {name: column_of(name, kind) for name, kind in (columns | {TENANT: "text"}).items()})
    for tenant, some in rows.items():
        await fill(url, {"v": table}, {"v": some}, {TENANT: tenant} if tenant else None)


@pytest.mark.parametrize(
    ("ends", "keyed"),
    [
        pytest.param(("postgresql", "postgresql"), True, id="postgresql-keyed"),
        pytest.param(("sqlite", "sqlite"), False, id="sqlite-keyless"),
        pytest.param(("sqlite", "postgresql"), True, id="mixed-keyed"),
        pytest.param(("postgresql", "postgresql"), False, id="postgresql-keyless", marks=pytest.mark.matrix),
        pytest.param(("sqlite", "sqlite"), True, id="sqlite-keyed", marks=pytest.mark.matrix),
        pytest.param(("sqlite", "postgresql"), False, id="mixed-keyless", marks=pytest.mark.matrix),
    ],
    indirect=["ends"],
    scope="module",
)
@tried
@given(data=st.data())
async def test_any_difference_is_counted_and_mended_in_one_run(
    ends: tuple[tuple[str, str], str, str], keyed: bool, data: st.DataObject
) -> None:
    kinds, district, state = ends
    world = data.draw(worlds(kinds[0], keyed=keyed))
    hashing = data.draw(st.sampled_from(POSSIBLE[kinds]))
    tenant = data.draw(st.sampled_from(["01", None]))
    others: dict[str | None, list[Row]] = {"02": world.theirs} if tenant else {}
    await refill(district, world.ddl(strict=False), world.district, {None: world.ours})
    ddl = world.ddl(strict=True, tenant=TENANT if tenant else None)
    await refill(state, ddl, world.state, {tenant: world.theirs, **others})

    catalog = Catalog("Any", (DisObject("V", ("v",)),), tenant_column=TENANT if tenant else None)
    source, before = await dump(district), await dump(state)
    direct = data.draw(st.booleans())
    job = replace(make_job(district, state, catalog, tenant), hashing=hashing, direct=direct)
    heard = await run(job)
    after, written = await dump(state), await versions(state)
    note(f"{ddl}\nended: {heard.ended}")
    compare(Oracle(catalog, ["V"], tenant, source, before, Knowledge()), outcome(heard), after)

    again = await run(job)
    compare(Oracle(catalog, ["V"], tenant, source, after, Knowledge()), outcome(again), after)
    assert await versions(state) == written
