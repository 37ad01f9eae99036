"""An agent that is killed: the next one brings everything right, as the district is then."""

import pytest

from resync_tui.outcome import Status
from tests.support.databases import run_script
from tests.support.site.holding import in_a_chunk
from tests.support.site.records import accounts_hold
from tests.support.site.site import Site
from tests.support.waiting import until


async def taken_over(site: Site, number: int) -> None:
    """Change the district while nobody works, start an agent, and see that nothing is lost."""
    site.hurry()
    await site.add_person("01", 90_001)
    await site.change("01", 'UPDATE "Person" SET "name" = \'Renamed\' WHERE "personID" = 7')
    assert await site.ended(site.start("--once")) == 0
    batch = await site.store.batch(number)
    assert (batch.status, batch.attempts, batch.message) == (Status.COMPLETED, 2, "")
    accounts_hold(batch)
    assert batch.counts.blocked == batch.counts.rejected == 0
    assert {each.object: each.counts.processed for each in batch.objects} == {
        "District": 1,
        "Person": 121,
        "Enrollment": 1_201,
        "Health": 120,
    }
    await site.all_is_right("01")
    assert await site.store.agents() == []


async def test_killed_between_two_waves(site: Site) -> None:
    (number,) = await site.send("01")
    agent = site.start()

    async def between() -> bool:
        return (await site.result(number, "Person")).status is Status.COMPLETED

    await until(between)
    site.kill(agent)
    person, enrollment = [await site.result(number, name) for name in ("Person", "Enrollment")]
    assert (person.status, enrollment.status) == (Status.COMPLETED, Status.RUNNING)
    await taken_over(site, number)
    assert (await site.result(number, "Person")).counts.updated == 1


async def test_killed_in_mid_chunk(site: Site) -> None:
    (number,) = await site.send("01")
    agent = site.start()
    result = await site.in_the_middle(number)
    async with in_a_chunk(site, "01", 1_199):
        site.kill(agent)
    assert result.total == 1_200
    await taken_over(site, number)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
async def test_killed_while_reading_leaves_no_copy_of_the_district(site: Site) -> None:
    (number,) = await site.send("01")
    agent = site.start()

    async def reading() -> bool:
        result = await site.result(number, "Enrollment")
        return result.total is not None and result.phase == "reading"

    await until(reading)
    site.kill(agent)
    assert (await site.result(number, "Enrollment")).counts.processed == 0
    await taken_over(site, number)


@pytest.mark.parametrize("kind", ["sqlite"], indirect=True)
@pytest.mark.parametrize("phase", ["reading", "merging"])
async def test_killed_in_a_load_that_never_leaves_sqlite(site: Site, phase: str) -> None:
    """Where the district's reader sees the state, it writes the stage as well."""
    for url in (site.settings.state_url(), site.settings.district_url("01")):
        await run_script(url, "PRAGMA journal_mode = WAL")
    (number,) = await site.send("01")
    agent = site.start()

    async def there() -> bool:
        return (await site.result(number, "Enrollment")).phase == phase

    await until(there)
    site.kill(agent)
    await taken_over(site, number)
