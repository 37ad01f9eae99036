"""Levels of logs, and what is kept of a library's record: nothing of a record, an error or a URL, at any level."""

import logging
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from resync_tui import logs
from resync_tui.agent.log import AgentLog, about
from resync_tui.cli.options import read_settings
from resync_tui.errors import ConfigError, UntrustedPath

LIBRARIES = ("sqlalchemy", "sqlalchemy.engine.Engine", "sqlalchemy.pool", "aiosqlite", "asyncpg", "alembic", "asyncio",
             "textual", "anyio", "concurrent.futures", "resync_tuition")  # fmt: skip
LEVELS = (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL)
STUDENT, PASSWORD = "Zq7Kx-Student", "hunter2-Password"


@pytest.fixture
def verbose_libraries() -> Iterator[None]:
    """Have every library tell all it can, as somebody who debugs would."""
    before = {name: logging.getLogger(name).level for name in LIBRARIES}
    for name in LIBRARIES:
        logging.getLogger(name).setLevel(logging.DEBUG)
    yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("written", ["DEBUG", "ERROR"])
def test_of_a_librarys_record_only_the_place_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verbose_libraries: None, written: str
) -> None:
    monkeypatch.setenv(logs.VARIABLE, written)
    agent, console = AgentLog(tmp_path / "agent.log"), logs.LogFile(tmp_path / "errors.log")
    logging.getLogger().addHandler(console)
    with agent.attached(), about("batch 7"):
        for name in LIBRARIES:
            for level in LEVELS:
                try:
                    raise ValueError(f"{STUDENT} {PASSWORD}")
                except ValueError:
                    logging.getLogger(name).log(level, f"%s {STUDENT}", PASSWORD, exc_info=True)
                logging.getLogger(name).log(level, f"{STUDENT}\n{PASSWORD}", stack_info=True)
    logging.getLogger().removeHandler(console)
    for file, subject in ((agent.path, "batch 7  "), (console.path, "")):
        lines = file.read_text("utf-8").splitlines()
        assert STUDENT not in "\n".join(lines)
        assert PASSWORD not in "\n".join(lines)
        assert len(lines) == 2 * len(LIBRARIES) * len([each for each in LEVELS if each >= logging.WARNING])
        assert f"  {subject}asyncpg  error in test_logs, line " in "\n".join(lines)
        assert len([line for line in lines if line.endswith(", ValueError")]) == len(lines) // 2


def test_an_error_of_ones_own_is_told_by_its_place(tmp_path: Path) -> None:
    log = AgentLog(tmp_path / "agent.log")
    with log.attached():
        try:
            raise ValueError(STUDENT)
        except ValueError:
            logging.getLogger("resync_tui.engine").exception("it ended")
    told = log.path.read_text()
    assert "  it ended  " in told
    assert "ValueError in tests.unit.test_logs, line " in told
    assert STUDENT not in told


async def test_each_agent_of_a_process_has_its_own_lines(tmp_path: Path) -> None:
    own = logging.getLogger("resync_tui.agent")

    async def serve(name: str) -> None:
        with AgentLog(tmp_path / name).attached():
            await anyio.lowlevel.checkpoint()
            own.info("agent %s", name)
            with about(hidden=True):
                own.info("nobody may know")
            await anyio.lowlevel.checkpoint()

    async with anyio.create_task_group() as tasks:
        for name in ("one", "two"):
            tasks.start_soon(serve, name)
    for name in ("one", "two"):
        (line,) = (tmp_path / name).read_text().splitlines()
        assert line.endswith(f"  agent {name}")
    assert not [each for each in logging.getLogger().handlers if isinstance(each, AgentLog)]


@pytest.mark.parametrize("written", ["LOUD", "10", "debugg"])
def test_a_wrong_level_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str) -> None:
    monkeypatch.setenv(logs.VARIABLE, written)
    for refused in (logs.level, lambda: read_settings(tmp_path / "resync.toml")):
        with pytest.raises(ConfigError, match=f"RESYNC_TUI_LOG is {written}, no level of a log") as told:
            refused()
        assert told.value.do == "Set it to DEBUG, INFO, WARNING or ERROR, or unset it."
    with pytest.raises(ConfigError), AgentLog(tmp_path / "agent.log").attached():
        raise AssertionError("it was taken")
    assert not [each for each in logging.getLogger().handlers if isinstance(each, AgentLog)]


@pytest.mark.parametrize(("written", "level"), [("", "INFO"), ("debug", "DEBUG"), ("Warning", "WARNING")])
def test_a_level_is_taken_in_any_case(monkeypatch: pytest.MonkeyPatch, written: str, level: str) -> None:
    monkeypatch.setenv(logs.VARIABLE, written)
    assert logs.level() == level


def test_a_line_of_values_forges_no_other_and_is_clipped(tmp_path: Path) -> None:
    log = logs.LogFile(tmp_path / "agent.log")
    log.write("reason\n2026-01-01 00:00:00 +0000  forged\x1b]0;PWNED\a", "x" * 1_000_000)
    (line,) = log.path.read_text("utf-8").splitlines()
    assert r"  reason\n2026-01-01 00:00:00 +0000 forged\x1b]0;PWNED\x07  xxx" in line
    assert len(line) < 3_000


def test_a_log_that_is_a_link_begins_no_agent(tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    notes.write_text("mine")
    (tmp_path / "agent.log").symlink_to(notes)
    with pytest.raises(UntrustedPath, match=r"agent\.log is a link"), AgentLog(tmp_path / "agent.log").attached():
        pass
    logs.LogFile(tmp_path / "agent.log").write("a line of a console")
    assert notes.read_text() == "mine"


def test_a_crash_log_is_ours_whatever_the_umask(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    before = os.umask(0)
    try:
        logs.crashed(ValueError())
    finally:
        os.umask(before)
    (file,) = tmp_path.rglob("errors.log")
    assert [stat.S_IMODE(each.stat().st_mode) for each in (file, file.parent, tmp_path / "state")] == [
        0o600, 0o700, 0o700,
    ]  # fmt: skip
