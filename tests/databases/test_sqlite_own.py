"""What is no control database is refused in words, and left as it is."""

import os
import socket
import sqlite3
import stat
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from resync_tui.control.store import Store
from resync_tui.errors import CannotRun


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """The file of another program, which others may read."""
    file = tmp_path / "district.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute("CREATE TABLE person (id integer PRIMARY KEY)")
        connection.commit()
    file.chmod(0o644)
    return file


def looks(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {each.name: (stat.S_IMODE(each.stat().st_mode), each.read_bytes()) for each in folder.iterdir()}


async def refused(file: Path) -> CannotRun:
    with pytest.raises(CannotRun) as told:
        await Store.open(f"sqlite:///{file}")
    return told.value


@pytest.mark.parametrize("journal", ["DELETE", "WAL", "PERSIST"])
async def test_a_file_with_tables_of_others_is_left_alone(other: Path, journal: str) -> None:
    with closing(sqlite3.connect(other)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}")
        connection.execute("CREATE VIEW people AS SELECT * FROM person")
        connection.commit()
    before = looks(other.parent)
    told = await refused(other)
    assert told.what == f"The control database ({other}) holds tables of another program, such as people"
    assert told.do == "Give [control] url a file of its own: the database of a district or of the state is none."
    assert looks(other.parent) == before


async def test_tables_that_another_program_is_writing_count(tmp_path: Path) -> None:
    """They are not in the file itself yet."""
    file = tmp_path / "busy.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        connection.execute("CREATE TABLE person (id integer PRIMARY KEY)")
        assert b"person" not in file.read_bytes()
        assert "such as person" in (await refused(file)).what
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("person",)]


async def test_a_file_whose_tables_are_all_gone_is_taken(other: Path) -> None:
    with closing(sqlite3.connect(other)) as connection:
        connection.executescript(
            "DROP TABLE person; CREATE TABLE n (i integer PRIMARY KEY AUTOINCREMENT); DROP TABLE n"
        )
    await (await Store.open(f"sqlite:///{other}")).close()
    assert looks(other.parent)[other.name][0] == 0o600


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[dict[str, Path]]:
    """What can stand where a file is named."""
    made = {name: tmp_path / name.replace(" ", "") for name in ("a folder", "a FIFO", "a socket")}
    made["a folder"].mkdir()
    os.mkfifo(made["a FIFO"])
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(made["a socket"]))
        yield made


@pytest.mark.parametrize("kind", ["a folder", "a FIFO", "a socket"])
async def test_what_is_no_file_is_refused_at_once(odd: dict[str, Path], kind: str) -> None:
    told = await refused(odd[kind])
    assert (told.what, told.do) == (f"{odd[kind]} is {kind}, not a SQLite file", "Name a file in that URL.")


async def test_a_device_is_refused_at_once() -> None:
    assert (await refused(Path("/dev/zero"))).what in (
        "/dev/zero is a device, not a SQLite file",
        "You may not use the control database (/dev/zero): it belongs to another user",
    )
