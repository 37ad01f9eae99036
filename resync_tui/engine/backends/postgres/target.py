"""PostgreSQL target: unlogged stages, COPY, a fence in the state."""

import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager, suppress
from typing import Any

import anyio
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from resync_tui.databases.registry import explained, open_engine, place
from resync_tui.engine.backends.base import (
    CLEANUP_SECONDS,
    End,
    Meter,
    Query,
    Source,
    Target,
    connected,
    fence_ahead,
    taken_over,
)
from resync_tui.engine.backends.postgres.actions import before_triggers, references, referential_actions, triggered
from resync_tui.engine.backends.postgres.column_types import BPCHAR, NATIVE_IN_STAGE
from resync_tui.engine.backends.postgres.copy import ending_with, load_rows, pipe
from resync_tui.engine.backends.postgres.dialect import DIALECT as POSTGRES
from resync_tui.engine.backends.postgres.direct import PostgresDirectLoad
from resync_tui.engine.backends.postgres.session import (
    DIALECT,
    NO_WAIT,
    application_name,
    as_sql,
    cause_of,
    driver_of,
    expel_older,
    require_session,
    session_settings,
    sqlstate,
)
from resync_tui.engine.backends.postgres.source import PostgresSource
from resync_tui.engine.dialect import is_padded, logical_type
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.mapping import EXCLUDED_BY, RESERVED, ROW_ID, SET_ASIDE, STAGE_SCHEMA, VALUE_ERROR, TableMapping
from resync_tui.engine.ownership import COLUMNS
from resync_tui.errors import CannotRun, ConnectionLost

DROPPED_AT_ONCE = 20
"""Tables dropped per transaction: each holds locks until its end, and a server's locks are limited."""
_OWNER = sa.text(
    "SELECT quote_ident(pg_get_userbyid(datdba)) FROM pg_database WHERE datname = current_database()"
    " AND pg_get_userbyid(datdba) <> current_user AND pg_has_role(datdba, 'USAGE')"
)
"""Query for the owner role of the state, if this login is a member: other members need the stage too."""
_WRITABLE = sa.text("SELECT pg_is_in_recovery(), current_setting('transaction_read_only')")
_MADE_MEANWHILE = ("23505", "42P06", "42P07")
"""SQLSTATEs of what another agent has made since it was looked for."""
_FENCE = sa.table("fence", sa.column("tenant"), sa.column("token"), schema=STAGE_SCHEMA)


class PostgresTarget(Target):
    """PostgreSQL database of the state; stages are unlogged tables in a schema of their own."""

    dialect = POSTGRES
    direct = PostgresDirectLoad()
    writers = 2

    def __init__(self, end: End) -> None:
        name = application_name(end, "t")
        super().__init__(end, open_engine(end.url, application_name=name, settings=session_settings(end), pooled=True))

    async def require_session(self) -> None:
        async with connected(self.engine) as connection:
            await require_session(connection, self.end)

    async def require_writable(self) -> None:
        async with connected(self.engine) as connection:
            recovers, read_only = (await connection.execute(_WRITABLE)).one()
        where = f"{self.end.name} ({place(self.end.url)})"
        if recovers:
            raise CannotRun(f"Cannot write: {where} is read-only, a standby", "Point the URL at the primary server.")
        if read_only == "on":
            raise CannotRun(
                f"Cannot write: {where} is read-only by default_transaction_read_only",
                "Turn it off for that login: ALTER ROLE … SET default_transaction_read_only = off",
            )

    async def before_triggers(self, tables: Mapping[str, sa.Table]) -> list[tuple[str, str]]:
        async with connected(self.engine) as connection:
            return await before_triggers(connection, tables)

    async def delete_actions(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        async with connected(self.engine) as connection:
            return await referential_actions(connection, tables, "DELETE")

    async def update_actions(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        async with connected(self.engine) as connection:
            return await referential_actions(connection, tables, "UPDATE")

    async def references(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        async with connected(self.engine) as connection:
            return await references(connection, tables)

    async def triggered(self, tables: Mapping[str, sa.Table]) -> frozenset[str]:
        async with connected(self.engine) as connection:
            return await triggered(connection, tables)

    async def claim(self) -> None:
        async with connected(self.engine) as connection:
            await expel_older(connection, self.end, "t")
            await self._prepare_fence(connection)
            claimed = sa.text(
                f"INSERT INTO {STAGE_SCHEMA}.fence AS held (tenant, token) VALUES (:tenant, :token)"
                " ON CONFLICT (tenant) DO UPDATE SET token = greatest(held.token, excluded.token) RETURNING token"
            )
            newest = await connection.scalar(claimed, {"tenant": self.end.tenant, "token": self.end.token})
            self._require_newest(newest)
            await connection.commit()
        await self.drop_stages()
        async with connected(self.engine) as connection:
            await connection.exec_driver_sql(f"CREATE UNLOGGED TABLE {self._mark} AS SELECT true AS whole")
            await connection.commit()

    async def _prepare_fence(self, connection: AsyncConnection) -> None:
        known = sa.text("SELECT to_regclass(:name)").bindparams(name=f"{STAGE_SCHEMA}.fence")
        if await connection.scalar(known) is not None:
            return
        try:
            async with connection.begin_nested():
                await connection.exec_driver_sql(f"CREATE SCHEMA IF NOT EXISTS {STAGE_SCHEMA}")
                await connection.exec_driver_sql(
                    f"CREATE TABLE IF NOT EXISTS {STAGE_SCHEMA}.fence (tenant text PRIMARY KEY, token bigint NOT NULL)"
                )
        except DBAPIError as error:
            if sqlstate(error)[0] not in _MADE_MEANWHILE:
                raise
        else:
            await _give_to_owner(connection, f"SCHEMA {STAGE_SCHEMA}", f"TABLE {STAGE_SCHEMA}.fence")
        await connection.commit()

    async def _make_memory(self, connection: AsyncConnection) -> None:
        memory = f"{STAGE_SCHEMA}.{self.dialect.ownership.name}"
        # Two makers of one table: PostgreSQL fails the second.
        await connection.exec_driver_sql(f"LOCK TABLE {STAGE_SCHEMA}.fence IN SHARE ROW EXCLUSIVE MODE")
        await connection.exec_driver_sql(f"CREATE TABLE IF NOT EXISTS {memory} ({COLUMNS})")
        await _give_to_owner(connection, f"TABLE {memory}")

    def _require_newest(self, newest: int | None) -> None:
        """Require that this claim's token is the tenant's newest. Raises LeaseLost."""
        if newest is not None and newest > self.end.token:
            tenant = str(sa.literal(self.end.tenant).compile(dialect=DIALECT, compile_kwargs={"literal_binds": True}))
            raise fence_ahead(self.end, newest, f"run there: DELETE FROM {STAGE_SCHEMA}.fence WHERE tenant = {tenant}")
        if newest != self.end.token:
            raise taken_over()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[AsyncConnection]:
        guard = (
            sa.select(_FENCE.c.token)
            .where(_FENCE.c.tenant == sa.literal(self.end.tenant, sa.Text()))
            .with_for_update(read=True)
        )
        async with self._connected() as connection:
            self._require_newest(await connection.scalar(guard))
            yield connection
            # Shielded from cancellation: a commit of unknown outcome cannot be counted.
            with anyio.fail_after(CLEANUP_SECONDS, shield=True):
                await connection.commit()

    @asynccontextmanager
    async def staging(self) -> AsyncIterator[AsyncConnection]:
        async with self._connected() as connection:
            yield connection
            await connection.commit()

    @property
    def _mark(self) -> str:
        """Unlogged marker table: a server crash empties it together with the stages."""
        return f'{STAGE_SCHEMA}."m_{self.end.digest}_{self.end.token}"'

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """Check out a connection; on first use verify that the unlogged stage survived, i.e. no server crash."""
        async with connected(self.engine) as connection:
            if "whole" not in connection.info:
                try:
                    whole = await connection.scalar(sa.text(f"SELECT whole FROM {self._mark}"))
                except DBAPIError as error:
                    raise (taken_over() if sqlstate(error)[0] == "42P01" else error) from None
                if not whole:
                    raise ConnectionLost(
                        f"The server of {self.end.name} ({place(self.end.url)}) crashed",
                        "The batch starts again by itself; else resend.",
                    )
                await connection.commit()
                connection.info["whole"] = True
            yield connection

    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        return await self.ask(as_sql(query), patient=patient)

    async def ask(self, question: str, *, patient: bool = True) -> list[tuple[Any, ...]]:
        with explained(self.end.name, self.end.url):
            async with self.staging() as connection:
                if not patient:
                    await connection.exec_driver_sql(NO_WAIT)
                driver = await driver_of(connection)
                return [tuple(row) for row in await driver.fetch(question)]

    def stage_name(self, number: int) -> str:
        return f"{number}_{self.end.digest}_{self.end.token}"

    async def create_stages(self, mappings: Sequence[TableMapping], source: Source) -> None:
        await self._run("; ".join(statement for mapping in mappings for statement in _stage_ddl(mapping)))

    async def store(self, stage: sa.Table, query: Query) -> None:
        await self._run(f"CREATE UNLOGGED TABLE {DIALECT.identifier_preparer.format_table(stage)} AS {as_sql(query)}")

    async def _run(self, statements: str) -> None:
        """Run statements without parameters in one round trip."""
        async with self.staging() as connection:
            driver = await driver_of(connection)
            # Shielded: the server would go on after a cancel, and create tables that the drop of stages misses.
            with anyio.CancelScope(shield=True):
                await driver.execute(statements)

    async def load(self, mapping: TableMapping, source: Source, query: sa.Select[Any], meter: Meter) -> None:
        async with self.staging() as connection:
            driver = await driver_of(connection)
            if isinstance(source, PostgresSource):
                async with source.reader() as reader:
                    columns = [column.name for column in query.selected_columns]
                    await pipe({reader: source.end, driver: self.end}, mapping, as_sql(query), columns, meter)
            else:
                with ending_with({driver: self.end}):
                    async with aclosing(source.rows(query)) as rows:
                        await load_rows(driver, mapping, rows, meter)

    async def index_stage(self, mapping: TableMapping, source: Source, *, by_key: bool) -> None:
        stage = DIALECT.identifier_preparer.format_table(mapping.stage)
        await self._run(f"CREATE INDEX ON {stage} USING brin ({ROW_ID}) WITH (pages_per_range = 8); ANALYZE {stage}")

    async def analyze(self, table: sa.Table) -> None:
        await self._run(f"ANALYZE {DIALECT.identifier_preparer.format_table(table)}")

    async def drop_stages(self) -> None:
        find = sa.text(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE nspname = :schema AND relkind = 'r' AND split_part(relname, '_', 2) = :digest"
            " AND split_part(relname, '_', 3)::bigint <= :token"
        ).bindparams(schema=STAGE_SCHEMA, digest=self.end.digest, token=self.end.token)
        async with connected(self.engine) as connection:
            left = [f'{STAGE_SCHEMA}."{name}"' for name in await connection.scalars(find)]
            for start in range(0, len(left), DROPPED_AT_ONCE):
                tables = ", ".join(left[start : start + DROPPED_AT_ONCE])
                await connection.exec_driver_sql(f"DROP TABLE IF EXISTS {tables}")
                await connection.commit()

    async def lock(self, connection: AsyncConnection, rows: sa.Select[Any]) -> None:
        await connection.execute(rows.with_for_update())

    async def insert_together(self, connection: AsyncConnection, inserts: Sequence[sa.Insert]) -> list[int]:
        """Insert by data-modifying CTEs: PostgreSQL checks their foreign keys at the end of the statement."""
        parts = [
            insert.returning(sa.literal(1).label("one")).cte(f"{RESERVED}part_{number}")
            for number, insert in enumerate(inserts)
        ]
        counts = [sa.select(sa.func.count()).select_from(part).scalar_subquery() for part in parts]
        row = (await connection.execute(sa.select(*counts))).one()
        return [int(count) for count in row]

    def refusal(self, error: BaseException) -> str | None:
        state, constraint = sqlstate(error)
        words = {
            "23505": "duplicate value",
            "23503": "foreign key",
            "23514": "check",
            "23502": "required value missing",
        }
        if state == "23505" and self._is_policed(error):
            return f"refused by the state: duplicate value ({constraint}), of a record that this login may not see"
        if state in words:
            where = "".join(
                [f" in {columns}" if (columns := _columns_of(error)) else "", f" ({constraint})" * bool(constraint)]
            )
            return f"refused by the state: {words[state]}{where}"
        if state == "42501" and getattr(cause_of(error), "server_source_function", None) == "ExecWithCheckOptions":
            return "refused by the state: row-level security"
        if state[:2] in ("22", "23", "44"):
            return f"a value that the state cannot take (SQLSTATE {state})"
        return f"refused by a trigger of the state (SQLSTATE {state})" if state[:2] == "P0" else None

    def _is_policed(self, error: BaseException) -> bool:
        """Whether the table named by an error hides rows from this login."""
        table = getattr(cause_of(error), "table_name", None)
        return any(name.rpartition(".")[2] == table for name in self.policed)

    def is_transient(self, error: BaseException) -> bool:
        return sqlstate(error)[0] in ("40001", "40P01", "55P03", "57014")


def _columns_of(error: BaseException) -> str:
    """Return the columns of a violated constraint; of a detail that ends in values only what stands before these."""
    cause = cause_of(error)
    detail = _COLUMNS.match(getattr(cause, "detail", None) or "")
    return getattr(cause, "column_name", None) or (detail[1] if detail else "")


_COLUMNS = re.compile(r"[^(]*\(([^()]*)\)=\(")


async def _give_to_owner(connection: AsyncConnection, *made: str) -> None:
    """Transfer created objects to the state's owner role, if this login is a member of it."""
    owner = await connection.scalar(_OWNER)
    if owner is not None:
        with suppress(DBAPIError):
            async with connection.begin_nested():
                for each in made:
                    await connection.exec_driver_sql(f"ALTER {each} OWNER TO {owner}")


def _stage_ddl(mapping: TableMapping) -> list[str]:
    quote = DIALECT.identifier_preparer.quote

    def table(of: sa.Table) -> str:
        return f"CREATE UNLOGGED TABLE {STAGE_SCHEMA}.{quote(of.name)}"

    def held(name: str) -> str:
        target = mapping.target.c[name]
        native = BPCHAR.name if is_padded(target) else NATIVE_IN_STAGE.get(logical_type(target), "text")
        return f"{quote(name)} {native}"

    number = f"{ROW_ID} bigint GENERATED ALWAYS AS IDENTITY"
    extra = [number, f"{SET_ASIDE} text", *map(held, mapping.key)]
    marks = [number, f"{EXCLUDED_BY} integer", f"{VALUE_ERROR} text"]
    marks += [f"{mapping.parent_mark(number)} integer" for number in range(len(mapping.foreign_keys))]
    return [
        f"{table(mapping.stage)} ({', '.join([*marks, *map(held, mapping.columns)])})",
        f"{table(mapping.refused)} (n bigint PRIMARY KEY, kind text NOT NULL, reason text NOT NULL, "
        "columns text, size bigint, foreign_key integer, unique_key integer, behind_exclusion boolean)",
        f"{table(mapping.changes)} (n bigint PRIMARY KEY, new boolean, swaps boolean, sent text)",
        f"{table(mapping.extra)} ({', '.join(extra)})",
    ]
