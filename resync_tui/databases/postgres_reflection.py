"""SQLAlchemy's dialect of PostgreSQL, with foreign keys read from the catalog: no name in them is parsed as text."""

from collections import defaultdict
from collections.abc import Collection, Iterable
from typing import Any

from sqlalchemy import Connection, text
from sqlalchemy.dialects import registry
from sqlalchemy.dialects.postgresql.asyncpg import PGDialect_asyncpg
from sqlalchemy.engine.interfaces import ReflectedForeignKeyConstraint

NAME = "resync"
"""Driver's name of the dialect in SQLAlchemy's URLs."""

_FOREIGN_KEYS = text("""
SELECT c.relname AS name, k.conname, r.relname AS referred, s.nspname AS schema,
       pg_table_is_visible(r.oid) AS visible, k.confupdtype::text AS onupdate, k.confdeltype::text AS ondelete,
       k.condeferrable AS deferrable, k.condeferred AS deferred,
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u (number, place)
           JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.number ORDER BY place) AS columns,
       ARRAY(SELECT a.attname::text FROM unnest(k.confkey) WITH ORDINALITY u (number, place)
           JOIN pg_attribute a ON a.attrelid = k.confrelid AND a.attnum = u.number ORDER BY place) AS referred_columns
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'f'
       AND coalesce((to_jsonb(k) ->> 'conenforced')::boolean, true)
  LEFT JOIN pg_class r ON r.oid = k.confrelid LEFT JOIN pg_namespace s ON s.oid = r.relnamespace
 WHERE c.relkind IN ('r', 'p', 'f', 'v', 'm')
   AND CASE WHEN CAST(:schema AS text) IS NULL THEN pg_table_is_visible(c.oid) AND n.nspname <> 'pg_catalog'
       ELSE n.nspname = :schema END
   AND (CAST(:names AS text[]) IS NULL OR c.relname = ANY (CAST(:names AS text[])))
 ORDER BY c.relname, k.conname
""")
"""Query for the foreign keys that are enforced, and for tables without any."""
_ACTIONS = {"r": "RESTRICT", "c": "CASCADE", "n": "SET NULL", "d": "SET DEFAULT"}


class ExactNames(PGDialect_asyncpg):
    """SQLAlchemy's dialect, with foreign keys of any names that are enforced, and foreign tables among the views."""

    supports_statement_cache = True

    def get_view_names(self, connection: Connection, schema: str | None = None, **kw: Any) -> list[str]:
        """Return the views and the foreign tables: both are read, and hold no records of their own."""
        views = super().get_view_names(connection, schema, **kw)  # type: ignore[no-untyped-call]
        foreign = self._get_foreign_table_names(connection, schema, **kw)  # type: ignore[no-untyped-call]
        return [*views, *foreign]

    def get_multi_foreign_keys(  # type: ignore[override]  # SQLAlchemy passes all by name
        self,
        connection: Connection,
        *,
        schema: str | None = None,
        filter_names: Collection[str] | None = None,
        **_kw: Any,
    ) -> Iterable[tuple[tuple[str | None, str], list[ReflectedForeignKeyConstraint]]]:
        """Return the foreign keys of tables."""
        names = None if filter_names is None else list(filter_names)
        found: dict[tuple[str | None, str], list[Any]] = defaultdict(list)
        for row in connection.execute(_FOREIGN_KEYS, {"schema": schema, "names": names}):
            keys = found[schema, row.name]
            if row.conname is not None:
                keys.append(_reflected(row, schema))
        return found.items()


def _reflected(row: Any, schema: str | None) -> dict[str, Any]:
    """Return a foreign key as SQLAlchemy has it: a parent of the search path has a schema only beside its child."""
    options: dict[str, Any] = {"onupdate": _ACTIONS.get(row.onupdate), "ondelete": _ACTIONS.get(row.ondelete)}
    if row.deferrable:
        options |= {"deferrable": True, "initially": "DEFERRED" if row.deferred else None}
    return {
        "name": row.conname,
        "constrained_columns": row.columns,
        "referred_schema": row.schema if row.schema == schema or not row.visible else None,
        "referred_table": row.referred,
        "referred_columns": row.referred_columns,
        "options": {name: value for name, value in options.items() if value is not None},
        "comment": None,
    }


registry.register(f"postgresql.{NAME}", __name__, ExactNames.__name__)
