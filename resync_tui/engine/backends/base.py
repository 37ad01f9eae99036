"""The seam between the engine and each kind of database: a district to read, a state to write."""

import hashlib
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import anyio
import sqlalchemy as sa
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine

from resync_tui.databases.names import split_name
from resync_tui.engine import ownership
from resync_tui.engine.guards import DeleteAction
from resync_tui.engine.mapping import TableMapping
from resync_tui.engine.reflection import reflect
from resync_tui.engine.visibility import PolicedTables, policed_tables, require_seen
from resync_tui.errors import LeaseLost


class Meter(Protocol):
    """Sees records pass, and keeps them to a limit."""

    def chunk(self, wanted: int) -> int:
        """Return how many to take at once."""

    async def __call__(self, records: int) -> None:
        """Wait where there is a limit: so many have just passed."""


Query: TypeAlias = sa.Select[Any] | sa.CompoundSelect[Any]

CLEANUP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class End:
    """One database of a batch, and on whose behalf it is opened."""

    url: str
    name: str
    """For people: `the state`, `district Abbott (01)`."""
    tenant: str
    token: int
    """Grows with every claim of a district; whoever holds an older one must not write."""
    trusts_policies: bool = False
    """Whether row-level security is its border: what this login does not see is none of the batch's business."""

    @property
    def digest(self) -> str:
        """The tenant in twelve characters, for names of stages and connections."""
        return hashlib.sha256(self.tenant.encode()).hexdigest()[:12]


def taken_over() -> LeaseLost:
    """Return the error of a claim that is no longer its district's newest."""
    return LeaseLost("Another agent has taken this district over", "Nothing to do: it goes on there.")


@asynccontextmanager
async def connected(engine: AsyncEngine) -> AsyncIterator[AsyncConnection]:
    """Lend a connection, and give it back whatever happened: a cancelled one is rolled back under a shield."""
    with anyio.CancelScope(shield=True):  # cancelling a driver while it connects can leave its thread behind
        connection = await engine.connect()
    try:
        yield connection
    finally:
        with anyio.CancelScope(shield=True), anyio.move_on_after(CLEANUP_SECONDS):
            await connection.close()


async def says_district(connection: AsyncConnection, identity: str) -> set[str]:
    """Return up to three values of the catalog's `identity` column, `Table.column`, as text."""
    table, _, column = identity.rpartition(".")
    schema, name = split_name(table)
    selected: sa.ColumnClause[Any] = sa.column(column)
    query = sa.select(selected).distinct().select_from(sa.table(name, schema=schema)).limit(3)
    return {str(value) for value in await connection.scalars(query)}


class _Database:
    """What a source and a target have in common: an engine, and tables as they are reflected."""

    hashes = False
    """Whether it can fingerprint rows."""

    def __init__(self, end: End, engine: AsyncEngine) -> None:
        self.end = end
        self.engine = engine
        self.policed: PolicedTables = {}
        """Reflected tables of which its login does not see all."""

    async def reflect(self, names: Iterable[str]) -> dict[str, sa.Table]:
        """Return the tables that exist among `names`, with those they point to."""
        async with connected(self.engine) as connection:
            tables = await reflect(connection, names)
            self.policed = await policed_tables(connection, tables)
            return tables

    async def close(self) -> None:
        """Let every connection go."""
        await self.engine.dispose()


class Source(_Database, ABC):
    """A district's database, read under one snapshot."""

    readers = 1
    """How many connections may read one large table at a time."""
    state_schema: str | None = None
    """Where its snapshot also shows the state's tables; None: it does not."""

    async def says_district(self, identity: str) -> set[str]:
        """Return which district the source says it is, see `says_district`."""
        async with connected(self.engine) as connection:
            return await says_district(connection, identity)

    async def doubts(self, tables: Mapping[str, sa.Table]) -> dict[str, str]:
        """Return why some of the district's tables may not show every record, by their names in the catalog."""
        return {}

    @abstractmethod
    async def expel_older(self) -> None:
        """End connections that an older claim of this district still holds."""

    @abstractmethod
    def snapshot(self) -> AbstractAsyncContextManager[None]:
        """Hold one consistent view of the district until left."""

    @abstractmethod
    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        """Return what a query finds, under the snapshot once there is one; waits for no lock unless `patient`."""


class Target(_Database, ABC):
    """The state's database: stages beside its tables, and transactions that an older claim cannot commit."""

    writers = 1
    """How many connections may write to one large table at a time."""
    can_read_while_writing = False
    """Whether stages can be asked while another connection writes to the state, and are worth asking then."""

    @abstractmethod
    async def doubts(self, tables: Mapping[str, sa.Table]) -> dict[str, str]:
        """Return why records of some of the state's tables may not be removed, by their names in the catalog."""

    @abstractmethod
    async def delete_actions(self, tables: Mapping[str, sa.Table]) -> list[DeleteAction]:
        """Return the foreign keys, of any table, by which a deleted record of these tables changes others."""

    async def owner(self) -> str | None:
        """Return the district whose copy the state is, where it remembers one."""
        async with connected(self.engine) as connection:
            return await ownership.owner(connection)

    async def own(self, district: str) -> str:
        """Have the state remember whose copy it is, unless it does; return whose. Raises LeaseLost."""
        async with self.transaction() as connection:
            if not await ownership.is_remembered(connection):
                await self._make_memory(connection)
            if (owner := await ownership.owner(connection)) is None:
                await ownership.own(connection, district)
            return owner or district

    @abstractmethod
    async def _make_memory(self, connection: AsyncConnection) -> None:
        """Create the table that says whose copy the state is."""

    @abstractmethod
    async def claim(self) -> None:
        """Make this token the district's newest, end what older ones left. Raises LeaseLost where it is not."""

    @abstractmethod
    def transaction(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Commit what is done inside, unless a newer claim exists. Raises LeaseLost."""

    @abstractmethod
    def staging(self) -> AbstractAsyncContextManager[AsyncConnection]:
        """Commit what is done inside to stage tables alone."""

    @abstractmethod
    def stage_name(self, number: int) -> str:
        """Return what the stage tables of a batch's table are called by; no other batch has the same."""

    @abstractmethod
    async def fetch(self, query: Query, *, patient: bool = True) -> list[tuple[Any, ...]]:
        """Return what a query finds; waits for no lock unless `patient`."""

    async def fetch_staged(self, query: Query) -> list[tuple[Any, ...]]:
        """Return what a query finds in stages alone, by a connection that does not write."""
        raise NotImplementedError

    @abstractmethod
    async def create_stages(self, specs: Sequence[TableMapping], source: Source) -> None:
        """Create the stage tables of a batch, empty; the source may be what writes them while it is read."""

    @abstractmethod
    async def load(self, spec: TableMapping, source: Source, query: sa.Select[Any], meter: Meter) -> None:
        """Copy what `query` finds in the district into the table's stage."""

    @abstractmethod
    async def index_stage(self, spec: TableMapping, source: Source, *, by_key: bool) -> None:
        """Make a loaded stage quick to ask, `by_key` as well as by number."""

    @abstractmethod
    async def analyze(self, table: sa.Table) -> None:
        """Note that a stage table holds many rows, where queries are planned by that."""

    @abstractmethod
    async def drop_stages(self) -> None:
        """Drop every stage that this district's batches up to this token have left."""

    @abstractmethod
    async def lock(self, connection: AsyncConnection, rows: sa.Select[Any]) -> None:
        """Keep the rows that a query finds from being referred to anew until this transaction ends."""

    @abstractmethod
    async def insert_together(self, connection: AsyncConnection, inserts: Sequence[sa.Insert]) -> list[int]:
        """Insert rows that point at each other, foreign keys being checked after all; return how many each inserted."""

    @abstractmethod
    def refusal(self, error: BaseException) -> str | None:
        """Return why the state refused a row, without any of its values; None where no row is to blame."""

    @abstractmethod
    def is_transient(self, error: BaseException) -> bool:
        """Whether trying the same again may well succeed: a deadlock, a lock not had in time."""


def require_all_seen(end: Source | Target, specs: Sequence[TableMapping], *, removing: bool) -> None:
    """Raise CannotRun where rows of these tables are hidden at an end, see `require_seen`."""
    names = [spec.name for spec in specs]
    require_seen(names, end.policed, end.end.name, trusted=end.end.trusts_policies, removing=removing)
    for spec in specs:
        if isinstance(end, Target) and spec.name in end.policed and not spec.key:
            raise end.policed[spec.name].added_again(end.end.name)


Questions: TypeAlias = Mapping[TableMapping, sa.Select[Any]]
Answers: TypeAlias = dict[TableMapping, list[tuple[Any, ...]]]


async def ask_both(source: Source, ours: Questions, target: Target, theirs: Questions) -> tuple[Answers, Answers]:
    """Ask both ends side by side, each in one statement: the columns of its questions are of the same types."""
    answers: dict[Source | Target, Answers] = {}

    async def ask(end: Source | Target, questions: Questions) -> None:
        answers[end] = await _answers(end, questions)

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(ask, source, ours)
        tasks.start_soon(ask, target, theirs)
    return answers[source], answers[target]


async def _answers(end: Source | Target, questions: Questions) -> Answers:
    answers: Answers = {spec: [] for spec in questions}
    specs = list(questions)
    if len(specs) == 1:
        return {specs[0]: await end.fetch(questions[specs[0]])}
    if specs:
        numbered = (
            query.add_columns(sa.literal_column(str(number)).label("question"))
            for number, query in enumerate(questions.values())
        )
        # It has locked some tables when it gets to the others: to wait for one could be a deadlock, and another's end.
        for *row, number in await end.fetch(sa.union_all(*numbered), patient=False):
            answers[specs[number]].append(tuple(row))
    return answers
