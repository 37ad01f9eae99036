"""Who is told of the end of a request: whoever the control database says has asked."""

import pytest

from resync_tui.control.store import Store
from resync_tui.outcome import Counts
from resync_tui.rights import Rights
from resync_tui.screens.session import Session
from tests.support.roles import ABBOTT, Roles
from tests.support.screens import fake_store
from tests.support.screens.console import Opener


async def test_toast_bell_and_title_come_to_a_role(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    rung: list[bool] = []
    titles: list[str] = []
    monkeypatch.setattr("resync_tui.screens.app.ResyncApp.bell", lambda _: rung.append(True))
    monkeypatch.setattr("resync_tui.screens.terminal.write_title", lambda _, title: titles.append(title))
    store = fake_store.MemoryStore(fake_store.Clock())
    store.rights = Rights(read=True, write=True, user="dis_admin", serve=False)
    async with console(store=store, announces=True) as c:
        await c.shows("dis_admin RW")
        await c.press("space", "s", "y")
        await c.sent()
        assert c.batches[0].requested_by == "dis_admin"
        c.complete(1)
        await c.shows("Resync of Abbott (01): done, no errors")
        assert rung == [True]
        assert titles[-1] == "resync-tui: Resync of Abbott (01): done, no errors"


async def test_errors_of_rules_alone_are_told_as_expected(console: Opener) -> None:
    async with console(announces=True) as c:
        await c.press("space", "s", "y")
        await c.sent()
        c.complete(1, {"District": Counts(processed=9, unchanged=4, excluded=2, blocked=3, behind_exclusion=3)})
        await c.shows("Resync of Abbott (01): done, 5 errors by rule, as expected")
        await c.shows("All errors are expected: rules of the catalog exclude these records")


async def test_the_session_goes_by_the_role_that_logged_in(roles: Roles) -> None:
    async def open_store() -> Store:
        return await roles.store("jdoe", ABBOTT)

    catalog, settings = fake_store.catalog(), fake_store.settings("district")
    session = Session(settings, catalog, open_store=open_store, start_agent=lambda: None, user="root")
    await session.poll()
    assert session.user == roles.name("jdoe")
