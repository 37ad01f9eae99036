"""A control database as some years of work leave it: hundreds of districts, each with many batches of all objects."""

from collections.abc import Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from resync_tui.control.models import METADATA
from resync_tui.control.store import Store
from resync_tui.databases.registry import open_engine
from resync_tui.plan import Plan, Request


@dataclass(frozen=True)
class Shape:
    """How much there is; each request is one batch a district, the state's and the districts' own in turn."""

    districts: Sequence[str]
    plan: Plan
    requests: int = 20


async def fill(store: Store, admin_url: str, shape: Shape) -> None:
    """Send one request as the program does, then make the others after it; all have ended.

    `admin_url` is of a login that no policy holds: the others are made in the database, as a hundred times faster.
    """
    await store.submit(
        Request(shape.districts, shape.plan, initiator="state", requested_by=store.rights.user, full=True)
    )
    engine = open_engine(admin_url)
    async with engine.begin() as connection:
        await connection.exec_driver_sql(_ENDED_BATCH)
        await connection.exec_driver_sql(_ENDED_OBJECT)
        for number in range(2, shape.requests + 1):
            # Numbers are given, as the trigger that counts them takes long for thousands in one transaction.
            given = {"batchID": f'"batchID" + {(number - 1) * len(shape.districts)}'}
            await connection.exec_driver_sql(_again("DISBatch", {**given, **_batch_values(number)}, '"requestID" = 1'))
        await connection.exec_driver_sql(_OBJECTS)
        for statement in (_ERROR_COUNTS, _ERRORS, *_ALERTS):
            await connection.exec_driver_sql(statement)
        newest = f'"lastRequest" = {shape.requests}, "lastBatch" = {shape.requests * len(shape.districts)}'
        await connection.exec_driver_sql(f'UPDATE "DISGate" SET {newest}')
        await connection.exec_driver_sql("ANALYZE")
    await engine.dispose()


async def rows_of(admin_url: str) -> dict[str, int]:
    """Return how many rows each of the large tables has."""
    engine = open_engine(admin_url)
    async with engine.connect() as connection:
        tables = ("DISBatch", "DISBatchHistory", "DISBatchError", "ProcessAlert")
        found = {each: await connection.scalar(sa.text(f'SELECT count(*) FROM "{each}"')) for each in tables}
    await engine.dispose()
    return found


def _again(table: str, changed: dict[str, str], which: str) -> str:
    columns = [each.name for each in METADATA.tables[table].c]
    names = ", ".join(f'"{each}"' for each in columns)
    values = ", ".join(changed.get(each, f'"{each}"') for each in columns)
    return f'INSERT INTO "{table}" ({names}) SELECT {values} FROM "{table}" WHERE {which} ORDER BY "batchID"'


def _batch_values(number: int) -> dict[str, str]:
    initiator = "'state'" if number % 2 else "'district'"
    # Some requests are partial, some compare only, and now and then a district fails.
    purpose = "'verify'" if number % 7 == 0 else "purpose"
    failed = f"""CASE WHEN ("batchID" + {number}) % 41 = 0 THEN 'failed' ELSE status END"""
    full = {"isFull": "false"} if number % 3 == 0 else {}
    return {"requestID": str(number), "initiator": initiator, "purpose": purpose, "status": failed, **full}


_ENDED_BATCH = """UPDATE "DISBatch" SET status = 'completed', color = 'yellow', "startedAt" = "requestedAt",
    "finishedAt" = "requestedAt", processed = 1234567, errors = 321, unchanged = 1234246, excluded = 300,
    blocked = 21, attempts = 1, agent = 'host:1'"""
_ENDED_OBJECT = """UPDATE "DISBatchHistory" SET status = 'completed', processed = 10000 + sequence,
    errors = sequence % 7, unchanged = 10000 + sequence - sequence % 7, blocked = sequence % 7, total = processed,
    "startedAt" = (SELECT "requestedAt" FROM "DISBatch" b WHERE b."batchID" = "DISBatchHistory"."batchID"),
    "finishedAt" = (SELECT "requestedAt" FROM "DISBatch" b WHERE b."batchID" = "DISBatchHistory"."batchID")"""
_OF_OBJECT = [each.name for each in METADATA.tables["DISBatchHistory"].c]
_OBJECTS = f"""INSERT INTO "DISBatchHistory" ({", ".join(f'"{each}"' for each in _OF_OBJECT)})
    SELECT {", ".join(f'{"b" if each in ("batchID", "districtNumber") else "h"}."{each}"' for each in _OF_OBJECT)}
    FROM "DISBatch" b JOIN "DISBatchHistory" h ON h."batchID" = (SELECT min("batchID") FROM "DISBatch")
    WHERE b."requestID" > 1"""
_ERROR_COUNTS = """INSERT INTO "DISBatchErrorCount" ("batchID", "objectName", "tableName", kind, reason, records)
    SELECT "batchID", "objectName", "objectName", 'blocked', 'its Person was not resynced', errors
    FROM "DISBatchHistory" WHERE errors > 3"""
_ERRORS = """INSERT INTO "DISBatchError" ("batchID", number, "objectName", "tableName", key, kind, reason)
    SELECT "batchID", sequence, "objectName", "objectName", '{"id": 5}', 'blocked', 'its Person was not resynced'
    FROM "DISBatchHistory" WHERE errors > 3"""
_COMMON = """'Vertical Interoperability', {name}, 'It was so.', "requestedAt", {audience}, {district}, "requestID"
    FROM "DISBatch" WHERE {which}"""
_ALERTS = tuple(
    'INSERT INTO "ProcessAlert" (process, name, message, "postedAt", audience, "districtNumber", "requestID") SELECT '
    + _COMMON.format(name=name, audience=audience, district=district, which=which)
    for name, audience, district, which in (
        ("'State Resync Requested'", "'district'", '"districtNumber"', "initiator = 'state'"),
        ("'Resync Completed'", "'district'", '"districtNumber"', "true"),
        ("'Resync Completed'", "'state'", "NULL", """initiator = 'state' AND "batchID" % 30 = 0"""),
    )
)
