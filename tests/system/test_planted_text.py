"""Text that somebody plants in the control database or in a name is shown as what it is, wherever it is shown."""

import re
import sqlite3
import tomllib
from contextlib import closing
from pathlib import Path

import anyio
import pytest

from resync_tui.config.load import load_settings
from tests.support.command_line import looked
from tests.support.every_screen import every_screen
from tests.support.place import Place, build
from tests.support.screens.pseudo_terminal import terminal

EVIL = "\x1b]0;PWNED\x07\x1b[31m\x9b31m\u202egnp\r\n    99 02       forged\u2028\u200b"
FREE = {
    "DISBatch": ("requestedBy", "reason", "cancelledBy", "message", "agent"),
    "DISBatchHistory": ("message", "phase"),
    "DISBatchError": ("reason",),
    "DISBatchErrorCount": ("reason",),
    "DISBatchFinding": ("tableName",),
    "DISBatchFindingCount": ("tableName",),
    "ProcessAlert": ("process", "name", "message"),
    "DISAgent": ("host",),
}
"""Columns that a role of a district, a database or an agent fills with any text."""
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b\u2028\u202a-\u202e\u2066-\u2069]")
"""What a terminal obeys or hides, but for the ends of lines."""


@pytest.fixture
def planted(tmp_path: Path) -> Place:
    """A place in which a resync and a comparison have run, with that text in every place of it."""
    place = build(tmp_path)
    place.sql("abbott", "UPDATE Person SET stateExclude = 1")
    for command in ("run", "verify"):
        assert place.run(command, "-d", "01", "--all", *(("--yes",) * (command == "run"))).returncode in (0, 1)
    place.end_agents()
    with closing(sqlite3.connect(place.folder / "control.db", isolation_level=None)) as control:
        control.execute("PRAGMA foreign_keys = OFF")
        for table, columns in FREE.items():
            for column in columns:
                control.execute(f'UPDATE OR IGNORE "{table}" SET "{column}" = ?', (EVIL,))
    name = '"' + "".join(f"\\u{ord(each):04x}" for each in EVIL) + '"'
    assert tomllib.loads(f"name = {name}")["name"] == EVIL
    place.change('"Abbott"', name)
    with (place.folder / "agent.log").open("a") as log:
        log.write(f"2026-01-01 00:00:00 +0000  batch 1  {''.join(EVIL.split())}\n")  # of a release before
    return place


def require_shown(text: str, where: object) -> None:
    """Require that nothing of a text is obeyed, and that no line is forged."""
    assert OBEYED.search(text) is None, (where, text)
    assert not re.search(r"^ *99 02 ", text, re.MULTILINE), (where, text)


def test_no_command_writes_what_a_terminal_obeys(planted: Place) -> None:
    seen = ""
    for words in (
        ("history",), ("history", "--batch", "1"), ("history", "--batch", "2"), ("history", "--json"), ("errors", "1"),
        ("errors", "1", "--sql"), ("errors", "1", "--json"), ("board",), ("board", "--json"), ("alerts",),
        ("alerts", "--json"), ("objects",), ("doctor",), ("doctor", "--json"), ("plan", EVIL), ("attach", "1"),
        ("cancel", "1"), ("retry", "1"), ("plan", "-d", EVIL, "School"),
    ):  # fmt: skip
        done = looked(planted.folder / "resync.toml", words)
        require_shown(done.stdout + done.stderr, words)
        seen += done.stdout + done.stderr
    csv = looked(planted.folder / "resync.toml", ("board", "--csv")).stdout
    require_shown(csv.replace("\r\n", "\n"), "csv")
    assert r"\x1b]0;PWNED\x07" in seen
    assert r"\x1b]0;PWNED\x07" in csv


@pytest.mark.long
def test_no_screen_copy_or_file_holds_what_a_terminal_obeys(planted: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(planted.folder)
    shown = anyio.run(every_screen, load_settings(planted.folder / "resync.toml"), 1, 2, monkeypatch)
    files = [*planted.folder.glob("*.csv"), *planted.folder.glob("resync-copy*.txt")]
    assert len(files) > 3
    for where, text in (*shown.items(), *((each.name, each.read_text().replace("\r\n", "\n")) for each in files)):
        require_shown(text, where)
    assert sum(r"\x1b]0;PWNED" in text for text in shown.values()) > 3
    assert any(r"\x1b]0;PWNED" in each.read_text() for each in files)


def test_a_terminal_is_sent_no_sequence_of_anothers(planted: Place) -> None:
    with terminal("resync_tui", "--config", str(planted.folder / "resync.toml"), size=(160, 40)) as shown:
        shown.reads_until(rb"\x1b]0;PWNED")
        for key, title in (("H", b"History"), ("\r", b"Batch #2")):
            shown.settles()
            shown.press(key)
            shown.reads_until(title)
        shown.settles()
        for sequence in ("\x1b]0;", "\x1b[31m\x9b", "\x9b", "\u202e", "\u200b", "\u2028"):
            assert sequence.encode() not in shown.output
