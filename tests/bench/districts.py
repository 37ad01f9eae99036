"""How long each screen takes with hundreds of districts and their history: `python -m tests.bench.districts`.

Prints, for each kind of control database and each edition, the median time from a key to the screen filled with what
it reads, and what of that the control database takes; first at rest, then while a request to all districts runs.
RESYNC_TUI_TEST_POSTGRES names a server, else a private one is started.
"""

import argparse
import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any, ParamSpec, TypeVar

import anyio
from textual.screen import Screen

from resync_tui import catalog
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.queue import AgentIdentity, Queue
from resync_tui.control.store import Store
from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.plan import Request, make_plan
from resync_tui.rights import Edition, edition_of
from resync_tui.screens.agents import AgentsPage
from resync_tui.screens.alerts import AlertsPage
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.board import BoardPage
from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.page import Page
from resync_tui.screens.picker import Picker
from resync_tui.screens.progress import ProgressPage
from tests.bench.drain import new_database
from tests.bench.long_history import Shape, fill, rows_of
from tests.support.roles import Roles

P = ParamSpec("P")
T = TypeVar("T")

TIMES = 9
SCREENS: dict[str, type[Page]] = {
    "history": HistoryPage,
    "board": BoardPage,
    "alerts": AlertsPage,
    "agents": AgentsPage,
    "progress": ProgressPage,
}


@dataclass
class Watched:
    """Seconds that a store took to answer, by what was asked."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    def over(self, store: Store) -> Store:
        """Measure what a screen asks, and return the store."""
        for name in ("present", "batches", "board", "last_resyncs", "last_verified", "batch"):
            setattr(store, name, self._timed(name, getattr(store, name)))
        store.alerts.posted = self._timed("alerts.posted", store.alerts.posted)  # type: ignore[method-assign,assignment]
        return store

    def _timed(self, name: str, ask: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        async def asked(*args: P.args, **options: P.kwargs) -> T:
            begun = time.perf_counter()
            try:
                return await ask(*args, **options)
            finally:
                self.seconds.setdefault(name, []).append(time.perf_counter() - begun)

        return asked


@asynccontextmanager
async def console(
    settings: Settings, watched: Watched, painted: Callable[[], None] = lambda: None
) -> AsyncIterator[ResyncApp]:
    """Open the screens on a control database; `painted` is called once the first one has been painted, still empty."""

    async def open_store() -> Store:
        return watched.over(await Store.open(settings.control_url(), edition=edition_of(settings)))

    app = ResyncApp(settings, load_catalog(settings), open_store=open_store, start_agent=lambda: None, user="x")
    async with app.run_test(size=(120, 40)):
        app.call_after_refresh(painted)
        await filled(app)
        yield app


async def filled(app: ResyncApp, kind: type[Screen[Any]] = ChecklistPage) -> None:
    """Wait until a screen is in front, has read and has drawn what it shows."""
    # A screen tells nobody that it has been painted.
    while not (app.session.ready and isinstance(app.screen, kind) and app.screen.is_mounted and _has_read(app.screen)):  # noqa: ASYNC110
        await asyncio.sleep(0.001)
    app.screen._compositor.render_strips(app.size)


async def back(app: ResyncApp, action: str = "back") -> None:
    """Go back to the screen before, and wait until it has read again."""
    app.screen_stack[-2].remove_class("has-read")
    await app.run_action(f"screen.{action}")
    await filled(app)


_read = Page._read


async def _read_and_said(page: Page) -> None:
    await _read(page)
    page.set_class(True, "has-read")


Page._read = _read_and_said  # type: ignore[assignment,method-assign]


def _has_read(screen: Screen[Any]) -> bool:
    return not isinstance(screen, Page) or (screen.has_class("has-read") and not screen._reading)


async def measured(settings: Settings, watched: Watched) -> dict[str, float]:
    """Return the median seconds that each screen takes."""
    taken: dict[str, list[float]] = {}

    def note(name: str, begun: float) -> None:
        taken.setdefault(name, []).append(time.perf_counter() - begun)

    for _ in range(TIMES):
        begun = time.perf_counter()
        async with console(settings, watched, partial(note, "first paint", begun)):
            note("opening", begun)
    async with console(settings, watched) as app:
        state = settings.edition == "state"
        for name, kind in SCREENS.items():
            for _ in range(TIMES if state or name != "board" else 0):
                begun = time.perf_counter()
                await app.run_action(name)
                await filled(app, kind)
                note(name, begun)
                await back(app)
        for _ in range(TIMES if state else 0):
            begun = time.perf_counter()
            await app.run_action("screen.districts")
            await filled(app, Picker)
            note("Select Districts", begun)
            await back(app, "leave")
    return {name: median(each) for name, each in taken.items()}


def write_config(folder: Path, control: str, edition: str, districts: int) -> Settings:
    """Write the resync.toml of an edition, and read it."""
    lines = [f'edition = "{edition}"', f'[control]\nurl = "{control}"', '[state]\nname = "NV"\nurl = "sqlite:///s.db"']
    lines += ["[years]\ncurrent = 2026"]
    lines += [
        f'[[district]]\nid = "{number:03}"\nname = "District {number}"\nurl = "sqlite:///{number:03}.db"'
        for number in range(1, 1 + (districts if edition == "state" else 1))
    ]
    file = folder / f"{edition}.toml"
    file.write_text("\n".join(lines))
    return load_settings(file)


async def report(title: str, settings: Settings) -> None:
    """Print a table of one edition."""
    watched = Watched()
    found = await measured(settings, watched)
    print(f"{title}: " + ", ".join(f"{name} {1000 * each:.0f}" for name, each in found.items()), flush=True)
    asked = ", ".join(f"{name} {1000 * median(each):.1f}" for name, each in watched.seconds.items())
    print(f"    store: {asked}", flush=True)


async def campaign(url: str, settings: Settings) -> None:
    """Ask all districts for everything, and let an agent begin four of them."""
    database = await ControlDatabase.open(url, edition=Edition("state"))
    store, names = Store(database), [each.id for each in settings.district]
    every = catalog.load()
    begun = time.perf_counter()
    plan = make_plan(every, [each.name for each in every.objects], 2026)
    await store.submit(Request(names, plan, initiator="state", requested_by=store.rights.user, full=True))
    print(f"    a request to all districts is queued in {time.perf_counter() - begun:.1f} s", flush=True)
    queue = Queue(database, AgentIdentity("a" * 32, "host", os.getpid(), tuple(names)), 600)
    await queue.register()
    begun = time.perf_counter()
    for _ in range(4):
        await queue.claim(names, 4)
    print(f"    a claim takes {(time.perf_counter() - begun) / 4 * 1000:.0f} ms", flush=True)
    await store.close()


async def compare(folder: Path, urls: dict[str, str], admin: str, districts: int, requests: int) -> None:
    """Fill one control database and print what each edition's screens take; `urls` by edition, and the agent's."""
    settings = {name: write_config(folder, url, name, districts) for name, url in urls.items() if name != "agent"}
    every = catalog.load()
    store = await Store.open(urls["agent"], edition=Edition("state"))
    plan = make_plan(every, [each.name for each in every.objects], 2026)
    await fill(store, admin, Shape([each.id for each in settings["state"].district], plan, requests))
    await store.close()
    print("    rows: " + ", ".join(f"{name} {count:,}" for name, count in (await rows_of(admin)).items()), flush=True)
    for name, each in settings.items():
        await report(f"{name} at rest, ms a screen", each)
    await campaign(urls["agent"], settings["state"])
    for name, each in settings.items():
        await report(f"{name} during a campaign, ms a screen", each)


async def on_postgresql(folder: Path, admin: str, districts: int, requests: int) -> None:
    """The same under roles, so that row-level security has its say."""
    roles = Roles(await new_database(admin))
    names = ("agent", "governor", "jdoe")
    database = roles.url.rpartition("/")[2]
    await roles.run(
        *(f"CREATE ROLE {roles.name(each)} LOGIN PASSWORD 'geheim'" for each in names),
        f"ALTER DATABASE {database} OWNER TO {roles.name('agent')}",
        f"GRANT CREATE ON SCHEMA public TO {roles.name('agent')}",
    )
    await roles.apply_grants(Edition("state"), read=("governor",), write=("governor",))
    await roles.apply_grants(Edition("district", "001"), read=("jdoe",), write=("jdoe",))
    urls = {"agent": roles.login("agent"), "state": roles.login("governor"), "district": roles.login("jdoe")}
    await compare(folder, urls, roles.url, districts, requests)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--districts", type=int, default=300)
    parser.add_argument("--requests", type=int, default=20)
    parser.add_argument("--only", choices=["sqlite", "postgresql"])
    told = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, tempfile.TemporaryDirectory() as data:
        folder = Path(name)
        os.environ["XDG_STATE_HOME"] = name
        if told.only != "postgresql":
            print("SQLite", flush=True)
            url = f"sqlite:///{folder}/control.db"
            anyio.run(compare, folder, {"agent": url, "state": url}, url, told.districts, told.requests)
        if told.only != "sqlite":
            server = None if "RESYNC_TUI_TEST_POSTGRES" in os.environ else PrivatePostgres(Path(data))
            try:
                admin = server.start() if server else os.environ["RESYNC_TUI_TEST_POSTGRES"]
                print("PostgreSQL, row-level security", flush=True)
                anyio.run(on_postgresql, folder, admin, told.districts, told.requests)
            finally:
                if server:
                    server.stop("immediate")


if __name__ == "__main__":
    main()
