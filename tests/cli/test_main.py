"""The command line itself: quick help, two lines for every error, sane ends."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from resync_tui.cli.main import BROKEN_PIPE, answer
from resync_tui.errors import CannotRun
from tests.support.place import Place
from tests.support.waiting import DEADLINE

HEAVY = (
    "sqlalchemy", "sqlmodel", "textual", "asyncpg", "aiosqlite", "alembic", "resync_tui.json_output.documents",
    "resync_tui.schema.campus",
)  # fmt: skip


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["run", "--help"],
        ["demo", "--help"],
        ["demo", "--stop"],
        ["plan", "School"],
        ["plan", "--all", "--json"],
        ["schedule"],
    ],
)
def test_help_and_plan_import_neither_databases_nor_screens(place: Place, arguments: list[str]) -> None:
    code = f"""
import sys
from resync_tui.cli.main import answer
code = answer({arguments!r})
heavy = [name for name in {HEAVY!r} if name in sys.modules]
sys.exit(f"imported {{heavy}}" if heavy else code)
"""
    environment = {**os.environ, "RESYNC_TUI_CONFIG": str(place.folder / "resync.toml")}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "what"),
    [
        (["plan", "Skool"], 2, "There is no DIS object Skool; the nearest is School"),
        (["plan"], 2, "Name objects, or say --all"),
        (["plan", "School", "--all"], 2, "Name objects, or say --all"),
        (["plan", "School", "-d", "3"], 2, "There is no district 3"),
        (["plan", "School", "--year", "2025"], 2, "District 01 is not configured for the school year 2024-25"),
        (["plan", "School", "--jsn"], 2, "No such option '--jsn'. Did you mean '--json'?"),
        ([], 2, "This is no terminal"),
        (["demo", "--dir", "demo"], 2, "This is no terminal"),
        (["demo", "--students", "0"], 2, "Invalid value for '--students'"),
        (["objcts"], 2, "No such command 'objcts'."),
        (["objects", "-d", "1"], 2, "There is no district 1; the nearest is 01"),
        (["run", "School", "--yes"], 2, "2 districts are configured"),
        (["run", "-d", "01", "-d", "7", "School"], 2, "There is no district 7"),
        (["history", "--batch", "4"], 2, "There is no batch #4"),
        (["history", "-d", "9"], 2, "There is no district 9"),
        (["errors", "4"], 2, "There is no batch #4"),
        (["errors", "four"], 2, "Invalid value for 'N': 'four' is not a valid integer."),
        (["cancel"], 2, "Name one batch, or one request"),
        (["cancel", "4", "--request", "1"], 2, "Name one batch, or one request"),
        (["cancel", "4"], 2, "There is no batch #4"),
        (["state", "init", "-d", "5"], 2, "There is no district 5"),
        (["--config", "none.toml", "objects"], 2, "Cannot read {folder}/none.toml: No such file or directory"),
        (["objects", "--config", "none.toml"], 2, "Cannot read {folder}/none.toml: No such file or directory"),
    ],
)
def test_a_wrong_use_is_told_in_two_lines_and_queues_nothing(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch,
    arguments: list[str], code: int, what: str,
) -> None:  # fmt: skip
    monkeypatch.chdir(place.folder)
    assert answer(arguments) == code
    told = capsys.readouterr()
    assert told.out == ""
    lines = told.err.splitlines()
    assert len(lines) == 2
    assert lines[0].startswith(what.format(folder=place.folder))
    control = place.folder / "control.db"
    assert not control.exists() or place.sql("control", 'SELECT count(*) FROM "DISBatch"') == [(0,)]


def test_unforeseen_error_is_logged_without_its_message(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    record = "Doe, Jane, 2011-05-17"

    def fail(*_: object) -> None:
        raise LookupError(record)

    monkeypatch.setattr("resync_tui.config.load.load_settings", fail)
    monkeypatch.setattr("resync_tui.logs.crash_log_path", lambda: place.folder / "resync-tui" / "errors.log")
    assert answer(["plan", "School"]) == 3
    told = capsys.readouterr().err
    log = place.folder / "resync-tui" / "errors.log"
    assert told.splitlines()[0] == "An unforeseen error: LookupError"
    assert str(log) in told
    assert "in fail" in log.read_text()
    assert "Jane" not in told + log.read_text()
    assert log.stat().st_mode & 0o777 == 0o600


def test_a_foreseen_error_in_a_database_is_told_in_two_lines(
    place: Place, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise CannotRun("Cannot reach the state", "Start it.")

    monkeypatch.setattr("resync_tui.cli.browse.read_settings", fail)
    assert answer(["objects"]) == 3
    assert capsys.readouterr().err == "Cannot reach the state\nStart it.\n"


def test_a_reader_that_goes_away_is_no_error(place: Place) -> None:
    process = place.start("objects", "--json")
    assert process.stdout is not None
    process.stdout.close()
    assert process.stderr is not None
    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(DEADLINE) == BROKEN_PIPE


def test_the_version_is_that_of_the_package(capsys: pytest.CaptureFixture[str]) -> None:
    from importlib.metadata import version

    assert answer(["--version"]) == 0
    assert version("resync-tui") in capsys.readouterr().out


def test_objects_lists_the_checklist_in_screen_order(place: Place) -> None:
    done = place.run("objects", "--json")
    assert done.returncode == 0, done.stderr
    never = {"last_resync": None, "processed": None, "errors": None, "status": None, "color": None}
    assert json.loads(done.stdout) == [
        {"object": "District", "parents": [], "children": ["School"], "school_year": False, **never},
        {"object": "School", "parents": ["District"], "children": ["Person"], "school_year": False, **never},
        {"object": "Person", "parents": ["School"], "children": [], "school_year": True, **never},
    ]
    assert [line.strip() for line in place.run("objects").stdout.splitlines()[1:]] == ["District", "School", "Person"]


def test_plan_names_what_is_sent_in_order_and_why(place: Place) -> None:
    done = place.run("plan", "person", "--json")
    assert json.loads(done.stdout) == {
        "year": 2026,
        "objects": [
            {"object": "District", "sequence": 1, "wave": 1, "marked": "required", "required_by": ["School"]},
            {"object": "School", "sequence": 2, "wave": 2, "marked": "required", "required_by": ["Person"]},
            {"object": "Person", "sequence": 3, "wave": 3, "marked": "selected", "required_by": []},
        ],
    }
    alone = json.loads(place.run("plan", "person", "--no-check-dependencies", "--json").stdout)
    assert [each["object"] for each in alone["objects"]] == ["Person"]
    text = place.run("plan", "person").stdout.splitlines()
    assert text[0] == "3 objects for 2025-26, in this order:"
    assert text[1].split() == ["1.", "District", "required", "by", "School"]


def test_text_fits_eighty_columns(place: Place) -> None:
    (place.folder / "resync.toml").write_text(
        (place.folder / "resync.toml").read_text().replace("[catalog]\nfile", "#")
    )
    for arguments in (["plan", "--all"], ["plan", "TestScore"], ["objects"], ["history"]):
        assert max(map(len, place.run(*arguments).stdout.splitlines())) <= 80


def test_state_init_prints_and_makes_what_the_state_lacks(place: Place) -> None:
    (place.folder / "state.db").unlink()
    printed = place.run("state", "init", "-d", "01", "--sql")
    assert printed.returncode == 0, printed.stderr
    assert printed.stdout.count("CREATE TABLE") == 3
    assert not (Path(place.folder) / "state.db").exists()
    assert "statements made what was missing" in place.run("state", "init", "-d", "01").stdout
    assert place.run("state", "init", "-d", "02").stdout == "Nothing is missing.\n"
    assert place.run("doctor").stdout.splitlines()[-1] == "Nothing is wrong."
