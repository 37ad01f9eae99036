"""A value planted in a district's rows reaches the state, and nothing else: keys are all that the program tells."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random

import asyncpg
import pytest

from resync_tui import rights
from resync_tui.app import ResyncApp
from resync_tui.config import Settings, load
from resync_tui.control.store import Store
from resync_tui.crash import crashed
from resync_tui.database import dialect_of, sqlite_path
from resync_tui.screens.errors import ErrorsPage
from tests.accounts.campus import make_campus

MARK = "Zq7Kx"
LONG = MARK * 60
CONFIG = """
[control]
url = "{control}"
[state]
name = "NV"
url = "{state}"
[years]
current = 2026
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
    done = subprocess.run(
        [sys.executable, "-m", "resync_tui", *arguments],
        env={**os.environ, "RESYNC_TUI_CONFIG": str(settings.path), "XDG_STATE_HOME": home, "HOME": home},
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=240,
    )  # fmt: skip
    assert done.returncode in (0, 1, 3), done.stderr
    return done.stdout + done.stderr


async def screens(settings: Settings, batch: int) -> str:
    """Return what stands on the screens about a batch's errors."""

    async def open_store() -> Store:
        return await Store.open(settings.control_url(), viewpoint=rights.viewpoint_of(settings))

    app = ResyncApp(settings, settings.load_catalog(), open_store=open_store, start_agent=lambda: None, user="x")
    shown: list[str] = []
    async with app.run_test(size=(200, 100)) as pilot:
        while not app.session.ready:
            await pilot.pause(0.05)
        await app.push_screen(ErrorsPage(app.session, app.glyphs, batch))
        for _ in range(8):
            await pilot.pause(0.3)
            shown.append(app.export_screenshot())
            await pilot.press("enter")
            await pilot.pause(0.3)
            shown.append(app.export_screenshot())
            await pilot.press("escape", "down")
    assert "refused" in shown[0]
    assert shown[0] != shown[1]
    return "\n".join(shown)


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_a_planted_value_appears_nowhere_but_in_the_state(
    kind: str, database: Callable[[str], str], tmp_path: Path
) -> None:
    campus = await make_campus(database, Random(7), kind, kind, ("01",))
    source = campus.districts["01"]
    planted = plant_in_file(sqlite_path(source)) if kind == "sqlite" else await plant_in_server(source)
    assert planted > 500
    site = tmp_path / "site"
    site.mkdir()
    control = f"sqlite:///{site}/control.db" if kind == "sqlite" else database("postgresql")
    (site / "resync.toml").write_text(CONFIG.format(control=control, state=campus.state, folder=site, source=source))
    settings = load(site / "resync.toml")

    told = [command(settings, "run", "--all", "--yes", "--detach", "--json"), command(settings, "agent", "--once")]
    told += [command(settings, *words) for words in (
        ("history",), ("history", "--batch", "1"), ("history", "--json"), ("objects",), ("objects", "--json"),
        ("errors", "1"), ("errors", "1", "--json"), ("plan", "--all"), ("doctor",), ("doctor", "--json"),
    )]  # fmt: skip
    told.append(await screens(settings, 1))
    store = await Store.open(control)
    (batch,) = await store.batches()
    assert batch.counts.errors > 100
    assert batch.counts.inserted + batch.counts.updated > 100
    await store.close()

    written = [each.read_bytes().decode("latin-1") for each in site.rglob("*") if each.is_file()]
    assert any('"status": "completed"' in each for each in written), "the notify command was not run"
    for text in (*told, *written, await everything_kept(control)):
        at = text.find(MARK)
        assert at < 0, text[max(0, at - 300) : at + 100]
    assert await in_the_state(campus.state)
    assert await stages(campus.state) == []


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
