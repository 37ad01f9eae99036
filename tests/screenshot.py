"""Make the pictures of the README again: `python -m tests.screenshot`.

Builds the demo in a temporary folder and drives the real screens, with a real agent, through real resyncs.
"""

import asyncio
import re
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from textual.pilot import Pilot

from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.demo.build import build
from resync_tui.processes import user_name
from resync_tui.rights import edition_of
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.progress import ProgressPage
from tests.support import waiting

DOCS = Path(__file__).parent.parent / "docs"
STUDENTS = 30_000
SIZE = (100, 30)
USER = user_name()
"""Who takes the pictures; an agent runs nothing that is asked for in another name."""


def text(app: ResyncApp) -> str:
    """Return what stands on the screen."""
    return "\n".join(strip.text for strip in app.screen._compositor.render_strips(app.size))


def percent(app: ResyncApp) -> int:
    """Return how far the batch on the screen is."""
    found = re.search(r" (\d+)%\s*$", text(app).splitlines()[2])
    return int(found[1]) if found else 0


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    """Wait until something holds."""
    await waiting.until(condition, partial(pilot.pause, 0.02))


def save(app: ResyncApp, name: str) -> None:
    """Write the screen as a picture that loads nothing from elsewhere."""
    svg = re.sub(r"@font-face \{.*?\}", "", app.export_screenshot(title="resync-tui"), flags=re.DOTALL)
    svg = svg.replace("Fira Code, monospace", "monospace").replace(USER, "jdoe")
    (DOCS / f"{name}.svg").write_text("\n".join(line.rstrip() for line in svg.splitlines() if line.strip()) + "\n")


async def pictures(settings: Settings, start_agent: Callable[[], str | None]) -> None:
    """Drive the screens and take the pictures."""

    async def open_store() -> Store:
        return await Store.open(settings.control_url(), edition=edition_of(settings))

    app = ResyncApp(
        settings, load_catalog(settings), open_store=open_store, start_agent=start_agent, user=USER, district="01"
    )
    async with app.run_test(size=SIZE) as pilot:
        await until(pilot, lambda: app.session.ready)
        await pilot.press("a", "s", "y")
        await until(pilot, lambda: isinstance(app.screen, ProgressPage))
        await until(pilot, lambda: "RUNNING" in text(app) and 60 <= percent(app) < 100)
        save(app, "progress")
        await until(pilot, lambda: "COMPLETED" in text(app))
        await pilot.press("e")
        await until(pilot, lambda: "refused" in text(app) and " 0 records" not in text(app))
        save(app, "errors")
        await pilot.press("escape", "escape", "slash", *"enroll", "enter", "escape", "space", "s")
        save(app, "confirm")
        await pilot.press("escape")
        await pilot.press("g")
        await until(pilot, lambda: "●   ok" in text(app))
        save(app, "checklist")


def main() -> None:
    """Build the demo, take the pictures, leave nothing behind."""
    agents: list[subprocess.Popen[bytes]] = []
    with TemporaryDirectory() as folder:
        config = asyncio.run(build(Path(folder) / "demo", students=STUDENTS))
        settings = load_settings(config)

        def start_agent() -> None:
            command = [sys.executable, "-m", "resync_tui", "--config", str(config), "agent", "--once"]
            agents.append(subprocess.Popen(command))

        try:
            asyncio.run(pictures(settings, start_agent))
        finally:
            for agent in agents:
                agent.terminate()
                agent.wait()
    print("\n".join(str(path) for path in sorted(DOCS.glob("*.svg"))))


if __name__ == "__main__":
    main()
