"""Values of PostgreSQL's types: near each other and yet not the same, or written otherwise and the same."""

from dataclasses import dataclass

DIFFERENT: dict[str, list[tuple[str, str | None]]] = {
    "numeric": [("1.0", "1.00"), ("0", "-1e-9"), ("NaN", "0"), ("Infinity", "NaN")],
    "double precision": [("0", "-0"), ("-0", "0"), ("NaN", "0"), ("Infinity", "-Infinity"),
                         ("0.1", "0.10000000000000002")],
    "real": [("0.1", "0.2")],
    "interval": [("1 day", "24:00:00"), ("1 mon", "30 days"), ("60 min", "-01:00:00")],
    "jsonb": [("1", "1.0"), ('{"a": 1}', '{"a": 1.00}'), ("null", '"null"')],
    "json": [('{"a":1}', '{"a": 1}')],
    "text": [("", None), ("a", "a "), ("a", "A"), ("ä", "a\u0308"), ("\\N", None), ("a\nb", "a\\nb"), ("\t", "\\t")],
    "bigint": [("2147483648", "-2147483648"), ("4294967297", "0"), ("9223372036854775807", "-9223372036854775808")],
    "timestamp": [("2026-01-01 00:00:00.000001", "2026-01-01 00:00:00"), ("infinity", "2026-01-01")],
    "timestamptz": [("2026-01-01 00:00+02", "2026-01-01 00:00+00"), ("infinity", "-infinity")],
    "date": [("0001-01-01 BC", "0001-01-01"), ("infinity", "2026-01-01")],
    "time": [("24:00", "00:00")],
    "timetz": [("12:00+00", "14:00+02")],
    "bytea": [("\\x00", "\\x"), ("\\x", None)],
    "text[]": [("{NULL}", '{"NULL"}'), ("{}", None), ("{a,b}", "{b,a}")],
    "integer[]": [("[0:1]={1,2}", "{1,2}")],
    "boolean": [("true", "false"), ("false", None)],
    "mood": [("glad", "grim"), ("grim", None)],
    "bit varying": [("10", "1")],
    "inet": [("10.0.0.1", "10.0.0.1/8")],
    "money": [("1.00", "1.01")],
    "point": [("(1,2)", "(1,3)")],
    "int4range": [("[1,3)", "[1,4)")],
    "uuid": [("a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a12")],
}  # fmt: skip
MOODS = "CREATE TYPE mood AS ENUM ('glad', 'grim');"
OTHER_ORDER = "CREATE TYPE mood AS ENUM ('grim', 'glad');"


def literal(value: str | None) -> str:
    """Return a value as SQL writes it."""
    return "NULL" if value is None else "'" + value.replace("'", "''") + "'"


LONG = "x" * 200_000


@dataclass(frozen=True)
class Case:
    """A column's type and value at each end."""

    district: str
    value: str | None
    state: str
    held: str | None


def alike(kind: str, *pairs: tuple[str, str | None]) -> list[Case]:
    """Return cases of one type at both ends."""
    return [Case(kind, value, kind, held) for value, held in pairs]


DIFFERING = [
    *(case for kind, pairs in DIFFERENT.items() for case in alike(kind, *pairs)),
    *alike("numeric", ("1.5", "-1.5"), ("NaN", "-Infinity"), ("Infinity", "-Infinity"), ("0", None), ("1e3", "1000.0")),
    *alike("numeric(9, 2)", ("7.25", "-7.25"), ("NaN", "0"), ("100", "1")),
    *alike("bigint", ("9007199254740993", "9007199254740992"), ("-1", "4294967295"), ("0", None)),
    *alike("integer", ("-1", "1"), ("-2147483648", "2147483647"), ("0", None)),
    *alike("timestamp", ("2026-01-01 00:00:00", "2026-01-01 01:11:34.967297"), ("infinity", "-infinity"),
           ("0044-03-15 00:00 BC", "0044-03-15 00:00"),
           ("75069-04-03 19:00:13.693951", "75069-04-03 19:53:54.919424")),
    *alike("date", ("infinity", "5874897-12-31"), ("infinity", "2941805-04-07"), ("-infinity", "4713-01-01 BC")),
    *alike("boolean", ("false", None), ("true", None)),
    *alike("timestamp(0)", ("2026-01-01 00:00:01", "2026-01-01 00:00:00")),
    *alike("text", (LONG + "a", LONG + "b"), (LONG, LONG + " "), ("\u212b", "\u00c5"), ("\ufb01", "fi"),
           ("\uac00", "\u1100\u1161"), ("a\u200d", "a"), ("NULL", None), ("1", "01")),
    *alike("varchar(9)", ("a", "a "), ("ä", "a\u0308")),
    *alike("char(5)", ("a", "A"), ("a", None), (" a", "a"), ("ä", "a\u0308")),
    *alike("numeric[]", ("{1.0}", "{1.00}"), ("{1.0,NULL}", "{1.0}")),
    *alike("double precision[]", ("{0}", "{-0}"), ("{NaN}", "{0}")),
    *alike("interval[]", ("{1 day}", "{24:00:00}")),
    *alike("jsonb[]", ("{1}", "{1.0}")),
    *alike("bytea", (f"\\x{'00' * 99_999}01", f"\\x{'00' * 99_999}02")),
    *alike("numrange", ("[1.0,2)", "[1.00,2)"), ("empty", "[1,2)")),
    *alike("macaddr", ("08:00:2b:01:02:03", "08:00:2b:01:02:04")),
    *alike("bit(3)", ("101", "100")),
    *alike("few", ("1.5", "-1.5"), ("1.0", "1.00")),
    Case("integer", "5", "bigint", "4294967301"), Case("bigint", "-5", "integer", "5"),
    Case("smallint", "5", "numeric(6, 2)", "-5"), Case("integer", "5", "numeric", "5.5"),
    Case("varchar(9)", "a", "text", "a "), Case("mood", "glad", "text", "grim"), Case("text", "glad", "mood", "grim"),
    Case("numeric(9, 4)", "1.2345", "numeric", "1.23450"), Case("real", "0.1", "double precision", "0.2"),
]  # fmt: skip
SAME = [
    Case("char(3)", "a", "char(9)", "a"), Case("varchar(9)", "a", "char(9)", "a"), Case("char(9)", "a", "text", "a"),
    Case("smallint", "-5", "bigint", "-5"), Case("bigint", "5", "smallint", "5"),
    Case("integer", "5", "numeric(6, 2)", "5"), Case("numeric", "1.5", "numeric(9, 4)", "1.5000"),
    Case("mood", "glad", "text", "glad"), Case("text", "glad", "mood", "glad"), Case("mood", "glad", "mood", "glad"),
    *alike("numeric", ("-1.50", "-1.50"), ("NaN", "NaN"), ("-Infinity", "-Infinity")),
    *alike("double precision", ("-0", "-0"), ("NaN", "NaN"), ("1e22", "1e22"), ("0.1", "0.1")),
    *alike("real", ("0.1", "0.1"), ("16777217", "16777216")),
    *alike("jsonb", ('{"b":1,"a":1.0}', '{"a": 1.0, "b": 1}')),
    *alike("interval", ("1 day 24:00", "1 day 24:00")),
    *alike("timestamptz", ("2026-01-01 12:00+02", "2026-01-01 10:00Z")),
    *alike("text[]", ("{a,NULL}", "{a,NULL}")), *alike("bytea", ("\\x00ff", "\\x00FF")), *alike("text", (LONG, LONG)),
    *alike("uuid", ("A0EEBC999C0B4EF8BB6D6BB9BD380A11", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11")),
]  # fmt: skip
FEW = "CREATE DOMAIN few AS numeric;"
