"""Every screen as text at 80x24 and 120x40: nothing that is required is clipped, and nothing changes unseen.

`.venv/bin/pytest --snapshot-update tests/screens/test_app_snapshots.py` takes them again, and removes those of none.
"""

import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from syrupy.assertion import SnapshotAssertion
from syrupy.extensions.single_file import SingleFileSnapshotExtension, WriteMode

from resync_tui.agent.log import AgentLog
from tests.support.screens import fake_store, tour
from tests.support.screens.console import Console, Opener

DOTS = ("●   ok", "▲ <.1%", "■  17%", "○  57%")


class ScreenFile(SingleFileSnapshotExtension):
    """Each screen is a text file of its own."""

    _write_mode = WriteMode.TEXT
    file_extension = "txt"


@pytest.fixture
def snapshot(snapshot: SnapshotAssertion) -> SnapshotAssertion:
    """Keep screens, and nothing but their text."""
    return snapshot.use_extension(ScreenFile)


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


async def differs(c: Console, snapshot: SnapshotAssertion, name: str | None = None) -> str:
    """Return the screen if its snapshot, one of several by their names, is another."""
    known = kept(snapshot, name)
    if snapshot.update_snapshots or not known:
        await c.pilot.pause(0.5)
    else:
        # A screen may need a moment to be drawn.
        with suppress(AssertionError):
            await c.until(lambda: trimmed(c) == known)
    now = trimmed(c)
    return "" if now == snapshot(name=name) else f"{name or 'The screen'} is another now:\n{now}"


def kept(snapshot: SnapshotAssertion, name: str | None) -> str:
    """Return a snapshot's text, or nothing where there is none yet."""
    file = Path(snapshot.extension.get_location(test_location=snapshot.test_location, index=name or 0))
    return file.read_text("utf-8") if file.exists() else ""


def trimmed(c: Console) -> str:
    """Return what stands on the screen, without spaces at the ends of its lines."""
    return "\n".join(line.rstrip() for line in c.lines) + "\n"


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_screens_match_their_snapshots_and_clip_nothing_required(
    console: Opener, size: tuple[int, int], snapshot: SnapshotAssertion
) -> None:
    wrong: list[str] = []

    async with console(size, districts=tour.DISTRICTS) as c:

        async def take(name: str, *required: str) -> None:
            for part in required:
                await c.shows(part)
            wrong.append(await differs(c, snapshot, name))

        await tour.walk(c, AgentLog(Path("agent.log"), c.clock), take)
    assert not any(wrong), "\n".join(filter(None, wrong))


async def four_states(c: Console) -> None:
    """Go as far as where all four states are on the checklist."""
    await tour.two_runs(c)
    await tour.back(c)
    await tour.under_way(c, seen)


async def seen(_name: str, *_required: str) -> None:
    """Take no snapshot on the way."""


async def test_the_four_states_are_told_apart_in_grey(
    console: Opener, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    async with console(districts=tour.DISTRICTS) as c:
        await four_states(c)
        strips = c.app.screen._compositor.render_strips(c.app.size)
        styles = [segment.style for strip in strips for segment in strip if segment.style]
        assert {style.color.name for style in styles if style.color} <= {"default", "white", "black"}
        for dot in DOTS:
            await c.shows(dot)
        assert not (wrong := await differs(c, snapshot)), wrong


async def test_the_four_states_are_told_apart_in_ascii(
    console: Opener, monkeypatch: pytest.MonkeyPatch, snapshot: SnapshotAssertion
) -> None:
    monkeypatch.setenv("LC_ALL", "C")
    async with console(districts=tour.DISTRICTS) as c:
        await four_states(c)
        assert c.text.isascii()
        for dot in ("*   ok", "^ <.1%", "#  17%", "o  57%"):
            await c.shows(dot)
        assert not (wrong := await differs(c, snapshot)), wrong
