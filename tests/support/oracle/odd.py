"""A second catalog, of another shape than Campus': what the engine must not take for granted."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Any

from resync_tui.catalog import Catalog, DisObject, Rule
from resync_tui.state_schema.derive import apply
from tests.support.databases import run_script
from tests.support.oracle.fill import fill
from tests.support.oracle.invent import Shapes, Spoil, invent, spoil
from tests.support.oracle.oracle import Knowledge
from tests.support.oracle.shape import Row, dump

NEGATIVE = Rule(
    "negative",
    "order",
    {
        "sqlite": 't."amount" < 0 AND :year > 2000',
        "postgresql": "t.\"amount\" < 0::numeric AND :today > DATE '2001-01-01'",
    },
    "A negative order",
)
OBJECTS = (
    DisObject("Groups", ("user Name",), ignore_columns=("user Name.local note",)),
    DisObject("Orders", ("order",), ("Groups",), state_owned=("order.state note", "order.mark"), rule=(NEGATIVE,)),
    DisObject("Loop", ("left", "right"), ("Groups",)),
    DisObject("Kinds", ("Select",), ("Orders",)),
)
ELSEWHERE = DisObject("Elsewhere", ("odd.from",), ("Kinds",))
SIZES = {"user Name": 60, "order": 60, "left": 30, "right": 30, "Select": 40, "odd.from": 30}
TENANT = "Tenant"

COMMON = """
CREATE TABLE "user Name" (
    "group" varchar(10) NOT NULL, "Name" varchar(20) NOT NULL, "boss group" varchar(10), "bossName" varchar(20),
    "local note" text, "size" {smallint}, "twice" integer GENERATED ALWAYS AS ("size" * 2) STORED,
    "nick" {varchar}, "since" timestamp, "zoned" {timestamptz}, {unique}
    PRIMARY KEY ("group", "Name"){boss}
);
CREATE TABLE "order" (
    "no" bigint NOT NULL PRIMARY KEY, "group" varchar(10), "Name" varchar(20), "on" boolean {required},
    "amount" {numeric}, "state note" varchar(30), "of" date{user}
);
CREATE TABLE "left" ("id" integer NOT NULL PRIMARY KEY, "right" {integer} {filled}{right}, "text" text);
CREATE TABLE "right" ("id" integer NOT NULL PRIMARY KEY, "left" {integer} {filled}{left});
"""
STRICT = {
    "smallint": 'smallint NOT NULL CHECK ("size" <> 13)', "varchar": "varchar(8)", "numeric": "numeric(6, 2)",
    "required": "DEFAULT true NOT NULL", "unique": 'UNIQUE ("nick"), UNIQUE ("Name", "size"),',
    "boss": ', FOREIGN KEY ("boss group", "bossName") REFERENCES "user Name" ("group", "Name") ON DELETE CASCADE',
    "user": ', FOREIGN KEY ("group", "Name") REFERENCES "user Name" ("group", "Name")',
    "left": ' REFERENCES "left" ("id")', "filled": "NOT NULL",
    "integer": "integer",
}  # fmt: skip
LOOSE = {
    "smallint": "integer", "varchar": "text", "numeric": "numeric(16, 6)", "required": "", "unique": "", "boss": "",
    "user": "", "left": "", "filled": "", "integer": "bigint",
}  # fmt: skip
KINDS = {
    "sqlite": """
CREATE TABLE "Select" (
    "table" CHAR(36) NOT NULL PRIMARY KEY, "no" bigint{no}, "double" double, "raw" BLOB, "doc" TEXT, "char" char(3)
);
""",
    "postgresql": """
CREATE SCHEMA odd;
CREATE TYPE mood AS ENUM ({moods});
CREATE TYPE odd."Shade" AS ENUM ('light', 'dark');
CREATE TABLE "Select" (
    "table" uuid NOT NULL PRIMARY KEY, "no" bigint{no}, "double" double precision, "raw" bytea, "doc" json,
    "char" {char}, "bdoc" jsonb, "words" text[], "cells" integer[], "mood" mood, "shade" odd."Shade" {filled},
    "span" interval, "ip" inet, "loose" numeric, "daily" time, "zoned" timetz
);
CREATE TABLE odd."from" ("where" text NOT NULL PRIMARY KEY, "kind" uuid{kind});
""",
}
ORDER = ' REFERENCES "order" ("no")'
LATER = 'ALTER TABLE "left" ADD FOREIGN KEY ("right") REFERENCES "right" ("id");'


def odd_sql(dialect: str, *, strict: bool) -> str:
    """Return the tables of a district; `strict` as the state demands them."""
    on_postgres = dialect == "postgresql"
    parts = {
        **(STRICT if strict else LOOSE),
        "timestamptz": "timestamptz" if on_postgres else "TIMESTAMP WITH TIME ZONE",
        "right": ' REFERENCES "right" ("id")' if strict and not on_postgres else "",
        "no": ORDER if strict else "",
        "kind": ' REFERENCES "Select" ("table")' if strict else "",
        "moods": "'glad', 'it''s so-so'" if strict else "'it''s so-so', 'grim', 'glad'",
        "char": "char(3)" if strict else "varchar(9)",
    }
    later = LATER if strict and on_postgres else ""
    return COMMON.format(**parts) + KINDS[dialect].format(**parts) + later


def odd_catalog(source: str, *, tenant: bool) -> Catalog:
    """Return the catalog for a district of a kind."""
    objects = (*OBJECTS, ELSEWHERE) if source == "postgresql" else OBJECTS
    return Catalog("Odd", objects, tenant_column=TENANT if tenant else None)


def _is_negative(amount: Any, dialect: str) -> bool:
    if dialect == "postgresql":
        return amount is not None and Decimal(amount) < 0
    return isinstance(amount, int | float) and amount < 0


KNOWN = Knowledge(
    rules={"negative": lambda row, district: _is_negative(row["amount"], district.dialect)},
    checks={"user Name": [lambda row: row["size"] is None or int(row["size"]) != 13]},
)


@dataclass
class Odd:
    """A state of odd shape and the district that is pushed into it."""

    district: str
    state: str
    catalog: Catalog
    tenant: str | None

    @property
    def names(self) -> list[str]:
        """All objects."""
        return [each.name for each in self.catalog.objects]


async def make_odd(
    database: Callable[[str], str], random: Random, ends: tuple[str, str], *, tenant: bool, first_load: bool
) -> Odd:
    """Fill a district and, unless it is a first load, the state; another tenant's rows are in the state either way."""
    source, target = ends
    catalog = odd_catalog(source, tenant=tenant)
    strict, district, state = database(source), database(source), database(target)
    await run_script(strict, odd_sql(source, strict=True))
    await apply(strict, state, catalog)
    await run_script(state, """ALTER TABLE "order" ADD COLUMN "mark" varchar(9) DEFAULT 'new' NOT NULL""")
    await run_script(district, odd_sql(source, strict=False))
    loose, demanded = await dump(district), await dump(state)
    shapes = Shapes(
        demanded.tables, loose.tables, catalog.tenant_column, SIZES, {"order": _positive, "user Name": _not_thirteen}
    )
    tables = [table for each in catalog.objects for table in each.tables]
    for name in ("01", "02") if tenant else ("01",):
        world = invent(random, shapes, tables, {})
        for row in world.state["user Name"]:
            row.pop("local note")
        if name == "02" or not first_load:
            await fill(state, demanded.tables, world.state, {TENANT: name} if tenant else None)
        if name == "01":
            flaws: dict[str, list[Spoil]] = {"order": [_negative], "user Name": [_thirteen], "Select": [_grim]}
            junk = ends == ("sqlite", "postgresql")
            spoil(random, shapes, world, 0.2, loosely_typed=junk, untouched=(), more=flaws)
            await fill(district, loose.tables, world.district)
    await run_script(state, """UPDATE "order" SET "mark" = 'kept'""")
    return Odd(district, state, catalog, "01" if tenant else None)


def _positive(row: Row) -> None:
    if row["amount"] is not None:
        row["amount"] = abs(row["amount"])


def _not_thirteen(row: Row) -> None:
    row["size"] = 14 if row["size"] == 13 else row["size"]


def _grim(_random: Random, row: Row) -> None:
    if "mood" in row:
        row["mood"] = "grim"


def _negative(_random: Random, row: Row) -> None:
    row["amount"] = -1


def _thirteen(_random: Random, row: Row) -> None:
    row["size"] = 13
