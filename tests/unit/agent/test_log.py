"""The log that a person reads."""

import logging
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resync_tui.agent import log
from resync_tui.agent.log import AgentLog, about, line_of
from resync_tui.engine.events import Note, ObjectEnded, ObjectProgress, ObjectStarted, RecordsRefused
from resync_tui.outcome import Counts, Kind, Status
from resync_tui.paths import log_path


def test_log_lies_beside_a_sqlite_control_file_else_in_xdg_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert log_path("sqlite:////srv/control.db") == Path("/srv/agent.log")
    assert log_path("postgresql://db/control") == tmp_path / "resync-tui" / "agent.log"


def test_a_line_begins_with_the_local_time_and_stays_one_line(tmp_path: Path) -> None:
    moment = datetime(2025, 11, 20, 4, 12, 3, tzinfo=UTC)
    log = AgentLog(tmp_path / "agent.log", clock=lambda: moment)
    with log.attached(), about("batch 7"), about("district 01"):
        logging.getLogger("resync_tui.agent").info("School  failed:\nno table")
    local = moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %z")
    assert (tmp_path / "agent.log").read_text() == f"{local}  batch 7  district 01  School  failed:\\nno table\n"
    assert (tmp_path / "agent.log").stat().st_mode & 0o777 == 0o600


def test_a_long_log_is_moved_aside_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log, "SIZE_LIMIT", 100)
    first, second = (AgentLog(tmp_path / "agent.log") for _ in range(2))
    for number in range(9):
        (first, second)[number % 2].write(f"line {number}", "x" * 30)
    kept = [(tmp_path / name).read_text().splitlines() for name in ("agent.log.1", "agent.log")]
    assert [line.split("  ")[1] for file in kept for line in file] == [f"line {each}" for each in (6, 7, 8)]
    assert {each.name for each in tmp_path.iterdir()} == {"agent.log", "agent.log.1"}


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "folder").touch()
    AgentLog(tmp_path / "folder" / "agent.log").write("lost")
    assert (tmp_path / "folder").read_bytes() == b""


def test_events_become_lines_without_the_keys_of_records() -> None:
    refused = RecordsRefused("School", "School", Kind.REJECTED, "name is too long", 3, ({"ssn": "078-05-1120"},))
    ended = ObjectEnded("School", Status.FAILED, Counts(processed=5, rejected=3, updated=2), "no table")
    assert line_of(ObjectStarted("School")) == ("School", "started")
    assert line_of(ObjectProgress("School", "reading", 1, 2, Counts())) == ()
    assert line_of(Note("snapshot taken")) == ("snapshot taken",)
    assert line_of(refused) == ("School", "3 rejected in School: name is too long")
    counts = "processed 5, errors 3, inserted 0, updated 2, unchanged 0"
    assert line_of(ended) == ("School", "failed", counts, "no table")


def test_no_line_grows_older_than_configured(tmp_path: Path) -> None:
    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    log = AgentLog(tmp_path / "agent.log", clock=lambda: now[0])
    log.write("old")
    now[0] += timedelta(days=15)
    log.forget(0)
    log.forget(30)
    assert (tmp_path / "agent.log").exists()
    now[0] += timedelta(hours=1)
    log.forget(30)
    log.write("new")
    aside = tmp_path / "agent.log.1"
    assert "old" in aside.read_text()
    os.utime(aside, (now[0].timestamp(),) * 2)
    now[0] += timedelta(days=14)
    log.forget(30)
    assert aside.exists()
    now[0] += timedelta(days=1, hours=1)
    log.forget(30)
    assert {each.name for each in tmp_path.iterdir()} == {"agent.log.1"}
    assert "new" in aside.read_text()
