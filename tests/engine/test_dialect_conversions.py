"""Every pair of column types: a value comes back from the state's column as the district has it, or is rejected.

For each pair that the engine takes, constants of the district's type go through a real batch into the state's type.
"""

import json
import re
import sqlite3
import struct
from collections.abc import Callable, Iterable, Mapping
from contextlib import closing
from datetime import datetime, time
from decimal import Decimal, InvalidOperation
from typing import Any
from uuid import UUID

import asyncpg

from resync_tui.catalog import Catalog, DisObject
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.engine.backends.registry import open_source, open_target
from resync_tui.engine.dialect import is_convertible
from resync_tui.outcome import Counts, Kind
from tests.support.databases import run_script
from tests.support.running import Heard, make_job, run
from tests.support.small import Database, every_pair

NUMBERS = ("0", "-1", "7", "1.10", "1.005", "32768", "16777216", "16777217", "123456789.12", "9007199254740993",
           "12345678901234567890", "0.1", "1e-40", "1e-300", "1e300", "3.5e38", "NaN", "Infinity")  # fmt: skip
TEXTS = ("", "a", "a ", " a", "abcd", "abcde", "1", "00501", "1E5", "0007", "1.10", "true", "é", "glad")
MOMENTS = ("2026-06-30", "2026-06-30 23:59:59.7", "2026-06-30 08:30:00", "2026-06-30 08:30:00.0001", "infinity")
TIMES = ("08:30", "08:30:00.4", "23:59:59.7", "08:30:00.123456")
OFFSETS = ("08:30:00-07:00", "08:30:00.5+02")
SPANS = ("90 minutes 40 s", "1 day", "1 mon 3 days 00:00:00.25", "1 year", "0")
JSONS = ("1.0", '{"b": 1, "a": [null]}', '{"a":1,"a":2}', '"\\u00e9"', "1e2", '"\\u0000"', '"a  b"')
UUIDS = ("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A12", "1" * 32)
OTHERS = ("10.0.0.1", "101", "{a,b}", "{2026-06-30 23:59:59.7}", "{1,2}", "$1.00", "\\x00ff", "f")
EVERY = (*NUMBERS, *TEXTS, *MOMENTS, *TIMES, *OFFSETS, *SPANS, *JSONS, *UUIDS, *OTHERS)

TYPED = (
    "smallint", "integer", "bigint", "numeric", "numeric(6,2)", "numeric(20,0)", "real", "double precision", "text",
    "varchar(4)", "char(4)", "char(6)", '"char"', "name", "boolean", "date", "time", "time(0)", "time(3)", "timetz",
    "timetz(0)", "timestamp", "timestamp(0)", "timestamp(3)", "timestamptz", "timestamptz(0)", "interval",
    "interval(0)", "interval minute", "interval year to month", "interval day to second", "uuid", "bytea", "json",
    "jsonb", "mood", "text[]", "integer[]", "timestamp[]", "timestamp(0)[]", "bit(3)", "bit varying", "inet", "money",
    "whole", "moment",
)  # fmt: skip
OF_DISTRICT = (
    "CREATE TYPE mood AS ENUM ('glad', 'a'); CREATE DOMAIN whole AS varchar(9); CREATE DOMAIN moment AS timestamp;"
)
OF_STATE = "CREATE TYPE mood AS ENUM ('glad'); CREATE DOMAIN whole AS varchar(4); CREATE DOMAIN moment AS timestamp(0);"
LOOSE = (
    "INTEGER", "SMALLINT", "BIGINT", "NUMERIC", "DECIMAL(6,2)", "REAL", "DOUBLE", "FLOAT", "TEXT", "VARCHAR(4)",
    "CHAR(4)", "CLOB", "BLOB", "BOOLEAN", "DATE", "TIME", "TIMESTAMP", "DATETIME", "TIMESTAMPTZ", "JSON", "UUID",
    "STRING", "MONEY", "GUID", "INTERVAL", "",
)  # fmt: skip
TYPES = {"postgresql": TYPED, "sqlite": LOOSE}
STORED: tuple[Any, ...] = (
    *EVERY, 0, 1, 7, -1, 32768, 2**31, 2**53 + 1, 2**63 - 1, 0.1, 0.1 + 0.2, 1.5, -0.0, 5.0, 16777217.0, 1e300, 1e-300,
    b"", b"1", b"\x00\xff", "2026-06-30 08:30:00+02:00", "2026-06-30T08:30Z", "2026-06-30T00:00:00+09:00",
    "2026-W09-7", "2026-06-30 00:00:00", "08:30Z", "08:30:00.1234567", "2026-06-30 08:30:00.1234567", '{"a": NaN}',
)  # fmt: skip

Table = dict[int, tuple[int, str]]
"""Column and text of each record, by its number."""


def _ddl(kinds: Mapping[int, str], name: str) -> str:
    columns = "".join(f", c{number} {kind}" for number, kind in kinds.items())
    return f"CREATE TABLE {name} (id integer PRIMARY KEY{columns});"


async def _pairs(district: str, state: str, ends: tuple[str, str]) -> dict[int, list[int]]:
    """Return the places of the state's types that the engine takes for each place of a district's type."""
    job = make_job(district, state, Catalog("Types", (DisObject("V", ("v",)),)), None)
    source, target = open_source(job.source, job.target), open_target(job.target)
    try:
        ours, theirs = (await source.reflect(["v"]))["v"].c, (await target.reflect(["v"]))["v"].c
    finally:
        await source.close()
        await target.close()
    return {
        one: [other for other in range(len(TYPES[ends[1]])) if is_convertible(ours[f"c{one}"], theirs[f"c{other}"])]
        for one in range(len(TYPES[ends[0]]))
    }


async def _constants(url: str, kinds: Iterable[str]) -> dict[int, list[Any]]:
    """Return the constants that a type takes, by its place."""
    if url.startswith("sqlite"):
        return {place: list(STORED) for place, _ in enumerate(kinds)}
    server = await asyncpg.connect(url)
    found: dict[int, list[Any]] = {}
    try:
        for place, kind in enumerate(kinds):
            for each in EVERY:
                try:
                    await server.fetchval(f"SELECT $1::text::{kind}::text", each)
                except asyncpg.DataError:
                    continue
                found.setdefault(place, []).append(each)
    finally:
        await server.close()
    return found


def _fill(url: str, table: str, kind: str, records: Mapping[int, tuple[int, Any]]) -> str:
    """Insert a record for each constant into a SQLite file; return the statements for a server."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_path(url))) as connection, connection:
            for number, (column, value) in records.items():
                connection.execute(f"INSERT INTO {table} (id, c{column}) VALUES (?, ?)", (number, value))
        return ""
    quoted = ((number, column, value.replace("'", "''")) for number, (column, value) in records.items())
    return "".join(
        f"INSERT INTO {table} (id, c{column}) VALUES ({n}, '{value}'::text::{kind});" for n, column, value in quoted
    )


async def _held(url: str, table: str, columns: Iterable[int]) -> dict[int, dict[int, Any]]:
    """Return the values of each record: as they are in SQLite, as text of a server."""
    names = [f"c{column}" for column in columns]
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(sqlite_path(url))) as connection:
            found = connection.execute(f"SELECT id, {', '.join(names)} FROM {table}").fetchall()
    else:
        server = await asyncpg.connect(url)
        try:
            await server.execute("SET DateStyle = ISO; SET TimeZone = 'UTC'; SET IntervalStyle = postgres")
            found = await server.fetch(f"SELECT id, {', '.join(f'{name}::text' for name in names)} FROM {table}")
        finally:
            await server.close()
    return {row[0]: dict(zip(columns, row[1:], strict=True)) for row in found}


@every_pair
async def test_a_value_comes_back_the_same_or_is_rejected(database: Database, ends: tuple[str, str]) -> None:
    district, state = database(ends[0]), database(ends[1])
    kinds = [dict(enumerate(TYPES[end])) for end in ends]
    for url, script, of_end in ((district, OF_DISTRICT, kinds[0]), (state, OF_STATE, kinds[1])):
        await run_script(url, (script if url.startswith("postgres") else "") + _ddl(of_end, "v"))
    pairs, constants = await _pairs(district, state, ends), await _constants(district, kinds[0].values())
    tables: dict[str, dict[int, tuple[int, Any]]] = {}
    ours, theirs = "", ""
    for one, others in pairs.items():
        if not others:
            continue
        ours += _ddl(dict.fromkeys(others, kinds[0][one]), f"t{one}")
        theirs += _ddl({other: kinds[1][other] for other in others}, f"t{one}")
        numbered = enumerate(((other, value) for other in others for value in constants[one]), 1)
        tables[f"t{one}"] = dict(numbered)
    await run_script(district, ours)
    await run_script(state, theirs)
    await run_script(
        district,
        "".join(_fill(district, name, kinds[0][int(name[1:])], records) for name, records in tables.items()) or ";",
    )
    job = make_job(district, state, Catalog("Types", tuple(DisObject(name, (name,)) for name in tables)), None)
    heard = await run(job)
    refused = _refusals(heard)
    wrong = []
    for name, records in tables.items():
        columns = pairs[int(name[1:])]
        sent, held = await _held(district, name, columns), await _held(state, name, columns)
        for number, (column, constant) in records.items():
            source, target = kinds[0][int(name[1:])], kinds[1][column]
            reason = refused.get((name, number))
            if reason is None and number not in held:
                wrong.append((source, target, constant, "is nowhere", heard.ended[name].message))
            elif reason is None and not _is_same(sent[number][column], held[number][column], source, target):
                wrong.append((source, target, constant, "became", held[number][column]))
            elif reason is not None and not reason.startswith(
                (f"c{column} ", f"c{column}: ", "a value that the state")
            ):
                wrong.append((source, target, constant, "is refused by", reason))
    print(*wrong, sep="\n")
    assert not wrong
    again = await run(job)
    expected = {
        name: Counts(processed=len(records), unchanged=len(records) - count, rejected=count)
        for name, records in tables.items()
        for count in [sum(table == name for table, _ in refused)]
    }
    assert again.counts == expected


def _refusals(heard: Heard) -> dict[tuple[str, int], str]:
    assert all(event.kind is Kind.REJECTED for event in heard.refusals)
    return {(event.table, int(str(key["id"]))): event.reason for event in heard.refusals for key in event.keys}


def _is_same(ours: Any, theirs: Any, source: str, target: str) -> bool:
    """Whether a value of the state's type is the district's, by what Python makes of both."""
    if ours is None or theirs is None:
        return ours is theirs
    if isinstance(ours, bytes):
        return theirs in (ours, f"\\x{ours.hex()}")
    return str(ours) == str(theirs) or any(
        mine is not None and mine == _read(reading, theirs)
        for reading in _readings(ours, source, target.lower())
        for mine in [_read(reading, ours)]
    )


def _readings(ours: Any, source: str, target: str) -> Iterable[Callable[[Any], Any]]:
    """Yield the readings by which values of different texts may be the same one of a type."""
    if source == "real" or target == "real":
        yield _real
    if not isinstance(ours, str) or (source in TYPED and source.startswith(NUMERIC)):
        yield _number
    elif target.upper() in LOOSE:
        yield _as_text
    if source.lower().startswith("char"):
        yield _unpadded
    for start, reading in READINGS.items():
        if target.startswith(start):
            yield reading


def _read(reading: Callable[[Any], Any], value: Any) -> Any:
    try:
        return reading(value)
    except (ValueError, TypeError, AttributeError, KeyError, InvalidOperation, OverflowError):
        return None


def _as_text(value: Any) -> str:
    """Return a value as SQLite writes it."""
    with closing(sqlite3.connect(":memory:")) as connection:
        return str(connection.execute("SELECT CAST(? AS TEXT)", (value,)).fetchone()[0])


def _unpadded(value: str) -> str:
    return value.rstrip(" ")


def _number(value: Any) -> Decimal | None:
    number = Decimal(repr(value)) if isinstance(value, float) else Decimal(value)
    return None if number.is_nan() else number


def _real(value: Any) -> float | None:
    """Return a number of the type real; None if it is not one, exactly or as PostgreSQL prints one."""
    number = float(value)
    (real,) = struct.unpack("f", struct.pack("f", number))
    return float(real) if number in (real, *(float(f"{real:.{digits}g}") for digits in range(1, 10))) else None


def _json(text: str) -> Any:
    return json.dumps(json.loads(text, object_pairs_hook=sorted, parse_float=_plain, parse_int=_plain))


def _plain(text: str) -> str:
    return f"{Decimal(text).normalize():f}"


def _boolean(value: Any) -> bool:
    return {"1": True, "true": True, "1.0": True, "0": False, "false": False, "0.0": False, "-0.0": False}[str(value)]


def _moment(text: str) -> tuple[datetime, bool]:
    if not re.match(r"\d{4}-\d\d-\d\d", text) or re.search(r"\.\d{6}\d*[1-9]", text):
        raise ValueError
    found = datetime.fromisoformat(text)
    return found, found.tzinfo is not None


def _clock(text: str) -> time:
    if re.search(r"\.\d{6}\d*[1-9]", text):
        raise ValueError
    return time.fromisoformat(text)


NUMERIC = ("small", "int", "big", "num", "real", "double")
READINGS: dict[str, Callable[[Any], Any]] = {
    "json": _json,
    "uuid": UUID,
    "bool": _boolean,
    "timestamp": _moment,
    "date": _moment,
    "time": _clock,
}
