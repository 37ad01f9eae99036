"""Break agents at random moments, again and again: `python -m tests.support.site.campaign --kills 100 [--postgres]`."""

import argparse
import os
import re
import secrets
import signal
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from subprocess import Popen

import anyio
import asyncpg

from resync_tui.outcome import Status
from resync_tui.results import Batch
from tests.support.databases import create_database, own_postgres, rows
from tests.support.site.build import open_site
from tests.support.site.records import TABLES, accounts_hold
from tests.support.site.site import Site
from tests.support.waiting import until

DISTRICTS = ("01", "02")
ENROLLMENTS, RECORDS_PER_SECOND = 600, 1_500
LONGEST_WAIT = 1.6
"""Seconds from the begin of a batch within which something happens to its agent; it takes about that long."""
SHORT_LEASE = 3.0


@dataclass
class Tally:
    """What was done, and what came of it."""

    rounds: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    phases: Counter[str] = field(default_factory=Counter)
    """What the batches were doing when it happened."""
    batches: int = 0
    attempts: int = 0
    records: int = 0

    def __str__(self) -> str:
        def told(counter: Counter[str]) -> str:
            return ", ".join(f"{name} {count}" for name, count in sorted(counter.items())) or "none"

        return (
            f"{self.broken.total()} breaks ({told(self.broken)}) in {self.rounds} rounds, while {told(self.phases)}; "
            f"{self.batches} batches took {self.attempts} attempts over {self.records} records: "
            "after every round the state equalled its districts and all accounts held"
        )


class Campaign:
    """A site of two districts, and somebody who breaks it."""

    def __init__(self, site: Site, random: Random) -> None:
        self.site = site
        self.random = random
        self.tally = Tally()
        self._next = 100_000
        self._deleted: dict[str, set[object]] = {each: set() for each in DISTRICTS}
        self._numbers: dict[str, int] = {}

    async def run(self, kills: int) -> Tally:
        """Break agents until it has been done so often; what comes of it is checked after every round."""
        while self.tally.broken.total() < kills:
            await self._round(min(self.random.randint(1, 3), kills - self.tally.broken.total()))
        return self.tally

    async def _round(self, breaks: int) -> None:
        self.tally.rounds += 1
        await self._change_districts()
        await self._send(*DISTRICTS)
        agent = self._start()
        for _ in range(breaks):
            agent = await self._break(agent)
        await self._all_ended(agent)
        agent.terminate()
        assert await self.site.ended(agent) == 0
        for district, number in self._numbers.items():
            await self._check(district, await self.site.store.batch(number))
        assert await self.site.leftovers() == []
        assert (await self.site.raw_control())["DISRunning"] == []

    def _start(self) -> "Popen[bytes]":
        return self.site.start(lease_seconds=SHORT_LEASE)

    async def _send(self, *districts: str) -> None:
        sent = await self.site.send(*districts)
        self._numbers.update(zip(districts, sent, strict=True))

    # --- breaking ---

    async def _break(self, agent: "Popen[bytes]") -> "Popen[bytes]":
        """Do something to an agent in mid-batch, change the districts, and return the agent that goes on."""
        await until(lambda: self._somebody_works(agent))
        await anyio.sleep(self.random.uniform(0, LONGEST_WAIT))
        ways = ["SIGKILL", "SIGKILL", "SIGSTOP"] + ["sessions ended"] * self.site.postgresql
        way = self.random.choice(ways)
        self.tally.broken[way] += 1
        self.tally.phases[await self._phase()] += 1
        if way == "sessions ended":
            await self._end_sessions()
            return agent
        if way == "SIGKILL":
            self.site.kill(agent)
            await self._go_on_with_other_records()
            return self._start()
        # One that copies a district which is a plain file locks it, so nobody changes it before the successor has come.
        agent.send_signal(signal.SIGSTOP)
        successor = self._start()
        await self._all_ended(successor)
        await self._wake(agent)
        await self._change_districts()
        await self._send(*DISTRICTS)
        return successor

    async def _wake(self, sleeper: "Popen[bytes]") -> None:
        """It may live or end, but it must not write."""
        before = await self.site.raw_state(), await self.site.raw_control()
        sleeper.send_signal(signal.SIGCONT)
        sleeper.terminate()
        code = await self.site.ended(sleeper)
        assert code in (0, -signal.SIGKILL), code
        assert (await self.site.raw_state(), await self.site.raw_control()) == before

    async def _end_sessions(self) -> None:
        settings = self.site.settings
        urls = [self.site.state, settings.control_url(), *map(settings.district_url, DISTRICTS)]
        server = await asyncpg.connect(self.random.choice(urls))
        await server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        await server.close()

    async def _go_on_with_other_records(self) -> None:
        """Change the districts; one whose batch has ended already needs another."""
        await self._change_districts()
        for district, number in list(self._numbers.items()):
            if (await self.site.store.batch(number)).status.ended:
                await self._send(district)

    async def _somebody_works(self, agent: "Popen[bytes]") -> bool:
        self.site.must_live(agent)
        batches = [await self.site.store.batch(number) for number in self._numbers.values()]
        if all(each.status.ended for each in batches):
            await self._change_districts()
            await self._send(*DISTRICTS)
        # Not merely one that a killed agent has left: whoever is stopped must have begun to listen to signals.
        return any(each.status is Status.RUNNING and each.agent.endswith(f":{agent.pid}") for each in batches)

    async def _all_ended(self, agent: "Popen[bytes]") -> None:
        async def ended() -> bool:
            self.site.must_live(agent)
            return all([(await self.site.store.batch(each)).status.ended for each in self._numbers.values()])

        await until(ended)

    async def _phase(self) -> str:
        batches = [await self.site.store.batch(number) for number in self._numbers.values()]
        running = [each for each in batches if each.status is Status.RUNNING]
        phases = {each.phase for batch in running for each in batch.objects if each.status is Status.RUNNING}
        for phase in ("merging", "waiting", "reading"):
            if phase in phases:
                return {"waiting": "between reading and merging"}.get(phase, phase)
        return "beginning or ending" if running else "idle"

    # --- what the districts' users do ---

    async def _change_districts(self) -> None:
        for district in DISTRICTS:
            await self._change(district)

    async def _change(self, district: str) -> None:
        random = self.random
        first, self._next = self._next, self._next + 50
        grade, share = random.randint(10, 99), random.randint(2, 5)
        gone = random.randrange(1, ENROLLMENTS)
        self._deleted[district] |= set(range(gone, gone + 5))
        await self.site.change(
            district,
            f'DELETE FROM "Enrollment" WHERE "enrollmentID" BETWEEN {gone} AND {gone + 4}',
            f'UPDATE "Enrollment" SET "grade" = \'{grade}\' WHERE "enrollmentID" % {share} = 0',
            f'UPDATE "Person" SET "name" = \'Renamed {first}\' WHERE "personID" % 7 = {random.randrange(7)}',
            f'UPDATE "Enrollment" SET "excluded" = 1 - "excluded" WHERE "enrollmentID" = {gone + 10}',
            *(f"INSERT INTO \"Person\" VALUES ({each}, '{district}', 'Newcomer')" for each in range(first, first + 5)),
            *(
                f"INSERT INTO \"Enrollment\" VALUES ({each}, {random.randrange(first, first + 5)}, '01', 0)"
                for each in range(first, first + 50)
            ),
        )

    # --- what must come of it ---

    async def _check(self, district: str, batch: Batch) -> None:
        self.tally.batches += 1
        self.tally.attempts += batch.attempts
        self.tally.records += batch.counts.processed
        assert batch.status is Status.COMPLETED, batch
        accounts_hold(batch)
        url, held = self.site.settings.district_url(district), await self.site.held(district)
        may_not_sync = {row[0] for row in await rows(url, 'SELECT * FROM "Enrollment" WHERE "excluded" = 1')}
        for table, wanted in (await self.site.source(district)).items():
            result = next(each for each in batch.objects if each.object == table)
            present = {row[0]: row for row in held[table]}
            for row in wanted:
                assert present.pop(row[0], None) == row, (district, table, row[0])
            excluded = may_not_sync if table == "Enrollment" else set()
            extra = present.keys() - excluded
            assert extra <= self._deleted[district], (district, table, extra)
            counts = result.counts
            assert (counts.processed, counts.errors, counts.extra) == (
                len(wanted) + len(excluded),
                len(excluded),
                len(extra),
            ), (district, result)
            assert counts.excluded == counts.errors
        assert set(held) == set(TABLES)


@contextmanager
def databases(folder: Path, kind: str) -> Iterator[Callable[[str], str]]:
    """Make fresh databases, in files or on a PostgreSQL of their own."""
    if kind == "sqlite":

        def make_file(_kind: str) -> str:
            file = folder / f"{secrets.token_hex(4)}.db"
            file.touch()
            return f"sqlite:///{file}"

        yield make_file
        return
    with own_postgres() as server:
        try:
            yield lambda _kind: create_database(server.admin_url, f"campaign_{secrets.token_hex(4)}")
        except BaseException:
            log = (server.folder / "log").read_text().splitlines()
            print(*[each for each in log if re.search("ERROR|STATEMENT|PANIC", each)][-40:], sep="\n", file=sys.stderr)
            raise


async def campaign(folder: Path, kind: str, database: Callable[[str], str], seed: int, kills: int) -> Tally:
    """Build a site and break it so often."""
    async with open_site(
        folder,
        kind,
        database,
        database(kind),
        districts=DISTRICTS,
        enrollments=ENROLLMENTS,
        records_per_second=RECORDS_PER_SECOND,
    ) as site:
        work = Campaign(site, Random(seed))
        try:
            return await work.run(kills)
        except BaseException:
            print(f"seed {seed}, round {work.tally.rounds}: {work.tally}\n{site.log()[-5_000:]}", file=sys.stderr)
            raise


def main() -> None:
    """Read the command line, run, print the tally."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.site.campaign", description=__doc__)
    parser.add_argument("--kills", type=int, default=100)
    parser.add_argument("--postgres", action="store_true")
    parser.add_argument("--seed", type=int, default=secrets.randbits(32))
    options = parser.parse_args()
    kind = "postgresql" if options.postgres else "sqlite"
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    with tempfile.TemporaryDirectory(prefix="resync-tui-crash-") as folder:
        os.environ["XDG_STATE_HOME"] = f"{folder}/home"
        print(f"seed {options.seed}", flush=True)
        with databases(Path(folder), kind) as database:
            print(anyio.run(campaign, Path(folder), kind, database, options.seed, options.kills))


if __name__ == "__main__":
    main()
