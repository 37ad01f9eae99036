"""Databases that are not what they must be: what is told, which exit code, and what stays unharmed."""

import json
import os
import resource
import subprocess
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from resync_tui.control.migrate import VERSION_TABLE
from tests.support.place import Place
from tests.support.waiting import DEADLINE, wait_until


def send(place: Place, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Send everything, and return exit code, documents and standard error."""
    done = place.run("run", "--all", "--yes", "--json", *arguments)
    assert "Traceback" not in done.stderr
    return done.returncode, [json.loads(line) for line in done.stdout.splitlines()], done.stderr


def statuses(document: dict[str, Any]) -> dict[str, str]:
    return {each["object"]: each["status"] for each in document["objects"]}


@pytest.mark.parametrize("url", ["sqlite:///gone.db", "postgresql://resync:hunter2@127.0.0.1:1/campus"])
def test_a_district_that_cannot_be_reached_fails_alone(place: Place, url: str) -> None:
    place.change("sqlite:///abbott.db", url)
    code, (abbott, campus), told = send(place, "-d", "01", "-d", "02")
    assert code == 3
    assert (abbott["status"], campus["status"]) == ("failed", "completed")
    assert "hunter2" not in told
    assert "Abbott" in told or "01" in told
    assert place.sql("state", 'SELECT DISTINCT "districtNumber" FROM "Person"') == [("02",)]


def test_a_state_that_cannot_be_reached_is_exit_code_three(place: Place) -> None:
    place.change("sqlite:///state.db", "postgresql://resync:hunter2@127.0.0.1:1/state")
    code, (abbott,), told = send(place, "-d", "01")
    assert (code, abbott["status"], abbott["color"]) == (3, "failed", "red")
    assert "the state" in told
    assert "hunter2" not in told


@pytest.mark.parametrize(
    ("database", "statements", "reason"),
    [
        ("state", 'DROP TABLE "School"', "The state has no table School"),
        ("abbott", 'PRAGMA foreign_keys = OFF; DROP TABLE "School";', "has no table School"),
        ("state", 'ALTER TABLE "School" DROP COLUMN "name"', "The state's table School has no column name"),
        (
            "state",
            'DROP TABLE "School"; CREATE TABLE "School" ("districtNumber" TEXT, "schoolID" DATE, "number" TEXT, '
            '"name" TEXT, PRIMARY KEY ("districtNumber", "schoolID"));',
            "School.schoolID is INTEGER",
        ),
    ],
)
def test_object_that_does_not_fit_fails_with_its_children_alone(
    place: Place, database: str, statements: str, reason: str
) -> None:
    place.sql(database, statements)
    code, (abbott, campus), told = send(place, "-d", "01", "-d", "02")
    assert code == 3
    assert reason in told.splitlines()[0]
    assert statuses(abbott) == {"District": "completed", "School": "failed", "Person": "skipped"}
    assert campus["status"] == ("completed" if database == "abbott" else "failed")
    assert reason in place.run("history", "--batch", str(abbott["batch"])).stdout
    assert place.sql("state", "SELECT count(*) FROM District") == [(2,)]


def test_a_read_only_state_is_named_and_nothing_is_written(place: Place, database: Callable[[str], str]) -> None:
    url = database("postgresql")
    place.change("sqlite:///state.db", url)
    assert place.run("state", "init", "-d", "01").returncode == 0
    name = urlsplit(url).path[1:]
    _psql(url, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    code, (abbott,), told = send(place, "-d", "01")
    assert (code, abbott["status"]) == (3, "failed")
    assert "read-only" in told


def _psql(url: str, statement: str) -> None:
    import anyio
    import asyncpg

    async def execute() -> None:
        connection = await asyncpg.connect(url)
        await connection.execute(statement)
        await connection.close()

    anyio.run(execute)


@pytest.mark.skipif(os.getuid() == 0, reason="root may write every file")
def test_a_control_database_that_may_not_be_written_is_named(place: Place) -> None:
    assert place.run("history").returncode == 0
    (place.folder / "control.db").chmod(0o400)
    done = place.run("run", "-d", "01", "--all", "--yes")
    assert done.returncode == 3
    assert len(done.stderr.splitlines()) == 2


def test_newer_control_database_is_refused_and_left_alone(place: Place) -> None:
    assert place.run("history").returncode == 0
    place.sql("control", f"UPDATE \"{VERSION_TABLE}\" SET version_num = '9999'")
    for arguments in (["objects"], ["run", "-d", "01", "--all", "--yes"], ["agent", "--once"]):
        done = place.run(*arguments)
        assert done.returncode == 3
        assert "newer" in done.stderr
        assert len(done.stderr.splitlines()) == 2
    assert place.sql("control", f'SELECT version_num FROM "{VERSION_TABLE}"') == [("9999",)]
    assert "newer" in place.run("doctor").stdout


def test_a_control_database_on_a_full_disk_queues_nothing(place: Place) -> None:
    assert place.run("history").returncode == 0
    process = place.start(
        *("run", "-d", "01", "-d", "02", "--all", "--yes"),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024)),
    )
    _, err = process.communicate(timeout=DEADLINE)
    assert process.returncode == 3
    assert len(err.splitlines()) == 2
    assert "the control database" in err
    assert json.loads(place.run("history", "--json").stdout) == []


def test_a_file_that_is_no_database_is_named(place: Place) -> None:
    (place.folder / "control.db").write_text("dear diary, " * 1000)
    done = place.run("objects")
    assert done.returncode == 3
    assert "Not a SQLite file" in done.stderr
    assert (place.folder / "control.db").read_text().startswith("dear diary")


def test_resync_works_with_postgresql_at_both_ends_and_control(place: Place, database: Callable[[str], str]) -> None:
    """Two districts and the control database on real servers, at once."""
    for name in ("abbott", "campus", "state", "control"):
        place.change(f"sqlite:///{name}.db", database("postgresql"))
    text = place.folder.joinpath("resync.toml").read_text()
    urls = [line.partition('"')[2].rstrip('"') for line in text.splitlines() if line.startswith("url")]
    tables = place.sql("abbott", "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
    for url, number in zip(urls[2:], ("01", "02"), strict=True):
        for (table,) in tables:
            _psql(url, str(table).replace("DEFAULT 0", "DEFAULT false"))
        _psql(
            url,
            f"""INSERT INTO "District" VALUES ('{number}', 'x'); INSERT INTO "School" VALUES (1, '{number}', 'A')""",
        )
        _psql(url, 'INSERT INTO "Person" SELECT n, 1, n > 8 FROM generate_series(1, 10) n')
    assert place.run("state", "init", "-d", "01").returncode == 0
    code, documents, told = send(place, "-d", "01", "-d", "02")
    assert code == 1, told
    assert [(each["status"], each["objects"][2]["inserted"]) for each in documents] == [("completed", 8)] * 2


def test_the_process_that_waits_may_be_killed(place: Place) -> None:
    process: subprocess.Popen[str] = place.start("run", "-d", "01", "--all", "--json")

    def standing() -> str:
        return "".join(each["status"] for each in json.loads(place.run("history", "--json").stdout))

    # As long as it is queued there may be no agent yet.
    wait_until(lambda: standing() not in ("", "queued"))
    process.kill()
    process.communicate()
    wait_until(lambda: standing() == "completed")
