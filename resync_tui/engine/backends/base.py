"""Interface between the engine and each kind of database: a source (district) and a target (state)."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol, TypeAlias

import anyio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.databases.names import split_name
from resync_tui.engine import ownership
from resync_tui.engine.dialect import Dialect
from resync_tui.engine.guards import ReferentialAction
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.reflection import Tables
from resync_tui.engine.visibility import PolicedTables, policed_tables, require_seen
from resync_tui.errors import CannotRun, FenceAhead, LeaseLost


class Meter(Protocol):
    """Callback that counts records and applies the rate limit."""

    def chunk(self, wanted: int) -> int:
        """Return the chunk size, at most `wanted` records."""

    async def __call__(self, records: int) -> None:
        """Count `records`, and wait as the rate limit requires."""


Query: TypeAlias = sa.Select[Any] | sa.CompoundSelect[Any]

CLEANUP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class End:
    """One end of a batch: its database, and the tenant and token that it is opened for."""

    url: str
    name: str
    """Display name: `the state`, `district Abbott (01)`."""
    tenant: str
    token: int
    """Fencing token: grows with every claim of a district; a holder of an older one must not write."""
    trusts_policies: bool = False
    """Whether row-level security bounds this end: records hidden from this login are not part of the batch."""
    mark: str = ""
    """Keyed hash of the district, for names that every login of the server may read; empty: `digest`."""

    @property
    def digest(self) -> str:
        """Hash of the tenant, 12 hexadecimal characters, for the names of stages."""
        return hashlib.sha256(self.tenant.encode()).hexdigest()[:12]


def taken_over() -> LeaseLost:
    """Return the error for a claim that is no longer the newest of its district."""
    return LeaseLost("Another agent has taken this district over", "Nothing to do: it goes on there.")


LARGEST_TOKEN = 2**62
"""Largest token of a fence that claims can still exceed: control databases hold 64 bits."""


def fence_ahead(end: End, newest: int, reset: str) -> CannotRun | FenceAhead:
    """Return the error for a fence whose newest token is greater than a claim's; `reset` is how to do without it."""
    what = f"The fence of {end.name} is ahead (token {newest}, this batch's is {end.token})"
    if newest > LARGEST_TOKEN:
        return CannotRun(f"{what}: nothing can exceed it", f"See that nothing else sends there, then {reset}.")
    return FenceAhead(
        f"{what}: another control database sends there, or a clock was ahead",
        "See that no other one sends this district, then send it again: the next token is greater.",
        newest,
    )


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Check out a connection and close it in any case; a cancelled one is rolled back under a shield."""
    with anyio.CancelScope(shield=True):  # cancelling a driver while it connects can leave its thread behind
        connection = await engine.connect()
    try:
        yield connection
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
            await connection.close()


async def says_district(connection: AsyncConnection, identity: str) -> set[str]:
    """Return up to three distinct values of the catalog's `identity` column (`Table.column`), as text."""
    table, _, column = identity.rpartition(".")
    schema, name = split_name(table)
    selected: sa.ColumnClause[Any] = sa.column(column)
    query = sa.select(selected).distinct().select_from(sa.table(name, schema=schema)).limit(3)
    return {str(value) for value in await connection.scalars(query)}


@dataclass(frozen=True, slots=True)
class HeldRows:
    """Rows of a small table in memory, between the reading and the merge."""

    columns: tuple[str, ...]
    data: bytes
    """In the form of their kind of database."""
    count: int


class DirectLoad(ABC):
    """Load of small new tables without a stage, from memory, between two databases of one kind.

    Its rows are inserted as a whole or not at all: what is refused is staged and goes the ordinary way.
    """

    @abstractmethod
    async def as_sent(self, target: "Target", tables: Mapping[str, sa.Table]) -> frozenset[str]:
        """Return the tables, by catalog name, in which the state holds each row as it was sent or refuses it."""

    @abstractmethod
    async def read(self, source: "Source", query: sa.Select[Any], most: int) -> HeldRows | None:
        """Return the rows of a query in the district; None if they take more than so many bytes."""

    @abstractmethod
    async def insert(self, target: "Target", connection: AsyncConnection, table: sa.Table, rows: HeldRows) -> int:
        """Insert rows in a transaction on the state; return their number. Raises the driver's errors."""

    @abstractmethod
    async def stage(self, target: "Target", mapping: TableMapping, rows: HeldRows) -> None:
        """Copy rows into the table's stage instead."""


class _Database:
    """Common base of source and target: an engine, and reflected tables."""

    dialect: ClassVar[Dialect]

    def __init__(self, end: End, engine: AsyncEngine) -> None:
        self.end = end
        self.engine = engine
        self.policed: PolicedTables = {}
        """Reflected tables with rows hidden from its login."""

    async def require_session(self) -> None:
        """Require that its connections keep their sessions, where a pooler may stand before it. Raises CannotRun."""

    async def reflect(self, names: Iterable[str]) -> Tables:
        """Return the existing tables among `names`, and the tables that they reference."""
        async with connected(self.engine) as connection:
            tables = await self.dialect.reflect(connection, names)
            self.policed = policed_tables(tables)
            return tables

    async def ask(self, question: str, *, patient: bool = True) -> list[tuple[Any, ...]]:
        """Return the answer to a question of the dialect's `hashing`, as `fetch` does."""
        raise NotImplementedError

    async def close(self) -> None:
        """Close every connection."""
        await self.engine.dispose()


class Source(_Database, ABC):
    """Source: a district's database, read under one snapshot."""

    readers = 1
    """Maximum number of connections that read one large table."""
    state_schema: str | None = None
    """Schema under which its snapshot also shows the state's tables; None: it does not."""

    async def says_district(self, identity: str) -> set[str]:
        """Return the district ids that the source's `identity` column holds; see the function `says_district`."""
        async with connected(self.engine) as connection:
            return await says_district(connection, identity)

    async def doubts(self, tables: Mapping[str, sa.Table]) -> dict[str, str]:
        """Return the reasons why district tables may not show every record, by catalog name."""
        return {}

    @abstractmethod
    async def expel_older(self) -> None:
        """Terminate the connections of older claims of this district."""

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[None]:
        """Hold a consistent snapshot of the district until exit."""

    @abstractmethod
    def rows(self, query: sa.Select[Any]) -> AsyncGenerator[list[tuple[Any, ...]], None]:
        """Yield the rows of a query in chunks, under the snapshot.

        Values are Python's, loosely typed: dates and times as ISO text, booleans as such or as 0 and 1, numbers as
        int, float or Decimal. A caller that stops early closes the generator, to release the reader at once and in the
        task that acquired it.
        """

    async def check(self, query: sa.Select[Any]) -> None:
        """Run a query in the district alone, whatever else its snapshot shows."""
        await self.fetch(query)

    @abstractmethod
    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        """Return the rows of a query, under the snapshot once it is held; waits for no lock unless `patient`."""


class Target(_Database, ABC):
    """Target: the state's database, with stages, and transactions fenced against older claims."""

    writers = 1
    """Maximum number of connections that write to one large table."""
    direct: DirectLoad | None = None
    """None: every row is staged."""
    finds_orphans = False
    """Whether the state's foreign keys, checked row by row in any case, find orphans sooner than a query would."""

    @abstractmethod
    async def require_writable(self) -> None:
        """Require that the state is there and may be written. Raises CannotRun."""

    @abstractmethod
    async def before_triggers(self, tables: Mapping[str, sa.Table]) -> list[tuple[str, str]]:
        """Return the triggers that run before a row of these tables is written, by catalog name of the table."""

    @abstractmethod
    async def delete_actions(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        """Return the foreign keys of any table that act (ON DELETE) when a record of these tables is deleted."""

    @abstractmethod
    async def update_actions(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        """Return the foreign keys of any table that act (ON UPDATE) when a record of these tables is updated."""

    @abstractmethod
    async def references(self, tables: Mapping[str, sa.Table]) -> list[ReferentialAction]:
        """Return the foreign keys of any table that point to these tables, with what they do at a removal."""

    async def owner(self) -> str | None:
        """Return the district recorded as the state's owner; None if not recorded."""
        async with connected(self.engine) as connection:
            return await ownership.owner(connection, self.dialect.ownership)

    async def own(self, district: str) -> str:
        """Record the district as the state's owner, if none is recorded; return the owner. Raises LeaseLost."""
        async with self.transaction() as connection:
            if not await ownership.is_remembered(connection, self.dialect.ownership):
                await self._make_memory(connection)
            if (owner := await ownership.owner(connection, self.dialect.ownership)) is None:
                await ownership.own(connection, self.dialect.ownership, district)
            return owner or district

    @abstractmethod
    async def _make_memory(self, connection: AsyncConnection) -> None:
        """Create the ownership table."""

    @abstractmethod
    async def claim(self) -> None:
        """Claim the district for this token, and drop what older ones left. Raises LeaseLost if a newer one exists."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Transaction on the state, committed on exit unless a newer claim exists. Raises LeaseLost."""

    @abstractmethod
    def staging(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Transaction on stages alone, committed on exit."""

    @abstractmethod
    def stage_name(self, number: int) -> str:
        """Return the name suffix of a table's stages, by the table's number; unique among batches."""

    @abstractmethod
    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        """Return the rows of a query; waits for no lock unless `patient`."""

    @abstractmethod
    async def triggered(self, tables: Mapping[str, sa.Table]) -> frozenset[str]:
        """Return the names of the tables with triggers or rules that an insert or an update sets off."""

    @abstractmethod
    async def create_stages(self, mappings: Sequence[TableMapping], source: Source) -> None:
        """Create the stages of tables, empty; the source may be their writer while it is read."""

    @abstractmethod
    async def store(self, stage: sa.Table, query: Query) -> None:
        """Create a further stage with the rows of a query in the state."""

    @abstractmethod
    async def load(self, mapping: TableMapping, source: Source, query: sa.Select[Any], meter: Meter) -> None:
        """Copy the rows of a query in the district into the table's stage."""

    @abstractmethod
    async def index_stage(self, mapping: TableMapping, source: Source, *, by_key: bool) -> None:
        """Index a loaded stage by row id and, if `by_key`, by record key."""

    @abstractmethod
    async def analyze(self, table: sa.Table) -> None:
        """Update the planner's statistics of a large stage, where the database has them."""

    @abstractmethod
    async def drop_stages(self) -> None:
        """Drop every stage left by this district's batches up to this token."""

    @abstractmethod
    async def lock(self, connection: AsyncConnection, rows: sa.Select[Any]) -> None:
        """Lock the rows of a query against new references until the end of this transaction."""

    @abstractmethod
    async def insert_together(self, connection: AsyncConnection, inserts: Sequence[sa.Insert]) -> list[int]:
        """Insert rows of a foreign-key cycle, with foreign keys checked after all inserts; return the row counts."""

    @abstractmethod
    def refusal(self, error: BaseException) -> str | None:
        """Return the reason why the state refused a row, without its values; None if no row is to blame."""

    @abstractmethod
    def is_transient(self, error: BaseException) -> bool:
        """Whether a retry may succeed, as after a deadlock or a lock timeout."""


def require_all_seen(end: Source | Target, mappings: Sequence[TableMapping], *, removing: bool) -> None:
    """Raise CannotRun if rows of these tables are hidden at an end; see `require_seen`."""
    names = [mapping.name for mapping in mappings]
    require_seen(names, end.policed, end.end.name, trusted=end.end.trusts_policies, removing=removing)
    for mapping in mappings:
        if isinstance(end, Target) and mapping.name in end.policed and not mapping.key:
            raise end.policed[mapping.name].added_again(end.end.name)


Questions: TypeAlias = Mapping[TableMapping, sa.Select[Any] | str]
"""One query or text a table; all are of one sort."""
Answers: TypeAlias = dict[TableMapping, list[tuple[Any, ...]]]


async def ask_both(source: Source, ours: Questions, target: Target, theirs: Questions) -> tuple[Answers, Answers]:
    """Ask both ends in parallel, each in one UNION ALL: the column types of its questions must match."""
    answers: dict[Source | Target, Answers] = {}

    async def ask(end: Source | Target, questions: Questions) -> None:
        answers[end] = await _answers(end, questions)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, source, ours)
        tasks.start_soon(ask, target, theirs)
    return answers[source], answers[target]


async def _answers(end: Source | Target, questions: Questions) -> Answers:
    answers: Answers = {mapping: [] for mapping in questions}
    mappings = list(questions)
    # Impatient: to wait for one table while it holds locks on others could deadlock, and end another session.
    patient = len(mappings) == 1
    queries, texts = list[sa.Select[Any]](), list[str]()
    for number, question in enumerate(questions.values()):
        if isinstance(question, str):
            texts.append(f"SELECT asked.*, {number} FROM ({question}) AS asked")
        else:
            queries.append(question.add_columns(sa.literal_column(str(number)).label("question")))
    found = await end.fetch(sa.union_all(*queries), patient=patient) if queries else []
    found += await end.ask(" UNION ALL ".join(texts), patient=patient) if texts else []
    for *row, number in found:
        answers[mappings[number]].append(tuple(row))
    return answers
