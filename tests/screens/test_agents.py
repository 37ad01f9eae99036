"""What the screens say of starting an agent to those who may and to those who may not."""

from dataclasses import replace

import pytest

from tests.support.screens import fake_store
from tests.support.screens.console import Opener


@pytest.mark.parametrize("serves", [True, False])
async def test_only_who_may_serve_is_told_to_start_an_agent(console: Opener, serves: bool) -> None:
    store = fake_store.MemoryStore(fake_store.Clock())
    store.rights = replace(store.rights, serve=serves)
    async with console(store=store, start="resync-tui agent --config here.toml") as c:
        await c.press("A")
        await c.shows("Sending starts one" if serves else "The control database's owner starts one with:")
        await c.press("escape", "space", "s", "y")
        await c.shows(
            "no agent is alive. " + ("Start one with:" if serves else "The control database's owner starts one with:")
        )
        assert ("--config here.toml" in c.text) == serves
        c.store.claim(1)
        await c.shows("RUNNING")
        c.store.falls_silent()
        c.clock.move(90)
        await c.shows("another with:")
        assert ("owner starts another" in c.text.replace("\n", " ")) == (not serves)
