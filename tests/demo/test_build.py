"""The sample data: the same from the same seed, to scale, flawed as real districts are, and a state that is sound."""

import asyncio
import re
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from resync_tui.catalog import load
from resync_tui.config.load import catalog_of_year, load_catalog, load_settings
from resync_tui.config.school_years import allowed_by
from resync_tui.config.settings import Settings
from resync_tui.control.alerts import REQUESTED
from resync_tui.control.store import Store
from resync_tui.demo import build
from resync_tui.demo.consoles import CONSOLES
from resync_tui.demo.fill import create_districts, fill
from resync_tui.demo.flaws import FLAWS, NOBODY, ORPHANED, Flaw, FlawKind
from resync_tui.demo.people import LEAVING
from resync_tui.demo.state import load_state_rules
from resync_tui.demo.world import World
from resync_tui.errors import CannotRun, UsageError
from resync_tui.outcome import Status
from resync_tui.plan import Request, make_plan
from resync_tui.rights import edition_of
from resync_tui.state_schema.derive import derive, table_order
from tests.support.databases import rows

pytestmark = pytest.mark.xdist_group("demo")
TABLES = table_order(load())
STUDENTS = 1_500
"""In each of the two districts: enough for proportions to show."""


class Built:
    """A demo with its databases' URLs."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.settings = load_settings(path)
        self.abbott = self.settings.district_url("01")
        self.campus = self.settings.district_url("02")
        self.state = self.settings.state_url()


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Built:
    folder = tmp_path_factory.mktemp("files") / "demo"
    return Built(asyncio.run(build.build(folder, students=2 * STUDENTS)))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, postgres_server: str) -> Iterator[Built]:
    folder = tmp_path_factory.mktemp("server") / "demo"
    built = Built(asyncio.run(build.build(folder, students=2 * STUDENTS, admin_url=postgres_server)))
    yield built
    urls = [built.abbott, built.campus, built.state, built.settings.control_url()]
    asyncio.run(drop(postgres_server, [urlsplit(url).path[1:] for url in urls]))
    asyncio.run(drop_roles(postgres_server, [role_of(built, console) for console in CONSOLES]))


def role_of(built: Built, console: str) -> str:
    """Return the role of a console's user."""
    return urlsplit(load_settings(built.path.parent / console / "resync.toml").control_url()).username or ""


@pytest.fixture(params=["files", "server"])
def built(request: pytest.FixtureRequest) -> Built:
    made: Built = request.getfixturevalue(request.param)
    return made


async def drop(admin_url: str, names: list[str]) -> None:
    connection = await asyncpg.connect(admin_url)
    for name in names:
        await connection.execute(f'DROP DATABASE "{name}"')
    await connection.close()


async def drop_roles(admin_url: str, names: list[str]) -> None:
    connection = await asyncpg.connect(admin_url)
    for name in names:
        await connection.execute(f'DROP ROLE "{name}"')
    await connection.close()


async def number(url: str, query: str) -> int:
    ((value,),) = await rows(url, query)
    return int(str(value))


def names_in(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def dump(folder: Path) -> dict[str, str]:
    dumps = {}
    for file in sorted(folder.glob("*.db")):
        with closing(sqlite3.connect(file)) as connection:
            dumps[file.name] = "\n".join(connection.iterdump())
    return dumps


async def test_the_same_seed_gives_the_same_data_and_another_does_not(tmp_path: Path) -> None:
    for name, seed in (("first", 1), ("second", 1), ("other", 2)):
        await build.build(tmp_path / name, students=120, seed=seed)
    first = dump(tmp_path / "first")
    assert sorted(first) == ["abbott.db", "campus.db", "state.db"]
    assert first == dump(tmp_path / "second")
    assert all(text != dump(tmp_path / "other")[name] for name, text in first.items())
    assert first["abbott.db"] != first["campus.db"]


async def test_files_and_a_server_hold_the_same_data(files: Built, server: Built) -> None:
    for table in TABLES:
        count = f'SELECT count(*) FROM "{table}"'
        for one, other in ((files.abbott, server.abbott), (files.campus, server.campus), (files.state, server.state)):
            assert await rows(one, count) == await rows(other, count), table
    for query in (
        'SELECT "personID", "stateID", "personGUID" FROM "Person" ORDER BY 1',
        'SELECT "identityID", "lastName", "firstName" FROM "Identity" ORDER BY 1',
        'SELECT "enrollmentID", "structureGradeID", "startStatus" FROM "Enrollment" ORDER BY 1',
    ):
        assert await rows(files.campus, query) == await rows(server.campus, query)


async def test_district_files_can_have_a_state_on_a_server(tmp_path: Path, database: Callable[[str], str]) -> None:
    await build.build(tmp_path / "demo", students=200)
    district, state = database("sqlite"), database("postgresql")
    await create_districts([district])
    await fill([(World("01", "Abbott", 100, 2026), district)], state, load())
    for table in TABLES:
        query = f"""SELECT count(*) FROM "{table}" WHERE "districtNumber" = '01'"""
        assert await rows(state, query) == await rows(f"sqlite:///{tmp_path}/demo/state.db", query)


async def test_every_table_has_rows_at_every_end(built: Built) -> None:
    for table in TABLES:
        assert await number(built.abbott, f'SELECT count(*) FROM "{table}"') > 0, table
        assert await number(built.campus, f'SELECT count(*) FROM "{table}"') > 0, table
        for district in ("01", "02"):
            query = f"""SELECT count(*) FROM "{table}" WHERE "districtNumber" = '{district}'"""
            assert await number(built.state, query) > 0, (table, district)


async def test_it_has_the_proportions_of_the_screenshots(built: Built) -> None:
    async def count(table: str, which: str = "") -> int:
        return await number(built.abbott, f'SELECT count(*) FROM "{table}" {which}')

    assert await count("District") == 1
    assert await rows(built.campus, 'SELECT "number", "name" FROM "District"') == [("02", "Campus")]
    assert await count("School") == 4
    assert 178 <= World("01", "Large", 100_000, seed=1).schools <= 194
    assert await count("Enrollment", 'WHERE "endYear" = 2026') == pytest.approx(STUDENTS, rel=0.02)
    assert await count("Person") == pytest.approx(1.17 * STUDENTS, rel=0.02)
    assert await count("Employment") == pytest.approx(0.13 * STUDENTS, rel=0.06)
    of_year = """WHERE "courseID" IN (SELECT "courseID" FROM "Course" JOIN "Calendar" USING ("calendarID")
        WHERE "endYear" = 2026)"""
    assert await count("Section", of_year) == pytest.approx(54 * await count("School"), rel=0.2)


def broken(flaw: Flaw) -> str:
    """Return the query that counts a district's rows with a flaw."""
    rules = [rule for rule in load_state_rules() if rule.table == flaw.table]
    table, column = f'"{flaw.table}"', f'"{flaw.column}"'
    if flaw.kind is FlawKind.DUPLICATE:
        unique = next(", ".join(f'"{name}"' for name in rule.unique) for rule in rules if flaw.column in rule.unique)
        wanted = f"{column} IS NOT NULL GROUP BY {unique} HAVING count(*) > 1"
        return f"SELECT count(*) FROM (SELECT 1 FROM {table} WHERE {wanted}) d"
    if flaw.kind is FlawKind.TOO_LONG:
        kind = next(rule.type for rule in rules if rule.column == flaw.column and rule.type)
        return f"SELECT count(*) FROM {table} WHERE length({column}) > {kind.removeprefix('VARCHAR')}"
    wanted = {
        FlawKind.ORPHAN: f"{column} > {NOBODY}",
        FlawKind.OUT_OF_RANGE: f"{column} = {flaw.value(None, 0)}",
        FlawKind.MISSING: f"{column} IS NULL",
        FlawKind.EXCLUDED: broken_rule(flaw),
    }[flaw.kind]
    return f"SELECT count(*) FROM {table} WHERE {wanted}"


def broken_rule(flaw: Flaw) -> str:
    """Return the condition of a row that may not sync."""
    if flaw.column == "personID":
        left = f'SELECT "personID" FROM "Enrollment" WHERE "personID" % {LEAVING} = 0 AND "endDate" IS NOT NULL'
        return f'"personID" IN ({left})'
    if flaw.column == "date":
        undated = 'SELECT "testID" FROM "Test" WHERE "endYear" IS NULL'
        return f"""("date" IS NULL OR "date" < '2025-07-01') AND "testID" IN ({undated})"""
    return f'"{flaw.column}" = {flaw.value(None, 0)}'


@pytest.mark.parametrize("flaw", FLAWS, ids=lambda flaw: f"{flaw.table}.{flaw.column} {flaw.kind} {flaw.first}")
async def test_the_districts_have_each_flaw_and_the_state_does_not(built: Built, flaw: Flaw) -> None:
    assert await number(built.abbott, broken(flaw)) > 0
    assert await number(built.campus, broken(flaw)) > 0
    query = broken(flaw).replace("GROUP BY", 'GROUP BY "districtNumber",')
    assert await number(built.state, query) == 0


def test_there_is_every_kind_of_flaw() -> None:
    assert {flaw.kind for flaw in FLAWS} == set(FlawKind)


async def test_demo_has_children_of_hidden_calendars_and_grade_levels(built: Built) -> None:
    for table, child, key in (
        ("Calendar", "ScheduleStructure", "calendarID"),
        ("StructureGradeLevel", "Enrollment", "structureGradeID"),
    ):
        hidden = f'SELECT "{key}" FROM "{table}" WHERE "stateExclude"'
        assert await number(built.abbott, f'SELECT count(*) FROM "{child}" WHERE "{key}" IN ({hidden})') > 0
        assert await number(built.state, f'SELECT count(*) FROM "{table}" WHERE "stateExclude"') == 0


async def test_the_state_lacks_nothing_that_a_district_has(built: Built) -> None:
    assert await derive(built.abbott, built.state, load()) == []
    assert await derive(built.campus, built.state, load()) == []


def test_demo_file_breaks_only_the_foreign_keys_it_declares(files: Built) -> None:
    with closing(sqlite3.connect(files.path.parent / "abbott.db")) as connection:
        broken_tables = {row[0] for row in connection.execute("PRAGMA foreign_key_check")}
    assert broken_tables == {table for table, _ in ORPHANED}


def test_a_state_file_keeps_every_key_and_every_declared_length(files: Built) -> None:
    with closing(sqlite3.connect(files.path.parent / "state.db")) as connection:
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for table in TABLES:
            for column, kind in connection.execute("SELECT name, type FROM pragma_table_info(?)", (table,)).fetchall():
                size = re.fullmatch(r"(?:VAR)?CHAR\((\d+)\)", kind)
                limit = re.fullmatch(r"NUMERIC\((\d+), (\d+)\)", kind)
                query = f'SELECT max(length("{column}")), max(abs("{column}")) FROM "{table}"'
                longest, largest = connection.execute(query).fetchone()
                assert not size or (longest or 0) <= int(size[1]), (table, column)
                assert not limit or (largest or 0) < 10 ** (int(limit[1]) - int(limit[2])), (table, column)


async def test_demo_state_validates_every_key_and_a_district_does_not(server: Built) -> None:
    unvalidated = "SELECT count(*) FROM pg_constraint WHERE NOT convalidated"
    assert await number(server.state, unvalidated) == 0
    assert await number(server.abbott, unvalidated) == len(ORPHANED)
    keys = "SELECT count(*) FROM pg_constraint WHERE contype = 'f'"
    assert await number(server.state, keys) == await number(server.abbott, keys)


@pytest.mark.parametrize(("table", "key"), [("Person", 0), ("Enrollment", 0), ("Roster", 0), ("HealthScreening", 0)])
async def test_demo_state_has_a_few_stale_missing_and_extra_rows(files: Built, table: str, key: int) -> None:
    names = [
        name
        for (name,) in await rows(files.state, f"SELECT name FROM pragma_table_info('{table}')")
        if name not in ("districtNumber", "stateNote")
    ]
    columns = ", ".join(f'"{name}"' for name in names)
    ours = {row[key]: row for row in await rows(files.abbott, f'SELECT {columns} FROM "{table}"')}
    query = f"""SELECT {columns} FROM "{table}" WHERE "districtNumber" = '01'"""
    theirs = {row[key]: row for row in await rows(files.state, query)}
    both = ours.keys() & theirs.keys()
    right = sum(ours[key] == theirs[key] for key in both)
    assert right > 0.9 * len(ours)
    assert 0 < len(both) - right < 0.06 * len(ours)
    assert 0 < len(ours.keys() - theirs.keys()) < 0.06 * len(ours)
    assert 0 < len(theirs.keys() - ours.keys()) < 0.03 * len(ours)


async def test_the_state_has_remarks_of_its_own(built: Built) -> None:
    query = """SELECT count(*) FROM "Enrollment" WHERE "stateNote" = 'Reviewed by the state'"""
    assert await number(built.state, query) > 0
    assert await number(built.abbott, query) == 0


async def test_a_demo_that_is_there_is_used(files: Built) -> None:
    folder = files.path.parent
    before = {file.name: (file.stat().st_mtime_ns, file.stat().st_size) for file in folder.iterdir()}
    assert await build.build(folder, students=7, districts=1) == files.path
    assert {file.name: (file.stat().st_mtime_ns, file.stat().st_size) for file in folder.iterdir()} == before


async def test_a_database_without_a_resync_toml_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "state.db").write_bytes(b"mine")
    with pytest.raises(CannotRun, match=r"holds state\.db but no resync\.toml"):
        await build.build(tmp_path, students=10)
    assert names_in(tmp_path) == ["state.db"]
    assert (tmp_path / "state.db").stat().st_size == len("mine")


async def test_a_folder_that_holds_something_else_is_built_into(tmp_path: Path) -> None:
    (tmp_path / "pg").mkdir()
    await build.build(tmp_path, students=10, districts=3)
    assert names_in(tmp_path) == [
        "abbott.db", "campus.db", "delmar.db", "pg", "resync.toml", "state.db",
    ]  # fmt: skip


async def test_an_interrupted_build_leaves_nothing(
    tmp_path: Path, postgres_server: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def interrupted(*_: object) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(build, "fill", interrupted)
    before = await rows(postgres_server, "SELECT datname FROM pg_database ORDER BY 1")
    for admin_url in (None, postgres_server):
        with pytest.raises(asyncio.CancelledError):
            await build.build(tmp_path / "demo", students=10, admin_url=admin_url)
        assert names_in(tmp_path) == []
    assert await rows(postgres_server, "SELECT datname FROM pg_database ORDER BY 1") == before


async def test_a_database_that_the_server_has_is_not_overwritten(
    tmp_path: Path, postgres_server: str, server: Built
) -> None:
    moved = server.path.rename(tmp_path / "away")
    try:
        with pytest.raises(CannotRun, match="The server already has a database demo_"):
            await build.build(server.path.parent, students=10, admin_url=postgres_server)
    finally:
        moved.rename(server.path)


def test_no_password_stands_in_resync_toml(server: Built, postgres_server: str) -> None:
    password = urlsplit(postgres_server).password
    assert password is not None
    assert password not in server.path.read_text("utf-8")
    assert password in server.state
    assert (server.path.parent / "password").stat().st_mode & 0o777 == 0o600
    away = urlunsplit(urlsplit(server.state)._replace(path=""))
    assert away == urlunsplit(urlsplit(postgres_server)._replace(path=""))


def test_resync_toml_gives_rights_to_the_role_of_its_urls(server: Built, files: Built) -> None:
    role = urlsplit(server.settings.control_url()).username
    roles = (role, role_of(server, "state"))
    assert (server.settings.rights.read, server.settings.rights.write) == (roles, roles)
    assert (files.settings.rights.read, files.settings.rights.write) == ((), ())


async def test_a_districts_console_can_neither_stop_nor_see_the_states(server: Built) -> None:
    """What README's second try shows: the state's request arrives as an alert, and the district sends its own."""
    state, district = (load_settings(server.path.parent / console / "resync.toml") for console in CONSOLES)
    plan = make_plan(load_catalog(state), ["School"], 2026)
    theirs = await opened(state)
    ours = await opened(district)
    try:
        (asked,) = await theirs.submit(Request(["01"], plan, "state", ""))
        assert await ours.batches() == []
        assert [each.name for each in await ours.alerts.posted()] == [REQUESTED]
        with pytest.raises(UsageError, match="There is no batch"):
            await ours.cancel(asked.batch, "")
        (own,) = await ours.submit(Request(["01"], plan, "district", ""))
        assert {each.batch for each in await theirs.batches()} == {asked.batch, own.batch}
        await theirs.cancel(asked.batch, "")
        assert (await theirs.batch(asked.batch)).status is Status.CANCELLED
    finally:
        await theirs.close()
        await ours.close()
    for settings in (state, district):
        assert "password" not in urlsplit(settings.state_url()).netloc
        assert settings.edition == ("state" if settings is state else "district")


async def opened(settings: Settings) -> Store:
    return await Store.open(settings.control_url(), edition=edition_of(settings), allowed=allowed_by(settings))


def test_demo_lets_the_first_district_send_the_previous_year(files: Built) -> None:
    abbott, campus = files.settings.district
    assert {"Calendar", "CourseSection"} < set(abbott.previous)
    assert campus.previous == ()
    assert [each.name for each in catalog_of_year(files.settings, "01", 2025).objects] == list(abbott.previous)


def test_resync_toml_names_the_year_and_the_state(files: Built) -> None:
    settings = files.settings
    assert settings.state.name == "NV"
    assert (settings.years.current, str(settings.years.opens), str(settings.years.closes)) == (
        2026, "2025-08-01", "2026-06-30",
    )  # fmt: skip
    assert [(each.id, each.name) for each in settings.district] == [("01", "Abbott"), ("02", "Campus")]
