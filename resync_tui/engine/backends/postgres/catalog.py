"""PostgreSQL's own catalog, read in a fixed number of statements whatever the number of tables.

SQLAlchemy's reflection asks about all types of a database, and spends most of a small batch. What nobody here asks for,
as indexes that are not unique, is left out.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.names import split_name
from resync_tui.engine.backends.postgres.column_types import type_named, type_of
from resync_tui.engine.backends.postgres.session import driver_of
from resync_tui.engine.dialect import Dialect
from resync_tui.engine.keys import SUBTABLES, VIEW
from resync_tui.engine.reflection import Names, Tables, complete, joined
from resync_tui.engine.types import LogicalType
from resync_tui.engine.visibility import POLICED

_VIEWS = ("v", "m", "f")

_FOREIGN = """k.contype = 'f' AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
    AND NOT EXISTS (SELECT FROM pg_constraint above WHERE above.oid = k.conparentid AND above.conrelid = k.conrelid)"""
"""Condition on pg_constraint `k`: a foreign key that is enforced; what one to a partitioned table has for each of its
partitions is none of its own."""

_SCHEMA = "CASE WHEN pg_table_is_visible(c.oid) THEN NULL ELSE n.nspname::text END"
"""Schema of pg_class `c`; NULL where its name needs none."""

_RELATIONS = f"""
WITH RECURSIVE named AS (
    SELECT w.name, c.oid FROM unnest($1::text[], $2::text[], $3::text[]) w (name, schema, "table")
    JOIN pg_class c ON c.relname = w."table" JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'pg_catalog'
        AND CASE WHEN coalesce(w.schema, current_schema()) = current_schema() THEN pg_table_is_visible(c.oid)
            ELSE n.nspname = w.schema END
), reached (oid) AS (
    SELECT oid FROM named
    UNION SELECT k.confrelid FROM reached r JOIN pg_constraint k ON k.conrelid = r.oid AND {_FOREIGN}
)
SELECT c.oid::bigint, {_SCHEMA} AS schema, c.relname::text AS name,
    ARRAY(SELECT m.name FROM named m WHERE m.oid = c.oid) AS named,
    CASE WHEN c.relkind IN ('r', 'f') AND c.relhassubclass THEN (
        SELECT string_agg(i.inhrelid::regclass::text, ', ' ORDER BY i.inhrelid::regclass::text)
        FROM pg_inherits i WHERE i.inhparent = c.oid) END AS sub_tables,
    CASE WHEN c.relrowsecurity AND row_security_active(c.oid) THEN current_user::text END AS policed, (
        SELECT string_agg(p.polname, ', ' ORDER BY p.polname) FROM pg_policy p WHERE p.polrelid = c.oid
        AND (0 = ANY (p.polroles) OR EXISTS (SELECT FROM unnest(p.polroles) r WHERE pg_has_role(r, 'USAGE')))
    ) AS policies
FROM reached r JOIN pg_class c ON c.oid = r.oid JOIN pg_namespace n ON n.oid = c.relnamespace
ORDER BY n.nspname, c.relname
"""
"""Query for the tables of these names, schemas (NULL: the search path) and tables, and all that they reference."""

_NAMES = f"""
SELECT current_schema()::text AS "default", named.* FROM (SELECT) one LEFT JOIN (
    SELECT {_SCHEMA} AS schema, c.relname::text AS name, c.relkind::text AS kind
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND c.relpersistence <> 't' AND n.nspname <> 'pg_catalog'
        AND (pg_table_is_visible(c.oid) OR n.nspname = ANY ($1::text[]))
    ORDER BY n.nspname, c.relname) named ON true
"""

_COLUMNS = """
SELECT a.attrelid::bigint AS "table", a.attname::text AS name, a.atttypid::bigint AS type,
    format_type(a.atttypid, a.atttypmod) AS declared, a.attnotnull AS required, a.atthasdef AS filled,
    a.attidentity::text AS identity, a.attgenerated::text AS generated,
    CASE WHEN a.attgenerated <> '' THEN pg_get_expr(d.adbin, d.adrelid) END AS expression,
    CASE WHEN a.attcollation <> 0 THEN (
        SELECT l.collname::text FROM pg_collation l WHERE l.oid = a.attcollation AND NOT l.collisdeterministic
    ) END AS collation
FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attrelid = ANY ($1::text[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attrelid, a.attnum
"""

_TYPES = """
WITH RECURSIVE own AS (
    SELECT DISTINCT a.atttypid AS oid FROM pg_attribute a
    WHERE a.attrelid = ANY ($1::text[]::oid[]) AND a.attnum > 0 AND NOT a.attisdropped
), under (own, oid, typmod, depth) AS (
    SELECT oid, oid, -1, 0 FROM own
    UNION ALL SELECT u.own, t.typbasetype, t.typtypmod, u.depth + 1
        FROM under u JOIN pg_type t ON t.oid = u.oid WHERE t.typtype = 'd'
), based AS (SELECT DISTINCT ON (own) * FROM under ORDER BY own, depth DESC)
SELECT t.oid::bigint, t.typtype::text AS kind, t.typname::text AS name,
    CASE WHEN pg_type_is_visible(t.oid) THEN NULL ELSE n.nspname::text END AS schema,
    format_type(b.oid, b.typmod) AS base, b.oid::bigint AS base_type,
    CASE WHEN b.typmod > 4 AND b.oid IN ('varchar'::regtype, 'bpchar'::regtype) THEN b.typmod - 4 END AS length,
    CASE WHEN b.typmod > 4 AND b.oid = 'numeric'::regtype THEN b.typmod - 4 END AS numeric,
    EXISTS (SELECT FROM under u JOIN pg_type d ON d.oid = u.oid WHERE u.own = t.oid AND d.typnotnull) AS required,
    EXISTS (SELECT FROM under u JOIN pg_type d ON d.oid = u.oid WHERE u.own = t.oid AND d.typdefault IS NOT NULL)
        AS filled,
    ARRAY(SELECT e.enumlabel::text FROM pg_enum e WHERE e.enumtypid = b.oid ORDER BY e.enumsortorder) AS labels
FROM based b JOIN pg_type t ON t.oid = b.own JOIN pg_namespace n ON n.oid = t.typnamespace
WHERE t.typtype IN ('d', 'e')
"""
"""Query for the domains (over others, too) and enums among the types of these tables' columns."""

_CONSTRAINTS = f"""
SELECT k.conrelid::bigint AS "table", k.contype::text AS kind, k.conname::text AS name, k.confrelid::bigint AS parent,
    CASE WHEN k.contype = 'c' THEN pg_get_expr(k.conbin, k.conrelid, true) END AS expression,
    CASE WHEN k.contype <> 'c' THEN ARRAY(
        SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY place) END AS columns,
    CASE WHEN k.contype = 'f' THEN ARRAY(
        SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (number, place)
        JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY place) END AS referred,
    true AS nulls_distinct
FROM pg_constraint k WHERE k.conrelid = ANY ($1::text[]::oid[]) AND (k.contype IN ('p', 'c') OR {_FOREIGN})
UNION ALL SELECT i.indrelid::bigint, 'u', c.relname::text, NULL, NULL, ARRAY(
        SELECT a.attname::text FROM unnest(i.indkey) WITH ORDINALITY u (number, place)
        JOIN pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = u.number
        WHERE place <= i.indnkeyatts ORDER BY place),
    NULL, NOT coalesce((to_jsonb(i) ->> 'indnullsnotdistinct')::boolean, false)
FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
WHERE i.indrelid = ANY ($1::text[]::oid[]) AND i.indisunique AND NOT i.indisprimary AND i.indisvalid
    AND i.indpred IS NULL AND i.indexprs IS NULL ORDER BY 1, 3
"""
"""Query for constraints; as unique ones ('u') it has the indexes over all rows, of constraints or not."""


async def read_tables(connection: AsyncConnection, names: Iterable[str], dialect: Dialect) -> Tables:
    """Return the existing tables among `names`, and all that they reference; see `Dialect.reflect`."""
    wanted, driver = list(dict.fromkeys(names)), await driver_of(connection)
    schemas, named = zip(*map(split_name, wanted), strict=True) if wanted else ((), ())
    relations = await driver.fetch(_RELATIONS, wanted, schemas, named)
    looked_at = {each["schema"] for each in relations}.union(schemas) - {None}
    tables = Tables(_names(await driver.fetch(_NAMES, list(looked_at)), dialect))
    oids = [str(each["oid"]) for each in relations]  # of arrays the driver knows text alone without asking
    rows = [await driver.fetch(query, oids) for query in (_COLUMNS, _TYPES, _CONSTRAINTS)]
    metadata = sa.MetaData()
    _Reading(dialect, metadata, relations, tables.names).make(*rows)
    spelled = {name: joined((each["schema"], each["name"])) for each in relations for name in each["named"]}
    return complete(tables, metadata, {name: spelled[name] for name in wanted if name in spelled})


def _names(rows: Sequence[Any], dialect: Dialect) -> Names:
    found: dict[str | None, tuple[list[str], list[str]]] = {None: ([], [])}
    for row in rows:
        if row["name"] is not None:
            found.setdefault(row["schema"], ([], []))[row["kind"] in _VIEWS].append(row["name"])
    names = Names(rows[0]["default"], dialect.fold)
    for schema, (tables, views) in found.items():
        names.add(schema, tables, views)
    return names


class _Reading:
    """Making of tables from the rows of the catalog's queries."""

    def __init__(self, dialect: Dialect, metadata: sa.MetaData, relations: Sequence[Any], names: Names) -> None:
        self._dialect = dialect
        self._metadata = metadata
        self._relations = {each["oid"]: each for each in relations}
        self._names = names

    def make(self, columns: Sequence[Any], types: Sequence[Any], constraints: Sequence[Any]) -> None:
        """Make the tables."""
        own = {each["oid"]: each for each in types}
        items: Mapping[int, list[sa.schema.SchemaItem]] = defaultdict(list)
        for row in columns:
            items[row["table"]].append(self._column(row, own.get(row["type"])))
        for row in constraints:
            items[row["table"]].append(self._constraint(row))
        for oid, row in self._relations.items():
            key = row["schema"], row["name"]
            if joined(key) not in self._metadata.tables:  # a dot in a name may make another's of it
                table = sa.Table(row["name"], self._metadata, *items[oid], schema=row["schema"])
                if self._names.is_view(joined(key)):
                    table.info[VIEW] = True
                if row["sub_tables"]:
                    table.info[SUBTABLES] = row["sub_tables"]
                if row["policed"]:
                    table.info[POLICED] = row["policed"], row["policies"] or ""

    def _column(self, row: Any, own: Any) -> sa.Column[Any]:
        """Return a column; `own` is its type, if that is a domain or an enum."""
        info: dict[str, Any] = {"dialect": self._dialect}
        kind = self._type(row["declared"], own)
        if type_of(kind) is LogicalType.OTHER:
            info |= {"declared": row["declared"], "base": row["declared"] if own is None else own["base"]}
        if own is not None and own["length"] is not None:
            info["length"] = own["length"]
        if own is not None and own["numeric"] is not None:
            info |= {"precision": own["numeric"] >> 16, "scale": own["numeric"] & 0x7FF}
        if row["collation"] is not None:
            info["collation"] = row["collation"]
        by_itself: list[Any] = []
        if row["generated"]:
            by_itself.append(sa.Computed(row["expression"], persisted=row["generated"] == "s"))
        elif row["identity"]:
            by_itself.append(sa.Identity(always=row["identity"] == "a"))
        elif row["filled"] or (own is not None and own["filled"]):
            by_itself.append(sa.FetchedValue())
        required = row["required"] or (own is not None and own["required"])
        return sa.Column(row["name"], kind, *by_itself, nullable=not required, info=info)

    def _type(self, declared: str, own: Any) -> sa.types.TypeEngine[Any]:
        if own is None:
            return type_named(declared)
        if own["kind"] == "e":
            return postgresql.ENUM(*own["labels"], name=own["name"], schema=own["schema"])
        base = postgresql.ENUM(*own["labels"], name=own["base"]) if own["labels"] else type_named(own["base"])
        return postgresql.DOMAIN(own["name"], base, schema=own["schema"], create_type=False)

    def _constraint(self, row: Any) -> sa.Constraint:
        match row["kind"]:
            case "p":
                return sa.PrimaryKeyConstraint(*row["columns"], name=row["name"])
            case "u":
                if row["nulls_distinct"]:
                    return sa.UniqueConstraint(*row["columns"], name=row["name"])
                return sa.UniqueConstraint(*row["columns"], name=row["name"], postgresql_nulls_not_distinct=True)
            case "c":
                return sa.CheckConstraint(sa.text(row["expression"].replace(":", r"\:")), name=row["name"])
        parent = self._relations[row["parent"]]
        referred = [(parent["schema"], parent["name"], name) for name in row["referred"]]
        return sa.ForeignKeyConstraint(row["columns"], referred, name=row["name"], link_to_name=True)
