"""The log of a real agent: no record's value and no password at any level, and a wrong level told in words."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import anyio
import anyio.lowlevel
import pytest

from resync_tui import logs
from resync_tui.agent.service import run_agent
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.outcome import Purpose, Status
from resync_tui.plan import Request, make_plan
from tests.support.databases import rows, run_script
from tests.support.settings import one_district

LIBRARIES = ("sqlalchemy", "sqlalchemy.engine.Engine", "sqlalchemy.pool", "aiosqlite", "asyncpg", "alembic", "asyncio",
             "textual", "anyio", "concurrent.futures", "resync_tuition")  # fmt: skip
STUDENT = "Zq7Kx-Student"

CATALOG = """
name = "Small"
identity = "School.district"
[[object]]
name = "School"
tables = ["School"]
"""
TABLE = 'CREATE TABLE "School" ("schoolID" INTEGER PRIMARY KEY, "district" VARCHAR(9), "name" VARCHAR(60));'
ROWS = f"""
INSERT INTO "School" VALUES (1, '01', 'North'), (2, '01', '{STUDENT}'), (3, '01', '{STUDENT} 3');
"""
REFUSES = {
    "sqlite": """CREATE TRIGGER refuse BEFORE INSERT ON "School" WHEN NEW."schoolID" = 3
        BEGIN SELECT RAISE(ABORT, 'refused by hand'); END;""",
    "postgresql": """CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
        $$BEGIN RAISE EXCEPTION 'refused: % %', NEW."name", NEW USING DETAIL = NEW."name"; END$$;
        CREATE TRIGGER refuse BEFORE INSERT ON "School" FOR EACH ROW WHEN (NEW."schoolID" = 3)
        EXECUTE FUNCTION refuse();""",
}


@pytest.fixture
def verbose_libraries() -> Iterator[None]:
    """Have every library tell all it can, as somebody who debugs would."""
    before = {name: logging.getLogger(name).level for name in LIBRARIES}
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


async def configured(folder: Path, kind: str, database: Callable[[str], str]) -> Settings:
    """Write a resync.toml with a district and a state that refuses one of its records."""
    urls = {name: database(kind) for name in ("control", "district", "state")}
    await run_script(urls["district"], TABLE + ROWS)
    await run_script(urls["state"], TABLE + REFUSES[kind])
    (folder / "resync.toml").write_text(one_district(**urls, catalog=True))
    (folder / "objects.toml").write_text(CATALOG)
    return load_settings(folder / "resync.toml")


async def served(settings: Settings) -> list[Status]:
    """Have an agent resync and compare everything."""
    store = await Store.open(settings.control_url())
    plan = make_plan(load_catalog(settings), ["School"], 2026)
    try:
        for purpose in (Purpose.RESYNC, Purpose.VERIFY):
            asked = Request(["01"], plan, initiator="state", requested_by=store.rights.user, purpose=purpose)
            await store.submit(asked)
            await run_agent(settings, once=True, idle_seconds=None)
        batches = await store.batches()
        assert [each.counts.rejected for each in batches] == [0, 1]
        return [each.status for each in batches]
    finally:
        await store.close()


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("level", logs.LEVELS)
async def test_no_value_and_no_password_stands_in_a_log(
    tmp_path: Path,
    database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
    verbose_libraries: None,
    kind: str,
    level: str,
) -> None:
    log = tmp_path / "agent.log"
    monkeypatch.setenv(logs.VARIABLE, level)
    monkeypatch.setattr("resync_tui.agent.service.log_path", lambda _url: log)
    settings = await configured(tmp_path, kind, database)
    assert await served(settings) == [Status.COMPLETED] * 2
    told = log.read_text("utf-8") if log.exists() else ""
    assert (": 3 new, 0 changed" in told or "School  started" in told) == (level in ("DEBUG", "INFO"))
    assert ("  debug  resync_tui.engine." in told) == (level == "DEBUG")
    assert "Zq7Kx" not in told
    password = urlsplit(settings.state_url()).password
    assert (password is not None) == (kind == "postgresql")
    assert password is None or password not in told
    assert not [line for line in told.splitlines() if line.split("  ")[1].startswith(LIBRARIES)]


@pytest.mark.parametrize("arguments", [("agent", "--once"), ("run", "School", "--yes")])
async def test_a_wrong_level_ends_a_command_in_two_lines(
    tmp_path: Path, database: Callable[[str], str], arguments: tuple[str, ...]
) -> None:
    settings = await configured(tmp_path, "sqlite", database)
    command = [sys.executable, "-m", "resync_tui", "--config", str(settings.path), *arguments]
    done = await anyio.run_process(command, env={**os.environ, logs.VARIABLE: "LOUD"}, check=False)
    assert done.returncode == 2
    assert await rows(settings.control_url(), "SELECT name FROM sqlite_master") == []
    assert done.stderr.decode().splitlines() == [
        "RESYNC_TUI_LOG is LOUD, no level of a log", "Set it to DEBUG, INFO, WARNING or ERROR, or unset it.",
    ]  # fmt: skip


def test_what_libraries_log_in_a_command_is_no_output(tmp_path: Path) -> None:
    code = (
        "import logging; from resync_tui import logs; [logs.keep_of_libraries() for _ in range(2)];"
        f"logging.getLogger('asyncio').error('{STUDENT}'); logging.getLogger('resync_tui').error('its own')"
    )
    home = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=home)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    (log,) = tmp_path.rglob("errors.log")
    (line,) = log.read_text().splitlines()
    assert line.endswith("  asyncio  error in <string>, line 1")
