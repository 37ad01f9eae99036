"""What doctor shows: a line for each thing that it looked at, a line a district while all is well."""

import json
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import anyio
import pytest
import sqlalchemy as sa

from resync_tui.cli.doctor.control import LITTLE_ROOM
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.engine.backends.registry import backend_of
from resync_tui.plan import make_plan
from tests.support.control import Agents
from tests.support.databases import login, run_script
from tests.support.place import Place
from tests.support.plans import send

WELL = "District 01, Abbott: 6 checks"


def checks(place: Place, state: str, *arguments: str) -> dict[str, str]:
    """Return what doctor found of one state, with what to do."""
    found = json.loads(place.run("doctor", "--json", *arguments).stdout)["checks"]
    return {each["what"]: each["do"] for each in found if each["state"] == state}


def send_to_nobody(place: Place) -> None:
    async def queue() -> None:
        settings = load_settings(place.folder / "resync.toml")
        store = await Store.open(settings.control_url())
        await send(store, make_plan(load_catalog(settings), ["District"], 2026), "02")
        await store.close()

    anyio.run(queue)


def test_a_district_that_is_well_has_one_line(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    place.sql("campus", 'DROP TABLE "Person"')
    lines = place.run("doctor").stdout.splitlines()
    assert [line for line in lines if "istrict 01" in line] == [
        f"✓ {WELL}", "! The login may write to the district (district 01, 02)"
    ]  # fmt: skip
    assert "✗ District 02 has no table Person" in lines
    assert not any(line.startswith("✓ District 02") for line in lines)
    assert lines[-1] == "1 problem"


@pytest.mark.parametrize("arguments", [("-d", "01"), ("--verbose",)])
def test_all_that_was_looked_at_of_a_district_is_shown(
    place: Place, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...]
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    lines = place.run("doctor", *arguments).stdout.splitlines()
    assert f"+ District 01 ({place.folder}/abbott.db) can be read" in lines
    assert "+ District 01 says that it is: District.number" in lines
    assert any("District 02" in line for line in lines) == (arguments == ("--verbose",))
    assert lines[-1] == "Nothing is wrong."
    assert all(line.isascii() for line in lines)


def test_an_unknown_district_is_a_problem(place: Place) -> None:
    done = place.run("doctor", "-d", "11")
    assert done.returncode == 2
    assert "There is no district 11" in done.stdout


def test_a_batch_that_no_agent_serves_is_a_problem(place: Place) -> None:
    assert "No batch waits for an agent" in checks(place, "ok")
    send_to_nobody(place)
    told = {"Batch #1 waits, and no agent is alive to serve it": "Start one: resync-tui agent"}
    assert checks(place, "problem") == told
    assert place.run("doctor").returncode == 1

    async def serve() -> None:
        agents = Agents(f"sqlite:///{place.folder}/control.db")
        await agents.start()
        for each in agents.databases:
            await each.close()

    anyio.run(serve)  # of other districts
    assert checks(place, "problem") == told


def test_a_schedule_that_nobody_fires_is_a_problem(place: Place) -> None:
    place.change("[[district]]", '[[schedule]]\nname = "weekly"\ncron = "30 12 * * 0"\n[[district]]')
    (told,) = checks(place, "problem").items()
    assert told[0].endswith(", but no service is there to fire it")
    assert told[1] == "Start one that stays: resync-tui agent"


@pytest.mark.parametrize("name", ["nv", "Nevada", " nevada "])
def test_a_states_name_is_known_in_any_spelling(place: Place, name: str) -> None:
    place.change('name = "NV"', f'name = "{name}"')
    assert f"The state is {name}" in checks(place, "ok")


def test_a_name_that_is_no_states_is_a_problem(place: Place) -> None:
    place.change('name = "NV"', 'name = "Nevadda"')
    (told,) = checks(place, "problem")
    assert told == "[state] name Nevadda is no state's; the nearest is Nevada: objects of single states are left out"
    assert place.run("doctor").returncode == 2
    catalog = place.folder / "objects.toml"
    catalog.write_text(catalog.read_text().replace('name = "School"', 'name = "School"\nstates = ["nevadda"]'))
    assert checks(place, "problem") == {}


def test_a_catalog_without_identity_is_told(place: Place) -> None:
    catalog = place.folder / "objects.toml"
    catalog.write_text(catalog.read_text().replace('identity = "District.number"\n', ""))
    assert any(each.startswith("The catalog has no identity") for each in checks(place, "advice"))


def test_an_identity_of_no_object_is_looked_at(place: Place) -> None:
    catalog = place.folder / "objects.toml"
    catalog.write_text(catalog.read_text().replace('identity = "District.number"', 'identity = "who.number"'))
    for name, number in (("abbott", "01"), ("campus", "03")):
        place.sql(name, f"CREATE TABLE who (number TEXT); INSERT INTO who VALUES ('{number}');")
    assert "District 01 says that it is: who.number" in checks(place, "ok")
    assert set(checks(place, "problem")) == {"District 02 is another one: its who.number says 03"}


def test_little_room_for_the_control_database_is_told(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=LITTLE_ROOM - 1))
    told = f"The control database ({place.folder}/control.db) has 256 MB free on its disk"
    assert checks(place, "advice")[told] == "Free some space there."


@pytest.mark.parametrize(("grant", "may"), [("SELECT", False), ("SELECT, DELETE", True)])
async def test_a_login_that_may_write_to_a_district_is_known(
    database: Callable[[str], str], grant: str, may: bool
) -> None:
    url, role = database("postgresql"), f"guest_{secrets.token_hex(4)}"
    made = (
        f'CREATE TABLE "a.b" (id integer); CREATE TABLE "C" (id integer); CREATE ROLE {role} LOGIN PASSWORD \'geheim\''
    )
    await run_script(url, f'{made}; GRANT {grant} ON "C" TO {role}; GRANT SELECT ON "a.b" TO {role}')
    engine = open_engine(login(url, role), read_only=True)
    try:
        async with engine.connect() as connection:
            tables = [sa.Table(each, sa.MetaData()) for each in ("a.b", "C")]
            assert await backend_of(url).dialect.may_write(connection, tables) is may
    finally:
        await engine.dispose()
        await run_script(url, f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_file_that_may_be_written_is_told(place: Place, tmp_path: Path) -> None:
    assert checks(place, "advice") == {
        "The login may write to the district (district 01, 02)": "A login that may only read is enough."
    }
