"""Errors in mid-work that no message of their own explains: each is in a closed list, and the rest is counted."""

import logging
import sqlite3

import asyncpg
import pytest

from resync_tui.databases.registry import explain, kind_of, trouble

URLS = ("postgresql://db/state", "sqlite:////state.db")
NEVER = "00 01 02 03 08 09 10 0B 0F 0L 0P 0Z 20 21 24 25 26 27 28 2B 2D 2F 34 38 39 3B 3D 3F 44 57 72 F0 HV"
"""Classes of SQLSTATE that a batch's statements do not bring about, or that end the batch."""


def of_postgresql() -> list[type[asyncpg.PostgresError]]:
    found: list[type[asyncpg.PostgresError]] = []
    waiting = [asyncpg.PostgresError]
    while waiting:
        waiting += (kind := waiting.pop()).__subclasses__()
        if (kind.sqlstate or "")[:2] not in NEVER:
            found.append(kind)
    return found


@pytest.fixture(autouse=True)
def known_kinds() -> None:
    for url in URLS:
        kind_of(url)


def test_what_postgresql_may_refuse_is_in_the_list(caplog: pytest.LogCaptureFixture) -> None:
    kinds = of_postgresql()
    assert len(kinds) > 100
    for kind in kinds:
        error = kind("Zoe")
        told = explain(error, "the state", URLS[0]) or trouble(error, "the state")
        assert "Zoe" not in told.what + told.do
        assert told.do
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("SELECT * FROM a", "is not there"),
        ("CREATE TABLE a (id CHECK (id > 1)); INSERT INTO a VALUES (0)", "refused records together"),
        ("CREATE TABLE a (id INTEGER PRIMARY KEY); INSERT INTO a VALUES ('Zoe')", "could not be converted"),
        ("SELECT zeroblob(2000000000)", "too large"),
    ],
)
def test_what_sqlite_may_refuse_is_in_the_list(script: str, told: str, caplog: pytest.LogCaptureFixture) -> None:
    connection = sqlite3.connect(":memory:")
    with pytest.raises(sqlite3.Error) as raised:
        connection.executescript(script)
    connection.close()
    assert told in trouble(raised.value, "the state").what
    assert caplog.messages == []


def test_what_is_not_in_the_list_is_counted_without_its_text(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.WARNING)
    told = trouble(sqlite3.InternalError("Zoe"), "the state")
    assert "a statement was refused (InternalError)" in told.what
    assert caplog.messages == ["not in the list of troubles: InternalError"]
