"""Databases that are not what they must be: two lines, the right exit code, nothing half-written, others unharmed.

What tests/cli/test_run_bad_databases.py holds is not repeated.
"""

import os
import resource
import sqlite3
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import psutil
import pytest

from resync_tui.clock import utc_now
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.outcome import Status
from tests.support import forks
from tests.support.json_schemas import printed
from tests.support.site.build import open_site
from tests.support.site.records import accounts_hold
from tests.support.site.site import Site
from tests.support.templates import control_file
from tests.support.waiting import until

NOTHING: dict[str, list[tuple[object, ...]]] = {"District": [], "Person": [], "Enrollment": [], "Health": []}


@pytest.fixture
async def site(
    kind: str,
    tmp_path: Path,
    database: Callable[[str], str],
    control_database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Site]:
    """Two small districts."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    async with open_site(
        tmp_path, kind, database, control_database(kind), districts=("01", "02"), enrollments=100, records_per_second=0
    ) as site:
        yield site


def command(site: Site, *arguments: str) -> tuple[int, list[dict[str, Any]], str]:
    """Run a command; return exit code, documents and standard error."""
    run = [sys.executable, "-m", "resync_tui", "--config", str(site.settings.path), *arguments]
    done = forks.run(run, cwd=forks.ROOT)
    assert "Traceback" not in done.stderr + done.stdout
    return done.returncode, printed(arguments[0], done.stdout), done.stderr


def send(site: Site) -> tuple[int, list[dict[str, Any]], str]:
    """Send both districts everything; an agent is there."""
    site.start()
    return command(site, "run", "-d", "01", "-d", "02", "--all", "--yes", "--json")


def change(site: Site, old: str, new: str) -> None:
    """Change resync.toml."""
    text = site.settings.path.read_text()
    assert old in text
    site.settings.path.write_text(text.replace(old, new, 1))


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_url_reaching_another_district_writes_nothing_of_it(site: Site) -> None:
    await site.change(
        "01",
        """INSERT INTO "District" VALUES ('03')""",
        """UPDATE "Person" SET "number" = '03'""",
        """DELETE FROM "District" WHERE "number" = '01'""",
    )
    code, (first, second), told = send(site)
    assert (code, first["status"], second["status"]) == (3, "failed", "completed")
    assert first["color"] == "red"
    assert {each["status"] for each in first["objects"]} == {"skipped"}
    assert "says that it is district 03, not 01" in told
    assert await site.held("01") == await site.held("03") == NOTHING
    await site.all_is_right("02")


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_two_districts_with_one_source_are_refused_unqueued(site: Site) -> None:
    change(site, site.settings.district_url("01"), site.settings.district_url("02"))
    code, documents, told = command(site, "run", "--all", "-d", "01", "--yes", "--json")
    assert (code, documents) == (2, [])
    assert len(told.splitlines()) == 2
    assert await site.store.batches() == []


@pytest.mark.parametrize("kind", ["postgresql"], indirect=True)
async def test_unreachable_control_is_told_without_its_password(site: Site) -> None:
    change(site, site.settings.control_url(), "postgresql://resync:hunter2@127.0.0.1:1/control")
    for arguments in (["run", "-d", "01", "--all", "--yes"], ["agent", "--once"]):
        code, documents, told = command(site, *arguments)
        assert (code, documents) == (3, [])
        assert len(told.splitlines()) == 2
        assert "Cannot reach the control database" in told
        assert "hunter2" not in told
    assert await site.held("01") == NOTHING


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_state_whose_file_is_read_only_is_named(site: Site) -> None:
    """A file of a later write version is read-only to SQLite, whoever opens it, root too."""
    with sqlite_path(site.state).open("r+b") as file:
        file.seek(18)
        file.write(b"\x03")
    code, documents, told = send(site)
    assert (code, {each["status"] for each in documents}) == (3, {"failed"})
    assert "read-only" in told
    assert await site.held("01") == await site.held("02") == NOTHING
    assert await site.leftovers() == []


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_a_damaged_district_fails_alone(site: Site) -> None:
    path = sqlite_path(site.settings.district_url("01"))
    with path.open("r+b") as file:
        file.seek(file.seek(0, os.SEEK_END) // 2)
        file.write(b"\xff" * 8192)
    code, (first, second), _ = send(site)
    assert (code, first["status"], second["status"]) == (3, "failed", "completed")
    await site.all_is_right("02")


async def test_a_disk_that_is_full_for_a_while_costs_the_batch_nothing(
    tmp_path: Path, database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The control database's disk: no file of the agent's may grow, until it has not been heard of for a while."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    async with open_site(tmp_path, "postgresql", database, control_file(tmp_path / "control.db")) as site:
        (number,) = await site.send("01")
        agent = site.start()
        await site.in_the_middle(number)
        full = psutil.Process(agent.pid)
        with closing(sqlite3.connect(sqlite_path(site.settings.control_url()), isolation_level=None)) as control:
            control.execute("PRAGMA wal_checkpoint(PASSIVE)")
        before = full.rlimit(resource.RLIMIT_FSIZE)
        full.rlimit(resource.RLIMIT_FSIZE, (1, before[1]))

        async def silent() -> bool:
            (seen,) = [each.seen for each in await site.store.agents()]
            return utc_now() - seen > timedelta(seconds=7)

        await until(silent)
        assert agent.poll() is None
        full.rlimit(resource.RLIMIT_FSIZE, before)
        batch = await site.reached(number, Status.COMPLETED, Status.FAILED)
        assert (batch.status, batch.attempts) == (Status.COMPLETED, 1)
        accounts_hold(batch)
        await site.all_is_right("01")
