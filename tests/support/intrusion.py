"""Random statements of every role, by what it is granted, at a control database in use.

No agent ends by them, no console breaks, what the state and other districts have asked for completes, and nobody sees
a row that is not theirs: a district that looks on sees the same, whatever the state does meanwhile.
"""

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import anyio
import asyncpg

from resync_tui.control.grants import LOOK
from resync_tui.control.store import Store
from resync_tui.outcome import Status
from resync_tui.plan import Request
from tests.support.databases import create_database, own_postgres
from tests.support.fake_work import run_faked
from tests.support.forged import ALERT, BATCH, OBJECT, insert
from tests.support.plans import make_plan
from tests.support.roles import ABBOTT, CAMPUS, STATE, Roles, grant_all, write_settings

INTRUDERS = {"jdoe": "01", "reader": "01", "writer": "", "stranger": ""}
"""Logins, and the district that each may read."""

GRANTED = """
SELECT c.relname AS table, a.attname AS column, format_type(a.atttypid, NULL) AS type, p.name AS privilege
FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
CROSS JOIN (VALUES ('SELECT'), ('INSERT'), ('UPDATE')) p (name)
WHERE c.relnamespace = 'public'::regnamespace AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
AND has_column_privilege(c.oid, a.attnum, p.name) ORDER BY 1, a.attnum
"""

TEXTS = (
    "resync", "verify", "remove-extra", "bogus", "selected", "required", "zzz", "queued", "running", "completed",
    "cancelled", "failed", "skipped", "state", "district", "01", "02", "", "School", "District", "nobody", "x" * 2000,
    "\x1b]0;x\x07", "\u202e\n\r", "'; --", "[red]", "State Resync Requested", "Resync Cancelled", "Resync Not Started",
    "Vertical Interoperability", "schedule weekly",
)  # fmt: skip
NUMBERS = ("0", "1", "-1", "2", "3", "7", "40", "2026", "2147483647", "-2147483648")
VALUES = {
    "integer": NUMBERS,
    "bigint": (*NUMBERS, "9223372036854775807"),
    "boolean": ("true", "false"),
    "double precision": ("0", "-1.5", "'NaN'", "'Infinity'"),
    "timestamp with time zone": (
        "now()", "'0044-03-15 BC'", "'200000-01-01'", "'infinity'", "'-infinity'", "'1970-01-01'", "'9998-12-31'",
    ),
    "json": ("'[]'", "'null'", "'7'", "'{}'", "'[1, {}]'", """'["School"]'""", r"""'["\u0000"]'""", "'[[[[]]]]'"),
}  # fmt: skip
ODD = (
    "SELECT pg_advisory_lock({number})",
    "NOTIFY dis_wake",
    'LOCK TABLE "{table}" IN ACCESS SHARE MODE',
    'LOCK TABLE "{table}" IN ROW EXCLUSIVE MODE',
    'DELETE FROM "{table}"',
    'TRUNCATE "{table}"',
    'CREATE TEMP TABLE "{table}" (n integer)',
    "SET row_security = off",
    "SET search_path = pg_temp, public",
    "RESET ALL",
    "SELECT dis_reads(), dis_writes(), dis_agent(), dis_caller()",
    "SET ROLE {role}",
    "RESET ROLE",
    "DISCARD ALL",
)


def quoted(value: str) -> str:
    """Return a text as SQL."""
    return "E'" + value.replace("\\", "\\\\").replace("'", "''") + "'"


@dataclass
class Intruder:
    """One login and its random statements."""

    roles: Roles
    role: str
    random: Random
    district: str
    tally: Counter[str] = field(default_factory=Counter)

    async def act(self, statements: int) -> None:
        """Run so many statements, some in transactions that are left open for a moment."""
        connection = await asyncpg.connect(self.roles.login(self.role))
        try:
            await connection.execute("SET lock_timeout = '1s'")
            granted = [dict(row) for row in await connection.fetch(GRANTED)]
            for _ in range(statements):
                await self._run(connection, self._transaction(granted))
        finally:
            await connection.close(timeout=5)

    async def _run(self, connection: asyncpg.Connection, statements: list[str]) -> None:
        end = self.random.choice(("COMMIT", "COMMIT", "ROLLBACK"))
        try:
            await connection.execute("BEGIN")
            for statement in statements:
                await connection.execute(statement)
            self.tally["done"] += 1
            if self.random.random() < 0.1:
                await anyio.sleep(0.05)
        except asyncpg.PostgresError as error:
            self.tally[type(error).__name__] += 1
            end = "ROLLBACK"
        try:
            await connection.execute(end)
        except asyncpg.PostgresError as error:
            self.tally[type(error).__name__] += 1

    def _transaction(self, granted: list[dict[str, str]]) -> list[str]:
        kinds: list[Callable[[], list[str]]] = [self._request, lambda: [self._odd()]]
        if granted:
            kinds += [lambda: [self._statement(granted)]] * 4
        return self.random.choice(kinds)()

    def _request(self) -> list[str]:
        """Return a request like a sound one, with some other values."""
        mine = {"districtNumber": quoted(self.district or "01")}
        number = """(SELECT max("batchID") FROM "DISBatch")"""
        batch = insert("DISBatch", {**BATCH, **mine, **self._others({"purpose", "notBefore", "preview", *BATCH})})
        objects = {**OBJECT, **mine, "batchID": number, **self._others(set(OBJECT))}
        alert = {**ALERT, **mine, "requestID": "1", **self._others({*ALERT, "batchID", "dueAt", "recipient"})}
        return [
            batch,
            insert("DISBatchHistory", objects),
            *([insert("ProcessAlert", alert)] * (self.random.random() < 0.1)),
        ]

    def _others(self, columns: set[str]) -> dict[str, str]:
        chosen = self.random.sample(sorted(columns), self.random.choice((0, 0, 1, 1, 2)))
        return {each: self._value(self.random.choice((*VALUES, "text"))) for each in chosen}

    def _statement(self, granted: list[dict[str, str]]) -> str:
        some = self.random.choice(granted)
        mine = [each for each in granted if (each["table"], each["privilege"]) == (some["table"], some["privilege"])]
        table, condition = f'"{some["table"]}"', f'"{some["column"]}" = {self._value(some["type"])}'
        if some["privilege"] == "INSERT":
            return insert(some["table"], {each["column"]: self._value(each["type"]) for each in mine})
        where = self.random.choice(("", f" WHERE {condition}"))
        if some["privilege"] == "UPDATE":
            chosen = self.random.sample(mine, self.random.randint(1, len(mine)))
            return f"UPDATE {table} SET {', '.join(self._assignment(each) for each in chosen)}{where}"
        columns = ", ".join(f'"{each["column"]}"' for each in mine)
        return f"SELECT {columns} FROM {table}{where}{self.random.choice(('', ' FOR UPDATE', ' FOR KEY SHARE'))}"

    def _assignment(self, column: dict[str, str]) -> str:
        name = f'"{column["column"]}"'
        counted = column["type"] in ("integer", "bigint") and self.random.random() < 0.5
        return f"{name} = {name} + 1" if counted else f"{name} = {self._value(column['type'])}"

    def _value(self, kind: str) -> str:
        if self.random.random() < 0.05:
            return "NULL"
        if kind in VALUES:
            return self.random.choice(VALUES[kind])
        return quoted(self.random.choice((*TEXTS, self.roles.name(self.role), self.roles.name("kim"))))

    def _odd(self) -> str:
        names = {"table": self.random.choice(LOOK), "number": self.random.randrange(9)}
        return self.random.choice(ODD).format(
            **names, role=self.roles.name(self.random.choice(("dis_abbott", "agent")))
        )

    async def check(self) -> None:
        """Assert that whatever this login sees is of its district, asked there, or its own."""
        connection = await asyncpg.connect(self.roles.login(self.role))
        name = self.roles.name(self.role)
        try:
            seen = {table: await _seen(connection, table) for table in LOOK}
        finally:
            await connection.close()
        batches = {row["batchID"] for row in seen["DISBatch"]}
        for row in seen["DISBatch"]:
            assert (row["initiator"], row["districtNumber"]) == ("district", self.district), (self.role, row)
        for table in [each for each in LOOK if each.startswith("DISBatch") or each == "DISRunning"]:
            assert {row["batchID"] for row in seen[table]} <= batches, (self.role, table)
        for row in seen["ProcessAlert"]:
            assert (row["audience"], row["districtNumber"]) == ("district", self.district), (self.role, row)
            assert row["recipient"] in (None, name), (self.role, row)
        assert {row["userName"] for row in seen["ProcessAlertUser"]} <= {name}
        assert {row["districtNumber"] for row in seen["DISRight"]} <= {"01"}


async def _seen(connection: asyncpg.Connection, table: str) -> list[asyncpg.Record]:
    """Return the rows of a table that a login sees; times as texts, as not all of them are any in Python."""
    try:
        columns = await connection.fetch(
            "SELECT attname, atttypid = 'timestamptz'::regtype FROM pg_attribute"
            " WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped",
            f'"{table}"',
        )
        shown = ", ".join(f'"{name}"{"::text" if is_time else ""}' for name, is_time in columns)
        return list(await connection.fetch(f'SELECT {shown} FROM "{table}"'))
    except asyncpg.InsufficientPrivilegeError:
        return []


@dataclass
class Siege:
    """A control database in use, and those who would break it."""

    roles: Roles
    folder: Path
    random: Random
    intruders: list[Intruder] = field(default_factory=list)
    asked: int = 0
    before: dict[str, list[str]] = field(default_factory=dict)

    async def prepare(self) -> None:
        """Let the district that looks on have something of its own."""
        self.intruders = [
            Intruder(self.roles, role, Random(self.random.random()), district) for role, district in INTRUDERS.items()
        ]
        kim = await self.roles.store("kim", CAMPUS)
        for _ in range(2):
            await kim.submit(Request(["02"], make_plan("District", "School"), "district", ""))
        await self._agent()
        self.before = await self._looked()
        assert self.before["DISBatch"]

    async def round(self, statements: int) -> None:
        """Let all act at once, and then see what stands."""
        governor, jdoe = await self.roles.store("governor", STATE), await self.roles.store("jdoe", ABBOTT)
        async with anyio.create_task_group() as group:
            group.start_soon(self._agent)
            for each in self.intruders:
                group.start_soon(each.act, statements)
            group.start_soon(self._ask, governor)
            group.start_soon(self._look, governor)
            group.start_soon(self._look, jdoe)
        await self._agent()
        for each in self.intruders:
            await each.check()
        own = [each for each in await governor.batches() if each.initiator == "state"]
        assert len(own) == 2 * self.asked
        assert {each.status for each in own} == {Status.COMPLETED}
        assert await self._looked() == self.before
        await self._look(governor)
        await self._look(jdoe)
        for store in (governor, jdoe):
            await store.close()

    async def _ask(self, governor: Store) -> None:
        self.asked += 1
        await governor.submit(Request(["01", "02"], make_plan("District", "School"), "state", ""))

    async def _agent(self) -> None:
        await run_faked(write_settings(self.folder, self.roles.login("agent"), STATE))

    async def _look(self, store: Store) -> None:
        """Ask for what the screens show."""
        for batch in (await store.batches(limit=20, objects=False))[:5]:
            await store.batch(batch.batch)
            await store.error_groups(batch.batch)
        await store.board(2026)
        await store.alerts.posted()
        await store.agents()
        await store.present()

    async def _looked(self) -> dict[str, list[str]]:
        """Return what the district that does nothing sees, without what it is told of the state's requests."""
        connection = await asyncpg.connect(self.roles.login("kim"))
        try:
            seen = {table: await _seen(connection, table) for table in LOOK if table not in ("DISGate", "DISAgent")}
        finally:
            await connection.close()
        seen["ProcessAlert"] = [
            row
            for row in seen["ProcessAlert"]
            if row["name"] != "State Resync Requested" and not row["message"].startswith("What the state requested on ")
        ]
        return {table: sorted(map(str, rows)) for table, rows in seen.items()}


async def _besiege(admin: str, folder: Path, seed: int, minutes: float) -> Counter[str]:
    roles = Roles(create_database(admin, "control"))
    await grant_all(roles)
    siege, end, tally = Siege(roles, folder, Random(seed)), time.monotonic() + minutes * 60, Counter[str]()
    await siege.prepare()
    while time.monotonic() < end:
        await siege.round(50)
    for each in siege.intruders:
        tally += each.tally
    for opened in roles.opened:
        await opened.close()
    return tally


def main() -> None:
    """Besiege a control database until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.intrusion", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    with own_postgres() as server, tempfile.TemporaryDirectory() as folder:
        tally = anyio.run(_besiege, server.admin_url, Path(folder), options.seed, options.minutes)
    print(f"{tally.total()} transactions: " + ", ".join(f"{count} {what}" for what, count in tally.most_common()))


if __name__ == "__main__":
    main()
