"""Random tables and what both ends hold of them: a state, and a district that differs from it here and there."""

import os
import string
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st

from tests.support.oracle.shape import Row

EXAMPLES = "RESYNC_TUI_TEST_EXAMPLES"
"""How many random examples a property is tried with, from fresh chance each time, and what fails is made
small; unset: a few, always the same."""

tried = settings(
    max_examples=int(os.environ.get(EXAMPLES, "20")),
    derandomize=EXAMPLES not in os.environ,
    print_blob=EXAMPLES in os.environ,
    phases=[Phase.generate, *([Phase.shrink] if EXAMPLES in os.environ else [])],
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)

_CHARACTERS = st.one_of(st.sampled_from(string.ascii_letters + " '\"\\\t\n%_"), st.characters(codec="utf-8"))
_TEXT = st.text(_CHARACTERS.filter(lambda each: each != "\x00"), max_size=12)


@dataclass(frozen=True)
class Kind:
    """A column type of the state, what it takes, and what else a district may hold in its stead."""

    state: str
    strict: st.SearchStrategy[Any]
    district: str
    loose: st.SearchStrategy[Any]


def _alike(ddl: str, values: st.SearchStrategy[Any]) -> Kind:
    return Kind(ddl, values, ddl, values)


def _integers(bits: int) -> st.SearchStrategy[int]:
    most = 2 ** (bits - 1)
    return st.one_of(st.integers(-99, 99), st.sampled_from([-most, most - 1]), st.integers(-most, most - 1))


_DOUBLES = st.one_of(st.sampled_from([0.0, -0.0, 0.1, 1e22, float("inf")]), st.floats(allow_nan=False))
_NUMBERS = st.decimals(-(10**12), 10**12, allow_nan=False, places=3)
_TIMES = st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1))
KINDS = (
    _alike("smallint", _integers(16)), _alike("integer", _integers(32)), _alike("bigint", _integers(64)),
    _alike("numeric(9, 2)", st.decimals(-(10**6), 10**6, allow_nan=False, places=2)), _alike("boolean", st.booleans()),
    _alike("text", _TEXT), _alike("date", st.dates(date(1900, 1, 1))), _alike("timestamp", _TIMES),
    _alike("double precision", _DOUBLES),
    Kind("varchar(6)", _TEXT.map(lambda text: text[:6]), "text", _TEXT),
    Kind("smallint", _integers(16), "bigint", _integers(64)),
    Kind("numeric(9, 2)", st.decimals(-99, 99, allow_nan=False, places=2), "numeric", _NUMBERS),
)  # fmt: skip
ONLY_POSTGRES = (
    _alike("numeric", st.one_of(_NUMBERS, st.sampled_from(list(map(Decimal, ("NaN", "Infinity", "1.0", "1.00")))))),
    _alike("uuid", st.uuids()), _alike("bytea", st.binary(max_size=9)),
    _alike("jsonb", st.sampled_from(["1", "1.0", '{"a": 1}', '{"a": 1.0}', "null", '"1"'])),
    _alike("interval", st.sampled_from(["1 day", "24:00:00", "1 mon", "30 days"])),
    _alike("text[]", st.sampled_from(["{}", "{NULL}", '{"NULL"}', "{a,b}", "{b,a}"])),
)  # fmt: skip
_KEY_TEXT = _TEXT.map(lambda text: text.rstrip(" "))
KEYS: tuple[tuple[tuple[str, st.SearchStrategy[Any]], ...], ...] = (
    (("integer", st.integers(1, 99)),), (("integer", _integers(32)),), (("bigint", _integers(64)),),
    (("text", _TEXT),), (("varchar(12)", _TEXT),), (("char(12)", _KEY_TEXT),),
    (("uuid", st.uuids()),), (("date", st.dates(date(1900, 1, 1))),),
    (("integer", st.integers(1, 5)), ("text", _TEXT)), (("uuid", st.uuids()), ("smallint", _integers(16))),
    (("varchar(12)", _TEXT), ("bigint", _integers(64)), ("boolean", st.booleans())),
)  # fmt: skip

_MIXED = ("same", "same", "changed", "inserted", "extra")
FATES = (_MIXED, _MIXED, _MIXED, ("inserted",), ("same",))
"""What may become of a table's records: a first load, and one where nothing is left to do, are worlds of their own."""


@dataclass(frozen=True)
class World:
    """A table's columns at each end, by their DDL, and the rows; the tenant's column is not among them."""

    key: tuple[str, ...]
    district: dict[str, str]
    state: dict[str, str]
    required: frozenset[str]
    ours: list[Row]
    theirs: list[Row]

    def ddl(self, *, strict: bool, tenant: str | None = None) -> str:
        """Return the statement that makes the table at one end."""
        columns = self.state if strict else self.district
        lines = [f"{name} {ddl}{' NOT NULL' * (strict and name in self.required)}" for name, ddl in columns.items()]
        lines = [f"{tenant} varchar(9)", *lines] if tenant else lines
        key = [tenant, *self.key] if tenant else self.key
        if self.key:
            lines.append(f"PRIMARY KEY ({', '.join(key)})")
        return f"CREATE TABLE v ({', '.join(lines)});"


@st.composite
def worlds(draw: st.DrawFn, source: str, *, keyed: bool) -> World:
    """Return a random table of a state, its rows, and those of a district of a kind of database.

    One without a key holds several copies of some; none that the state would round to another.
    """
    key = dict(zip(("k1", "k2", "k3"), draw(st.sampled_from(KEYS)) if keyed else (), strict=False))
    kinds = st.sampled_from([*KINDS[: None if keyed else -1], *(ONLY_POSTGRES if source == "postgresql" else ())])
    columns = {f"c{place}": kind for place, kind in enumerate(draw(st.lists(kinds, min_size=1, max_size=4)))}
    required = draw(st.frozensets(st.sampled_from(sorted(columns)), max_size=1))
    keys = draw(st.lists(st.tuples(*(values for _, values in key.values())), unique=keyed, max_size=25))
    fates = st.sampled_from(draw(st.sampled_from(FATES)))
    ours, theirs = [], []
    for values in keys:
        row = dict(zip(key, values, strict=True))
        fate = draw(fates)
        row |= {name: draw(_value(kind, strict=True, required=name in required)) for name, kind in columns.items()}
        if fate != "inserted":
            theirs.append(row)
        if fate == "inserted":
            row = row | {name: draw(_value(kind, strict=False)) for name, kind in columns.items()}
        elif fate == "changed":
            name = draw(st.sampled_from(sorted(columns)))
            row = row | {name: draw(_value(columns[name], strict=False))}
        if fate != "extra":
            ours.append(row)
    for rows in () if keyed else (ours, theirs):
        rows += draw(st.lists(st.sampled_from(rows), max_size=6)) if rows else []
    of_key = {name: ddl for name, (ddl, _) in key.items()}
    return World(
        key=tuple(key),
        district=of_key | {name: kind.district for name, kind in columns.items()},
        state=of_key | {name: kind.state for name, kind in columns.items()},
        required=required,
        ours=ours,
        theirs=theirs,
    )


def _value(kind: Kind, *, strict: bool, required: bool = False) -> st.SearchStrategy[Any]:
    values = kind.strict if strict else kind.loose
    return values if required else st.one_of(values, values, values, st.none())
