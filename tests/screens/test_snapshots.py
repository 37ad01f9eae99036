"""Every screen as text at 80x24 and 120x40: nothing that is required is clipped, and nothing changes unseen.

`RESYNC_TUI_SNAPSHOTS=write .venv/bin/pytest tests/screens/test_snapshots.py` takes them again.
"""

import os
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from resync_tui.agent.log import AgentLog
from tests.screens import fake_store, tour
from tests.screens.conftest import Console, Opener

FOLDER = Path(__file__).parent / "snapshots"
DOTS = ("●   ok", "▲ <.1%", "■  16%", "○  78%")


@pytest.fixture(autouse=True)
def still(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """Keep the time zone, the school year's days and the place of the log as they are on the snapshots."""
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    plain_settings = fake_store.settings
    monkeypatch.setattr(fake_store, "settings", lambda **chosen: replace(plain_settings(**chosen), years=tour.YEARS))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("resync_tui.paths.log_path", lambda _: Path("agent.log"))
    yield
    monkeypatch.undo()
    time.tzset()


async def differs(c: Console, name: str) -> str:
    """Return how the screen differs from its snapshot, or take that again; a screen may need a moment to be drawn."""
    file = FOLDER / f"{name}.txt"
    if os.environ.get("RESYNC_TUI_SNAPSHOTS") == "write":
        await c.pilot.pause(0.5)
        FOLDER.mkdir(exist_ok=True)
        file.write_text(trimmed(c), "utf-8")
    known = file.read_text("utf-8") if file.exists() else ""
    with suppress(AssertionError):
        await c.until(lambda: trimmed(c) == known)
    return "" if trimmed(c) == known else f"{file.name} is another now:\n{trimmed(c)}"


def trimmed(c: Console) -> str:
    """Return what stands on the screen, without spaces at the ends of its lines."""
    return "\n".join(line.rstrip() for line in c.lines) + "\n"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_every_screen_is_as_it_was_and_nothing_required_is_clipped(
    console: Opener, size: tuple[int, int]
) -> None:
    wrong: list[str] = []
    taken: set[str] = set()

    async with console(size, districts=tour.DISTRICTS) as c:

        async def take(name: str, *required: str) -> None:
            full = f"{name}-{size[0]}x{size[1]}"
            taken.add(f"{full}.txt")
            for part in required:
                await c.shows(part)
            wrong.append(await differs(c, full))

        await tour.walk(c, AgentLog(Path("agent.log"), c.clock), take)
    assert not any(wrong), "\n".join(filter(None, wrong))
    assert taken == {file.name for file in FOLDER.glob(f"*-{size[0]}x{size[1]}.txt")}


async def four_states(c: Console) -> None:
    """Go as far as where all four states are on the checklist."""
    await tour.two_runs(c)
    await tour.back(c)
    await tour.under_way(c, seen)


async def seen(_name: str, *_required: str) -> None:
    """Take no snapshot on the way."""


async def test_the_four_states_are_told_apart_in_grey(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(districts=tour.DISTRICTS) as c:
        await four_states(c)
        strips = c.app.screen._compositor.render_strips(c.app.size)
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        assert {style.color.name for style in styles if style.color} <= {"default", "white", "black"}
        for dot in DOTS:
            await c.shows(dot)
        assert not await differs(c, "grey")


async def test_the_four_states_are_told_apart_in_ascii(console: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    async with console(districts=tour.DISTRICTS) as c:
        await four_states(c)
        assert c.text.isascii()
        for dot in ("*   ok", "^ <.1%", "#  16%", "o  78%"):
            await c.shows(dot)
        assert not await differs(c, "ascii")
