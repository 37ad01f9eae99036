"""The Synchronization Field Settings on screen."""

from dataclasses import replace

import pytest

from resync_tui.config.settings import StateSettings
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener


async def opened(c: Console, wanted: str) -> None:
    """Open the settings, filtered."""
    await c.press("F", "slash", *wanted, "enter")
    await c.shows(f"Filter: {wanted}")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_settings_list_whose_fields_are_and_what_keeps_back(console: Opener, size: tuple[int, int]) -> None:
    async with console(size) as c:
        await opened(c, "stateNote")
        assert c.line("state's own").split() == ["Enrollment", "state's", "own", "stateNote"]
        assert c.line("sent ").split() == ["sent", "all", "other", "columns"]
        assert "State-excluded enrollment" in c.line("kept back")
        assert "locked at the district is not known" in c.text
        assert "EmploymentCredential" not in c.text


async def test_what_the_catalog_does_not_name_is_sent_whole(console: Opener) -> None:
    async with console() as c:
        await opened(c, "EmploymentCredential")
        assert "all columns" in c.line("sent ")
        await c.press("escape")
        await c.shows("Calendar")


async def test_a_region_owns_fields_by_its_own_name(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    regional = StateSettings("NV", "sqlite:///state.db", kind="regional")
    plain_settings = fake_store.settings
    monkeypatch.setattr(fake_store, "settings", lambda **chosen: replace(plain_settings(**chosen), state=regional))
    async with console() as c:
        await opened(c, "stateNote")
        assert "region's own" in c.text
        assert "state's own" not in c.text
