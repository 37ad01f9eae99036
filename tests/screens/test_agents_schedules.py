"""The weekly sync on the Agent Queue: its next and last run, and whether anybody would fire it."""

from dataclasses import replace
from functools import partial

import pytest

from resync_tui.config.settings import ScheduleSettings
from resync_tui.plan import Request, make_plan
from tests.support.screens import fake_store
from tests.support.screens.console import Opener

SUNDAYS = ScheduleSettings("sundays", "0 2 * * 0")


@pytest.fixture
def weekly(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the site have a schedule."""
    plain_settings = fake_store.settings
    scheduled = partial(replace, schedule=(SUNDAYS,))
    monkeypatch.setattr(fake_store, "settings", lambda **chosen: scheduled(plain_settings(**chosen)))


@pytest.mark.usefixtures("weekly")
@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_schedules_have_next_and_last_run_and_who_fires(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await c.press("A")
        await c.shows("No service is there to fire schedules. Start one that stays: resync-tui agent")
        assert c.line("sundays").split() == ["sundays", "2025-11-23", "02:00", "never"]
        plan = make_plan(fake_store.catalog(), ["School"], 2026)
        await c.store.submit(Request(["01"], plan, "district", "schedule sundays", scheduled=True))
        await c.store.submit(Request(["01"], plan, "state", "schedule sundays", scheduled=True))
        c.store.claim(2)
        c.store._agents = [replace(each, service=True) for each in c.store._agents]
        await c.shows("request 2, by app01:4711")
        await c.until(lambda: "No service" not in c.text)


async def test_without_schedules_nothing_is_said_of_them(console: Opener) -> None:
    async with console() as c:
        await c.press("A")
        await c.shows("No agent has been here yet")
        assert "Weekly sync" not in c.text
