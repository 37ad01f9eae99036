"""Two agents and one schedule over a simulated year: each firing exactly once."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from random import Random

import pytest
from sqlalchemy import select

from resync_tui.agent.housekeeping import Housekeeping
from resync_tui.agent.log import AgentLog
from resync_tui.config.settings import DistrictSettings, ScheduleSettings, Settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.models import Tables
from resync_tui.control.store import Store
from resync_tui.results import Batch
from tests.support.screens.fake_store import Clock
from tests.support.screens.fake_store import settings as small_settings

DAILY = ScheduleSettings("nightly", "30 2 * * *", "America/Los_Angeles")
TWICE = ScheduleSettings("small hours", "30 1 * * *", "America/Los_Angeles", objects=("School",))
WEEKLY = ScheduleSettings("weekly", "0 2 * * 0", "America/Los_Angeles", districts=("02",))


class House:
    """Agents of one control database; each has connections of its own, and all see the same clock."""

    def __init__(self, url: str, folder: Path) -> None:
        self.url = url
        self.clock = Clock()
        self.log = AgentLog(folder / "agent.log", self.clock)
        self.databases: list[ControlDatabase] = []

    async def agent(self, *schedules: ScheduleSettings, settings: Settings | None = None) -> Housekeeping:
        database = await ControlDatabase.open(self.url, self.clock)
        self.databases.append(database)
        with_schedules = replace(settings or small_settings(), schedule=schedules)
        return Housekeeping(with_schedules, database, self.log, self.clock)

    async def to(self, moment: str, *agents: Housekeeping) -> None:
        """Move the clock to a moment in UTC, and let agents look."""
        self.clock.now = datetime.fromisoformat(moment).replace(tzinfo=UTC)
        for agent in agents:
            await agent.run_due()

    async def requests(self) -> list[Batch]:
        return (await Store(self.databases[0]).batches(objects=False))[::-1]

    async def firings(self, schedule: str) -> list[str]:
        """Return the local times at which a schedule has sent something."""
        firing = Tables.firing
        wanted = select(firing.c.localTime).where(firing.c.schedule == schedule, firing.c.requestID.is_not(None))
        async with self.databases[0].read() as connection:
            return list((await connection.execute(wanted.order_by(firing.c.localTime))).scalars())


@pytest.fixture
async def house(control_url: str, tmp_path: Path) -> AsyncIterator[House]:
    house = House(control_url, tmp_path)
    yield house
    for database in house.databases:
        await database.close()


def sundays(year: int, time: str) -> list[str]:
    every = (date(year, 1, 1) + timedelta(days=number) for number in range(365))
    return [f"{day}T{time}" for day in every if day.isoweekday() == 7]


def looks(chance: Random) -> Iterator[datetime]:
    """Yield the moments of a year at which agents look: around each firing, and often where clocks change."""
    for day in (date(2026, 1, 4) + timedelta(weeks=number) for number in range(52)):
        dawn = datetime.combine(day, time(8, 30), UTC)
        if day in (date(2026, 3, 8), date(2026, 11, 1)):
            yield from (dawn + timedelta(minutes=chance.randint(0, 9) + 10 * step) for step in range(24))
        else:
            firings = (dawn + timedelta(hours=hours) for hours in range(3))
            yield from (
                firing + timedelta(seconds=late) for firing in firings for late in (-1, chance.randint(0, 3000))
            )


async def test_two_agents_fire_each_week_of_a_year_exactly_once(house: House) -> None:
    """They look from firing to firing, now and then only one of them; clocks change on two of the Sundays.

    On 8 March there is no half past two, on 1 November there are two times half past one.
    """
    chance = Random(7)
    spring, autumn = (
        replace(WEEKLY, name=cron, cron=cron, objects=("School",)) for cron in ("30 2 * * 0", "30 1 * * 0")
    )
    agents = [await house.agent(spring, autumn), await house.agent(autumn, spring)]
    for house.clock.now in looks(chance):
        here = [each for each in agents if chance.random() < 0.8] or agents[:1]
        chance.shuffle(here)
        for agent in here:
            await agent.run_due()
    assert await house.firings("30 2 * * 0") == sundays(2026, "02:30")
    assert await house.firings("30 1 * * 0") == sundays(2026, "01:30")
    assert len(await house.requests()) == 2 * 52


async def test_agents_that_look_at_the_same_moment_fire_once(house: House) -> None:
    agents = [await house.agent(WEEKLY) for _ in range(4)]
    await house.to("2025-11-20 12:00", *agents)
    house.clock.now = datetime(2025, 11, 23, 10, tzinfo=UTC)
    await asyncio.gather(*(each.run_due() for each in agents))
    (batch,) = await house.requests()
    assert batch.district == "02"


async def test_what_a_firing_asks_for(house: House) -> None:
    agent = await house.agent(DAILY, TWICE)
    await house.to("2025-11-20 20:00", agent)
    await house.to("2025-11-21 12:00", agent)
    nightly, _, small, _ = await house.requests()
    assert (nightly.requested_by, nightly.initiator, nightly.full) == ("schedule nightly", "state", True)
    assert (nightly.scheduled, nightly.reason) == (True, "Weekly sync")
    assert (small.requested_by, small.full) == ("schedule small hours", False)
    store = Store(house.databases[0])
    assert [each.object for each in (await store.batch(small.batch)).objects] == ["District", "School"]
    assert len((await store.batch(nightly.batch)).objects) > 30


async def test_missed_firings_are_caught_up_by_the_latest_alone(house: House) -> None:
    agent = await house.agent(DAILY)
    await house.to("2025-11-20 20:00", agent)
    await house.to("2025-11-25 12:00", agent)
    await house.to("2025-11-25 12:10", agent, await house.agent(DAILY))
    assert await house.firings("nightly") == ["2025-11-25T02:30"]


async def test_new_or_retimed_schedule_waits_for_its_next_firing(house: House) -> None:
    await house.to("2025-11-20 20:00", await house.agent(DAILY))
    later = replace(DAILY, cron="0 3 * * *")
    await house.to("2025-11-20 20:05", await house.agent(later), again := await house.agent(later))
    assert await house.requests() == []
    await house.to("2025-11-21 11:00", again)
    assert await house.firings("nightly") == ["2025-11-21T03:00"]


async def test_two_editions_may_call_theirs_the_same(house: House) -> None:
    own = small_settings("district", (DistrictSettings("01", "Abbott", "sqlite:///abbott.db"),))
    agents = [await house.agent(DAILY), await house.agent(DAILY, settings=own)]
    await house.to("2025-11-20 20:00", *agents)
    await house.to("2025-11-21 11:00", *agents)
    sent = [(each.initiator, each.district) for each in await house.requests()]
    assert sent == [("state", "01"), ("state", "02"), ("district", "01")]


async def test_schedule_fires_by_the_control_clock_not_the_hosts(house: House) -> None:
    agent = await house.agent(WEEKLY)
    ahead = Housekeeping(agent._settings, house.databases[0], house.log, lambda: house.clock.now + timedelta(minutes=3))
    await house.to("2025-11-20 20:00", ahead)
    await house.to("2025-11-23 09:58", ahead)
    assert await house.requests() == []
    await house.to("2025-11-23 10:00", ahead)
    assert len(await house.requests()) == 1


async def test_schedule_of_unknown_objects_does_not_stop_the_others(house: House) -> None:
    agent = await house.agent(replace(DAILY, objects=("TEDSKY",)), WEEKLY)
    await house.to("2025-11-20 20:00", agent)
    await house.to("2025-11-23 12:00", agent)
    assert len(await house.requests()) == 1


async def test_each_edition_sees_the_last_run_of_its_own_schedules(house: House) -> None:
    one = small_settings("district", small_settings().district[:1])
    everywhere = replace(WEEKLY, districts="*", objects=("School",))
    state = await house.agent(everywhere)
    district = await house.agent(replace(everywhere, cron="0 3 * * 0"), settings=one)

    async def last() -> list[dict[str, int]]:
        store = Store(house.databases[0])
        editions = [await store.last_scheduled(edition) for edition in ("state", "district")]
        return [{name: each.request for name, each in found.items()} for found in editions]

    await house.to("2025-11-20 12:00", state, district)
    assert await last() == [{}, {}]
    await house.to("2025-11-23 10:30", state, district)
    assert await last() == [{"weekly": 1}, {}]
    await house.to("2025-11-23 11:30", state, district)
    await house.to("2025-11-30 10:30", state, district)
    assert await last() == [{"weekly": 3}, {"weekly": 2}]
