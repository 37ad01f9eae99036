"""A value planted in a district's rows reaches the state, and nothing else: keys are all that the program tells."""

import os
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import anyio
import asyncpg
import pytest

from resync_tui.config.load import load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.databases.registry import dialect_of
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.logs import crashed
from resync_tui.outcome import Purpose
from resync_tui.results import Batch
from tests.support import forks
from tests.support.command_line import looked
from tests.support.every_screen import every_screen
from tests.support.oracle.campus import make_campus

MARK = "Zq7Kx"
LONG = MARK * 60
CONFIG = """
edition = "{edition}"
[control]
url = "{control}"
[state]
name = "NV"
url = "{state}"
[years]
current = 2026
[engine]
extra_share = 1.0
[[schedule]]
name = "weekly"
cron = "0 2 * * 0"
[notify]
command = ["/bin/sh", "-c", "cat >> {folder}/notified"]
[[district]]
id = "01"
name = "Abbott"
url = "{source}"
"""


def plant_in_file(file: Path) -> int:
    """Put it into every text column outside the key of some rows of every table; return how many took it."""
    planted = 0
    with closing(sqlite3.connect(file, isolation_level=None)) as source:
        source.execute("PRAGMA foreign_keys = OFF")
        for (table,) in source.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = source.execute(f'PRAGMA table_info("{table}")').fetchall()
            texts = [each[1] for each in columns if not each[5] and ("CHAR" in each[2] or "TEXT" in each[2])]
            for column in texts if table != "District" else ():
                for value, rest in ((f"{MARK}' || rowid || '", "rowid % 5 = 1"), (LONG, "rowid % 9 = 2")):
                    planted += source.execute(
                        f"""UPDATE OR IGNORE "{table}" SET "{column}" = '{value}' WHERE {rest}"""
                    ).rowcount
    return planted


async def plant_in_server(url: str) -> int:
    """Do the same in a PostgreSQL database, as far as columns are wide enough."""
    planted = 0
    source = await asyncpg.connect(url)
    await source.execute("SET session_replication_role = replica")
    for table, column, width, key in await source.fetch(_TEXT_COLUMNS):
        value = f"left('{MARK}' || \"{key}\"::text, {width or 300})"
        try:
            done = await source.execute(f'UPDATE "{table}" SET "{column}" = {value} WHERE "{key}" % 5 = 1')
        except asyncpg.PostgresError:
            continue
        planted += int(done.rpartition(" ")[2])
    await source.close()
    return planted


_TEXT_COLUMNS = """
    SELECT c.table_name, c.column_name, c.character_maximum_length, k.attname
    FROM information_schema.columns c
    JOIN pg_index i ON i.indrelid = format('%I.%I', c.table_schema, c.table_name)::regclass AND i.indisprimary
    JOIN pg_attribute k ON k.attrelid = i.indrelid AND k.attnum = i.indkey[0] AND k.atttypid IN (20, 21, 23)
    WHERE c.table_schema = 'public' AND c.data_type IN ('character varying', 'text') AND c.table_name <> 'District'
"""


async def everything_kept(url: str) -> str:
    """Return all that stands in a control database, as text."""
    if dialect_of(url) == "sqlite":
        folder = sqlite_path(url).parent
        return "\n".join(each.read_bytes().decode("latin-1") for each in folder.glob("control.db*"))
    server = await asyncpg.connect(url)
    tables = await server.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    kept = [str(row) for (table,) in tables for row in await server.fetch(f'SELECT * FROM "{table}"')]
    await server.close()
    return "\n".join(kept)


def command(settings: Settings, *arguments: str) -> str:
    """Run a command of the program's, and return all that it printed."""
    home = str(settings.path.parent / "home")
    done = forks.run(
        [sys.executable, "-m", "resync_tui", *arguments],
        env={**os.environ, "RESYNC_TUI_CONFIG": str(settings.path), "XDG_STATE_HOME": home, "HOME": home},
    )
    assert done.returncode in (0, 1, 3), done.stderr
    return done.stdout + done.stderr


def write_settings(folder: Path, edition: str, **urls: str) -> Settings:
    """Write the resync.toml of an edition into a folder of its own, and read it."""
    folder.mkdir()
    (folder / "resync.toml").write_text(CONFIG.format(edition=edition, folder=folder, **urls))
    return load_settings(folder / "resync.toml")


async def take_away(url: str) -> None:
    """Delete records from the district, so that the state has extra ones."""
    statement = 'DELETE FROM "VaccineShot" WHERE "shotID" % 2 = 1'
    if dialect_of(url) == "sqlite":
        with closing(sqlite3.connect(sqlite_path(url))) as source, source:
            source.execute(statement)
    else:
        server = await asyncpg.connect(url)
        await server.execute(statement)
        await server.close()


def told(settings: Settings, source: str, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what all commands and all screens tell, of a resync, a comparison and a removal."""
    said = [command(settings, "run", "-d", "01", "--all", "--yes", "--json", "--ignore-excluded")]
    anyio.run(take_away, source)
    whole = () if settings.edition == "state" else ("--json",)
    said.append(command(settings, "verify", "-d", "01", "--all", "--keys", *whole))
    compared, resync = anyio.run(batches, settings)[:2]
    assert compared.counts.extra > 0
    assert resync.counts.errors > 100
    said += anyio.run(every_screen, settings, resync.batch, compared.batch, monkeypatch).values()
    said += [command(settings, *words) for words in (
        ("remove-extra", "-d", "01", "VaccineShot", "--yes", *whole), ("run", "--all-districts", "District", "--yes"),
    )]  # fmt: skip
    number = str(resync.batch)
    for words in (
        ("history",), ("history", "--batch", number), ("history", "--json"), ("objects",), ("objects", "--json"),
        ("errors", number), ("errors", number, "--json"), ("plan", "--all"), ("doctor",),
        ("doctor", "--json"), ("board",), ("board", "--csv"), ("board", "--json"), ("alerts",), ("alerts", "--json"),
        ("schedule",), ("schedule", "--json"), ("retry", "1"), ("cancel", number),
    ):  # fmt: skip
        done = looked(settings.path, words)
        assert done.returncode in (0, 1, 3) or words[0] in ("retry", "cancel"), done.stderr
        said.append(done.stdout + done.stderr)
    removals = [each for each in anyio.run(batches, settings) if each.purpose is Purpose.REMOVE_EXTRA]
    assert removals[0].counts.removed > 0
    return said


async def batches(settings: Settings) -> list[Batch]:
    """Return all batches, newest first."""
    store = await Store.open(settings.control_url())
    try:
        return await store.batches()
    finally:
        await store.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("kind", "edition"), [pytest.param("sqlite", "state", marks=pytest.mark.matrix), ("postgresql", "district")]
)
def test_a_planted_value_appears_nowhere_but_in_the_state(
    kind: str,
    edition: str,
    database: Callable[[str], str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    agents_end: None,
) -> None:
    campus = anyio.run(make_campus, database, Random(7), kind, kind, ("01",))
    source = campus.districts["01"]
    planted = plant_in_file(sqlite_path(source)) if kind == "sqlite" else anyio.run(plant_in_server, source)
    assert planted > 500
    site = tmp_path / "site"
    control = f"sqlite:///{site}/control.db" if kind == "sqlite" else database("postgresql")
    settings = write_settings(site, edition, control=control, state=campus.state, source=source)
    # What the screens copy and write as CSV goes into the working folder.
    monkeypatch.chdir(site)
    said = told(settings, source, monkeypatch)
    assert list(site.glob("*.csv"))
    assert list(site.glob("resync-copy.txt"))

    written = [each.read_bytes().decode("latin-1") for each in site.rglob("*") if each.is_file()]
    assert any('"status": "completed"' in each for each in written), "the notify command was not run"
    for text in (*said, *written, anyio.run(everything_kept, control)):
        at = text.find(MARK)
        assert at < 0, text[max(0, at - 300) : at + 100]
    assert anyio.run(in_the_state, campus.state)
    assert anyio.run(stages, campus.state) == []


async def in_the_state(url: str) -> bool:
    """Whether the value did arrive where it belongs: else nothing was tried."""
    if dialect_of(url) == "sqlite":
        return MARK.encode() in sqlite_path(url).read_bytes()
    server = await asyncpg.connect(url)
    tables = await server.fetch(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
    )
    found = [
        await server.fetchval(f"""SELECT count(*) FROM "{table}" t WHERE t::text LIKE '%{MARK}%'""")
        for (table,) in tables
    ]
    await server.close()
    return any(found)


async def stages(url: str) -> list[str]:
    """Return what is left of staged records."""
    if dialect_of(url) == "sqlite":
        file = sqlite_path(url)
        return [each.name for each in file.parent.glob(f"{file.name}.resync-*") if not each.name.endswith("-fence")]
    server = await asyncpg.connect(url)
    rows = await server.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relpersistence = 'u'")
    await server.close()
    return [row[0] for row in rows]


def test_a_crash_report_says_where_and_never_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    def stumble() -> None:
        raise ValueError(f"a record of {MARK.lower()}")

    with pytest.raises(ValueError, match="a record") as error:
        stumble()
    problem = crashed(error.value)
    (report,) = (each for each in tmp_path.rglob("errors.log"))
    assert "test_student_data" in report.read_text()
    assert MARK.lower() not in report.read_text() + problem.what + problem.do
