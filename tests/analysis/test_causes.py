"""The SQL that finds a record, on a database."""

import sqlite3

import pytest

from resync_tui.analysis.causes import query_of
from resync_tui.outcome import KeyValue


@pytest.mark.parametrize(
    "key", [{"id": 12}, {"id": 'O\'Neil "x"'}, {"id": None, "year": 2026}, {"id": True}, {"id": 0.1}, {'a"b': 1}]
)
def test_the_query_finds_the_record_alone(key: dict[str, KeyValue]) -> None:
    here = sqlite3.connect(":memory:")
    here.execute("ATTACH ':memory:' AS dbo")
    columns = ", ".join('"' + name.replace('"', '""') + '"' for name in key)
    here.execute(f'CREATE TABLE dbo."My Table" ({columns})')
    places = ", ".join("?" * len(key))
    here.executemany(f'INSERT INTO dbo."My Table" VALUES ({places})', [tuple(key.values()), ("other",) * len(key)])
    assert here.execute(query_of("dbo.My Table", key)).fetchall() == [tuple(key.values())]
    here.close()
