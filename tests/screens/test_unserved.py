"""What waits without an agent is said on every screen, and a key starts one, or says why not."""

from dataclasses import replace

import pytest

from resync_tui.plan import Request
from resync_tui.rights import Rights
from tests.support.plans import make_plan
from tests.support.screens.console import Console, Opener

SIZES = [(80, 24), (120, 40)]


async def waits(console: Console, seconds: float = 60) -> None:
    """Queue a batch that nobody takes for so long."""
    await console.store.submit(Request(["01"], make_plan("School"), initiator="state", requested_by="jdoe"))
    console.clock.move(seconds)


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("key", ["g", "H", "B", "A"])
async def test_a_key_starts_an_agent_where_something_waits(console: Opener, size: tuple[int, int], key: str) -> None:
    started: list[str] = []

    def start() -> None:
        started.append(key)

    async with console(size=size, start_agent=start) as app:
        await app.press(key)
        await waits(app)
        await app.shows("Batch #1 waits: no agent is alive.")
        assert "S starts an agent." in app.text
        await app.press("S")
        await app.until(lambda: started)
        assert "An agent is being started." in app.text
        await app.press("S")
        assert started == [key]
        assert "no agent is alive" not in app.text


async def test_a_running_batch_of_a_dead_agent_waits(console: Opener) -> None:
    async with console(start_agent=lambda: None) as app:
        await waits(app, seconds=0)
        app.store.claim(1)
        await app.until(lambda: app.app.session.agents)
        app.store.falls_silent()
        app.clock.move(60)
        await app.shows("Batch #1 waits: no agent is alive.")
        await app.press("p")
        await app.shows("has not been heard of")
        assert "S starts an agent." in app.text


async def test_what_has_just_been_sent_is_waited_for(console: Opener) -> None:
    async with console(start_agent=lambda: None) as app:
        await waits(app, seconds=1)
        await app.until(lambda: app.app.session.active)
        await app.press("H")
        assert "no agent is alive" not in app.text


async def test_a_service_is_restarted_where_it_runs(console: Opener) -> None:
    started: list[str] = []
    async with console(start_agent=lambda: started.append("S")) as app:
        await waits(app)
        app.store.claim(1)
        app.store._agents = [replace(each, service=True, alive=False) for each in app.store._agents]
        app.clock.move(60)
        await app.shows("The service on app01 is silent: restart it there.")
        await app.press("S")
        assert "restart it there" in app.text
        assert started == []


@pytest.mark.parametrize(
    ("may_write", "says"), [(False, "Write"), (True, "It cannot be started here, but by: resync-tui agent --config")]
)
async def test_who_may_not_start_one_is_told_why(console: Opener, may_write: bool, says: str) -> None:
    async with console() as app:
        app.store.rights = Rights(read=True, write=True, user="jdoe", serve=True)
        await waits(app)
        app.store.rights = Rights(read=True, write=may_write, user="jdoe", serve=True)
        await app.shows("Batch #1 waits: no agent is alive.")
        assert "S starts" not in app.text
        await app.press("S")
        assert says in app.text


async def test_the_key_says_that_nothing_waits(console: Opener) -> None:
    async with console(start_agent=lambda: None) as app:
        await app.press("S")
        assert "Nothing waits for an agent; sending starts one." in app.text


@pytest.mark.parametrize("key", ["g", "p", "H"])
async def test_the_line_goes_when_the_batch_runs(console: Opener, key: str) -> None:
    async with console(start_agent=lambda: None) as app:
        await waits(app)
        await app.shows("Batch #1 waits: no agent is alive.")
        await app.press(key)
        await app.press("S")
        await app.shows("gent is being started.")
        app.store.claim(1)
        await app.until(lambda: "being started" not in app.text)
        assert "1 running" in app.text or "RUNNING" in app.text


async def test_a_message_leaves_the_line_in_sight(console: Opener) -> None:
    async with console(start_agent=lambda: None) as app:
        await waits(app)
        await app.shows("Batch #1 waits: no agent is alive.")
        await app.press("x")
        await app.shows("x does nothing here.")
        assert "Batch #1 waits: no agent is alive." in app.text
