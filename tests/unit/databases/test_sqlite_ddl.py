"""Expressions of generated columns are read from SQLite's own text of a table, whatever its form."""

import pytest

from resync_tui.databases.sqlite_ddl import generated_columns


@pytest.mark.parametrize(
    ("columns", "found"),
    [
        ("id integer, c text GENERATED ALWAYS AS (a || b) STORED", {"c": "a || b"}),
        ("c text AS (a||b), d as(upper(c)) VIRTUAL NOT NULL", {"c": "a||b", "d": "upper(c)"}),
        ("cc text AS (a), c text AS (b)", {"cc": "a", "c": "b"}),
        ("\"a \"\"c\" int as (1), [b] AS (2), `c``d` AS (3)", {'a "c': "1", "b": "2", "c`d": "3"}),
        ("""c AS (x("b", '),(') || ' as (x)'), b text DEFAULT ')'""", {"c": """x("b", '),(') || ' as (x)'"""}),
        ("c decimal(5, 2) CHECK (c <> 'as') /* as (x) */ AS -- (y)\n (a), CHECK (c > (0))", {"c": "a"}),
        ('"AS" text, b text DEFAULT (1), PRIMARY KEY (b)', {}),
    ],
)  # fmt: skip
def test_each_generated_column_has_its_expression(columns: str, found: dict[str, str]) -> None:
    for options in ("", " STRICT", " WITHOUT ROWID, STRICT"):
        assert generated_columns(f'CREATE TABLE "a (b" (\n{columns}\n){options}') == found
