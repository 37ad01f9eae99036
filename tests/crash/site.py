"""A site to break: districts, a state and a control database, all real, and agents as processes of their own."""

import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import asyncpg

from resync_tui.agent_log import log_path
from resync_tui.config import Settings, load
from resync_tui.control.store import Store
from resync_tui.control.views import Batch, ObjectResult
from resync_tui.database import dialect_of, sqlite_path
from resync_tui.outcome import Status
from resync_tui.plan import make_plan
from tests.databases import rows, run_script

ROOT = Path(__file__).parents[2]
DEADLINE = 60.0
TABLES = ("District", "Person", "Enrollment", "Health")
CATALOG = """
name = "Crash"
tenant_column = "districtNumber"
identity = "District.number"
[[object]]
name = "District"
tables = ["District"]
[[object]]
name = "Person"
tables = ["Person"]
parents = ["District"]
[[object]]
name = "Enrollment"
tables = ["Enrollment"]
parents = ["Person"]
[[object.rule]]
id = "excluded"
table = "Enrollment"
when = 't."excluded" = 1'
reason = "State-excluded enrollment"
[[object]]
name = "Health"
tables = ["Health"]
parents = ["Person"]
"""
DISTRICT = """
CREATE TABLE "District" ("number" VARCHAR(9) PRIMARY KEY);
CREATE TABLE "Person" ("personID" INTEGER PRIMARY KEY, "number" VARCHAR(9) NOT NULL REFERENCES "District",
  "name" VARCHAR(40) NOT NULL);
CREATE TABLE "Enrollment" ("enrollmentID" INTEGER PRIMARY KEY, "personID" INTEGER NOT NULL REFERENCES "Person",
  "grade" VARCHAR(9) NOT NULL, "excluded" INTEGER NOT NULL);
CREATE TABLE "Health" ("healthID" INTEGER PRIMARY KEY, "personID" INTEGER NOT NULL REFERENCES "Person",
  "note" VARCHAR(40));
"""
STATE = """
CREATE TABLE "District" ("districtNumber" VARCHAR(9), "number" VARCHAR(9), PRIMARY KEY ("districtNumber", "number"));
CREATE TABLE "Person" ("districtNumber" VARCHAR(9), "personID" INTEGER, "number" VARCHAR(9) NOT NULL,
  "name" VARCHAR(40) NOT NULL, PRIMARY KEY ("districtNumber", "personID"),
  FOREIGN KEY ("districtNumber", "number") REFERENCES "District" ("districtNumber", "number"));
CREATE TABLE "Enrollment" ("districtNumber" VARCHAR(9), "enrollmentID" INTEGER, "personID" INTEGER NOT NULL,
  "grade" VARCHAR(9) NOT NULL, "excluded" INTEGER NOT NULL, PRIMARY KEY ("districtNumber", "enrollmentID"),
  FOREIGN KEY ("districtNumber", "personID") REFERENCES "Person" ("districtNumber", "personID"));
CREATE TABLE "Health" ("districtNumber" VARCHAR(9), "healthID" INTEGER, "personID" INTEGER NOT NULL,
  "note" VARCHAR(40), PRIMARY KEY ("districtNumber", "healthID"),
  FOREIGN KEY ("districtNumber", "personID") REFERENCES "Person" ("districtNumber", "personID"));
"""
EXCLUDED_EVERY = 50
"""Every so-manieth enrollment may not sync."""

Rows = dict[str, list[tuple[object, ...]]]


async def until(condition: Callable[[], Awaitable[bool]], seconds: float = DEADLINE) -> None:
    """Wait for a condition; fail when it does not come true in time."""
    with anyio.fail_after(seconds):
        while not await condition():  # noqa: ASYNC110 - the event is in another process
            await anyio.sleep(0.02)


@dataclass
class Site:
    """Everything of one test: its databases, and whoever works on them."""

    settings: Settings
    store: Store
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    @property
    def folder(self) -> Path:
        """Where resync.toml is, and all files of SQLite."""
        return self.settings.path.parent

    @property
    def state(self) -> str:
        """The state's URL."""
        return self.settings.state_url()

    @property
    def postgresql(self) -> bool:
        """Whether the state is PostgreSQL; else it is SQLite."""
        return dialect_of(self.state) == "postgresql"

    # --- agents and batches ---

    def start(self, *options: str, lease_seconds: float = 45) -> subprocess.Popen[bytes]:
        """Start an agent."""
        command = [sys.executable, "-m", "resync_tui", "--config", str(self.settings.path), "agent", *options]
        environ = os.environ | {
            "RESYNC_TUI_LEASE_SECONDS": str(lease_seconds),
            "TMPDIR": str(self.folder / "tmp"),
            "SQLITE_TMPDIR": str(self.folder / "tmp"),
        }
        with (self.folder / "agent.out").open("ab") as output:
            process = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=output, stderr=output)
        self.processes.append(process)
        return process

    def end(self) -> None:
        """End every agent that is left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()

    async def send(self, *districts: str, objects: Sequence[str] = ("Enrollment", "Health")) -> list[int]:
        """Queue a request; return the batches' numbers."""
        plan = make_plan(self.settings.load_catalog(), objects, 2026)
        sent = await self.store.submit(districts, plan, initiator="district", requested_by=self.store.rights.user)
        return [each.batch for each in sent]

    async def result(self, number: int, name: str) -> ObjectResult:
        """Return a row of DISBatchHistory."""
        return next(each for each in (await self.store.batch(number)).objects if each.object == name)

    async def reached(self, number: int, *statuses: Status) -> Batch:
        """Wait until a batch stands so."""

        async def stands() -> bool:
            return (await self.store.batch(number)).status in statuses

        await until(stands)
        return await self.store.batch(number)

    async def in_the_middle(self, number: int, name: str = "Enrollment") -> ObjectResult:
        """Wait until some records of an object are accounted for, but not all."""
        found: list[ObjectResult] = []

        async def moving() -> bool:
            result = await self.result(number, name)
            found.append(result)
            assert result.status in (Status.QUEUED, Status.RUNNING), result
            return 0 < result.counts.processed < (result.total or 0)

        await until(moving)
        return found[-1]

    async def ended(self, process: subprocess.Popen[bytes]) -> int:
        """Wait for a process to end; return its exit code."""

        async def gone() -> bool:
            return process.poll() is not None

        await until(gone)
        return int(process.returncode)

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """SIGKILL an agent."""
        assert process.poll() is None
        process.kill()
        process.wait()

    def log(self) -> str:
        """Return what the agents have logged."""
        file = log_path(self.settings.control_url())
        return file.read_text() if file.exists() else ""

    async def stop_unfenced(self, process: subprocess.Popen[bytes]) -> None:
        """SIGSTOP an agent while it does not hold the fence of a SQLite state, as it does in a chunk's transaction."""
        for _ in range(100):
            process.send_signal(signal.SIGSTOP)
            await until(lambda: _stopped(process.pid))
            if self.postgresql or not _fence_held(self):
                return
            process.send_signal(signal.SIGCONT)
            await anyio.sleep(0.01)
        raise AssertionError("it holds the fence whenever it is stopped")

    # --- what is in the databases, asked without the engine ---

    async def source(self, district: str) -> Rows:
        """Return what the state should hold of a district: all but what may not sync."""
        url = self.settings.district_url(district)
        found = {table: await rows(url, f'SELECT * FROM "{table}" ORDER BY 1') for table in TABLES}
        found["Enrollment"] = [row for row in found["Enrollment"] if not row[3]]
        return found

    async def held(self, district: str) -> Rows:
        """Return what the state holds of a district."""
        query = "SELECT * FROM \"{}\" WHERE \"districtNumber\" = '{}' ORDER BY 2"
        found = {table: await rows(self.state, query.format(table, district)) for table in TABLES}
        return {table: [row[1:] for row in found[table]] for table in TABLES}

    async def raw_state(self) -> Rows:
        """Return every row of the state, with the transaction that wrote it (PostgreSQL) or its place (SQLite)."""
        mark = "xmin::text" if self.postgresql else "rowid"
        found = {table: await rows(self.state, f'SELECT {mark}, * FROM "{table}"') for table in TABLES}
        return {table: sorted(found[table], key=repr) for table in TABLES}

    async def raw_control(self) -> Rows:
        """Return all that the control database holds of batches."""
        tables = ("DISBatch", "DISBatchHistory", "DISBatchError", "DISBatchErrorCount", "DISRunning")
        found = {table: await rows(self.settings.control_url(), f'SELECT * FROM "{table}"') for table in tables}
        return {table: sorted(found[table], key=repr) for table in tables}

    async def leftovers(self) -> list[str]:
        """Name every stage, and every copy of a district, that is still there."""
        files = [path.name for path in self.folder.glob("*.resync-*") if not path.name.endswith(".resync-fence")]
        files += [path.name for path in (self.folder / "tmp").iterdir()]
        if not self.postgresql:
            return files
        tables = await rows(self.state, "SELECT tablename FROM pg_tables WHERE schemaname = 'resync_stage' ORDER BY 1")
        return files + [str(name) for (name,) in tables if name != "fence"]

    async def change(self, district: str, *statements: str) -> None:
        """Change a district's records, as its own users do."""
        await run_script(self.settings.district_url(district), ";".join(statements))

    async def add_person(self, district: str, number: int) -> None:
        """Add a person with an enrollment."""
        await self.change(
            district,
            f"INSERT INTO \"Person\" VALUES ({number}, '{district}', 'Newcomer')",
            f"INSERT INTO \"Enrollment\" VALUES ({number}, {number}, '01', 0)",
        )

    async def all_is_right(self, *districts: str) -> None:
        """The state equals the districts as they are, and nothing is left behind."""
        for district in districts:
            assert await self.held(district) == await self.source(district)
        assert await self.leftovers() == []


def accounts_hold(batch: Batch) -> None:
    """Every record of every object is accounted for."""
    for each in batch.objects:
        counts = each.counts
        assert counts.processed == counts.inserted + counts.updated + counts.unchanged + counts.errors, each
        assert counts.errors == counts.excluded + counts.rejected + counts.blocked, each
        assert each.message == "", each


@asynccontextmanager
async def in_a_chunk(site: Site, district: str, enrollment: int) -> AsyncIterator[None]:
    """Hold the agent within a chunk of Enrollment: on PostgreSQL at this record, some of the chunk being written."""
    if not site.postgresql:
        with closing(sqlite3.connect(sqlite_path(site.state), isolation_level=None, timeout=DEADLINE)) as state:
            state.execute("BEGIN IMMEDIATE")
            for _ in range(3):
                await until(lambda: _holds_fence(site))
                await anyio.sleep(0.05)
            yield
        return
    state = await asyncpg.connect(site.state)
    try:
        async with state.transaction():
            person = await state.fetchval('SELECT max("personID") FROM "Person" WHERE "districtNumber" = $1', district)
            await state.execute(
                'INSERT INTO "Enrollment" VALUES ($1, $2, $3, \'00\', 0)', district, enrollment, person
            )
            waiting = "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"

            async def blocked() -> bool:
                return await state.fetchval(waiting) is not None

            await until(blocked)
            yield
            raise _Undo
    except _Undo:
        pass
    finally:
        await state.close()


class _Undo(Exception):
    """Rolls back what held the agent."""


def _fence_held(site: Site) -> bool:
    import fcntl

    with (site.folder / "state.db.resync-fence").open("r+b") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


async def _holds_fence(site: Site) -> bool:
    return _fence_held(site)


async def _stopped(pid: int) -> bool:
    return " T " in Path(f"/proc/{pid}/stat").read_text()


@asynccontextmanager
async def open_site(
    folder: Path,
    kind: str,
    database: Callable[[str], str],
    *,
    districts: Sequence[str] = ("01",),
    enrollments: int = 1_200,
    records_per_second: int = 2_000,
    control: str | None = None,
) -> AsyncIterator[Site]:
    """Build a site whose state is empty; whatever works there ends with it. `control`: of another kind."""
    (folder / "tmp").mkdir()
    (folder / "objects.toml").write_text(CATALOG)
    urls = {each: database(kind) for each in districts}
    state = database(kind) if kind == "postgresql" else f"sqlite:///{folder / 'state.db'}"
    lines = [f'[control]\nurl = "{database(control or kind)}"', f'[state]\nname = "NV"\nurl = "{state}"']
    lines += ["[years]\ncurrent = 2026", '[catalog]\nfile = "objects.toml"']
    lines += [f"[engine]\nmax_records_per_second = {records_per_second}"]
    lines += [f'[[district]]\nid = "{each}"\nname = "D{each}"\nurl = "{url}"' for each, url in urls.items()]
    (folder / "resync.toml").write_text("\n".join(lines))
    if kind == "sqlite":
        (folder / "state.db").touch()
    await run_script(state, STATE)
    for district, url in urls.items():
        await run_script(url, DISTRICT + _records(district, enrollments))
    settings = load(folder / "resync.toml")
    store = await Store.open(settings.control_url())
    site = Site(settings, store)
    try:
        yield site
    finally:
        site.end()
        await store.close()


def _records(district: str, enrollments: int) -> str:
    persons = enrollments // 10

    def numbers(last: int) -> str:
        return f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"

    return f"""
    INSERT INTO "District" VALUES ('{district}');
    INSERT INTO "Person" {numbers(persons)} SELECT i, '{district}', 'Person ' || i FROM n;
    INSERT INTO "Enrollment" {numbers(enrollments)}
      SELECT i, 1 + i % {persons}, '0' || i % 9, CASE i % {EXCLUDED_EVERY} WHEN 0 THEN 1 ELSE 0 END FROM n;
    INSERT INTO "Health" {numbers(persons)} SELECT i, i, 'Note ' || i FROM n;
    """
