"""Values of PostgreSQL's types that are near each other and yet not the same."""

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
