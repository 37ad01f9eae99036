"""Everything that the screens show, copy and write into files."""

import pytest
from textual.pilot import Pilot

from resync_tui import rights
from resync_tui.config.load import load_catalog
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.screens.agents import AgentLogPage, AgentsPage
from resync_tui.screens.alerts import AlertsPage
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.board import BoardPage
from resync_tui.screens.errors import ErrorsPage
from resync_tui.screens.extra import ExtraPage
from resync_tui.screens.fields import FieldsPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.page import Page
from resync_tui.screens.previous_run import ComparePage
from resync_tui.screens.progress import ProgressPage
from resync_tui.screens.verification import FindingKeysPage, FindingsPage
from tests.support.screens.settled import settled, settles

OPENED_FROM_OTHERS = {"KeysPage", "MarkingPage", "SendingPage", "FilteringPage", "ChecklistPage"}
"""What other screens open or are made of."""


def pages() -> set[type[Page]]:
    """Return every screen that there is."""
    found, wanted = set[type[Page]](), [Page]
    while wanted:
        more = wanted.pop().__subclasses__()
        found.update(more)
        wanted += more
    return found


async def every_screen(
    settings: Settings, resync: int, comparison: int, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    """Return what each screen shows of a resync and of a comparison, with what its `Enter` opens.

    Each is also asked to copy what it lists, and to write a CSV file: those files are in the working folder.
    """

    async def open_store() -> Store:
        return await Store.open(settings.control_url(), edition=rights.edition_of(settings))

    app = ResyncApp(settings, load_catalog(settings), open_store=open_store, start_agent=lambda: None, user="x")
    async with app.run_test(size=(160, 50)) as pilot:
        settles(pilot, monkeypatch)
        while not app.session.ready:
            await pilot.pause(0.05)
        shared = app.session, app.glyphs
        (found,) = [each.object for each in (await (await app.session.store()).batch(resync)).objects][:1]
        shown = {"ChecklistPage": await _shown(app, pilot)}
        for page in (
            *(kind(*shared) for kind in (AlertsPage, BoardPage, AgentsPage, AgentLogPage, HistoryPage, FieldsPage)),
            *(kind(*shared, resync) for kind in (ErrorsPage, ProgressPage, ComparePage)),
            *(kind(*shared, comparison) for kind in (FindingsPage, ExtraPage)),
            FindingKeysPage(*shared, comparison, found),
        ):
            await app.push_screen(page)
            shown[type(page).__name__] = await _shown(app, pilot)
            app.pop_screen()
            await pilot.pause()
    assert app.caught == 0
    assert {each.__name__ for each in pages()} == shown.keys() | OPENED_FROM_OTHERS
    return shown


async def _shown(app: ResyncApp, pilot: Pilot[None]) -> str:
    """Return what stands on the screen in front, and on what Enter opens for some of its rows."""
    page, depth = app.screen, len(app.screen_stack)
    shown = [await _lines(app, pilot)]
    for key in ("c", "w"):
        if key in page.active_bindings:
            await pilot.press(key)
    for _ in range(3):
        await pilot.press("enter")
        shown.append(await _lines(app, pilot))
        if "w" in app.screen.active_bindings:
            await pilot.press("w")
        while len(app.screen_stack) > depth:
            app.pop_screen()
            await pilot.pause()
        await pilot.press("down")
    return "\n".join(shown)


async def _lines(app: ResyncApp, pilot: Pilot[None]) -> str:
    await settled(pilot)
    while isinstance(app.screen, Page) and app.screen._reading:
        await pilot.pause(0.02)
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips(app.size))
