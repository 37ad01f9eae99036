"""What the screens say before the control database has been read, and what becomes of keys pressed then."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from resync_tui.results import Alert, Batch, DistrictStanding, LastCompleted, LastResync
from resync_tui.screens.confirm import Question, TypedQuestion
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.sheets import Sheet
from tests.support.screens import fake_store
from tests.support.screens.console import Console, Opener

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])


class SlowAlerts(fake_store.MemoryAlerts):
    """Alerts that are read once the store answers."""

    async def posted(self, **chosen: Any) -> list[Alert]:
        await self._store.answers.wait()  # type: ignore[attr-defined]
        return await super().posted(**chosen)


class SlowStore(fake_store.MemoryStore):
    """A store that is open at once, and answers what screens list only once it may."""

    def __init__(self, clock: fake_store.Clock) -> None:
        super().__init__(clock)
        self.answers = asyncio.Event()
        self.alerts = SlowAlerts(self)

    async def batches(self, **chosen: Any) -> list[Batch]:
        await self.answers.wait()
        return await super().batches(**chosen)

    async def last_resyncs(self, district: str, year: int) -> Mapping[str, LastResync]:
        await self.answers.wait()
        return await super().last_resyncs(district, year)

    async def board(self, *about: Any) -> list[DistrictStanding]:
        await self.answers.wait()
        return await super().board(*about)


@pytest.fixture
def slow(console: Opener) -> Opener:
    """Open a console over a slow store."""

    @asynccontextmanager
    async def opened(**chosen: Any) -> AsyncIterator[Console]:
        store = SlowStore(fake_store.Clock())
        async with console(store=store, **chosen) as c:
            yield c
            store.answers.set()

    return opened


def answer(c: Console) -> None:
    """Let the store answer from now on."""
    assert isinstance(c.store, SlowStore)
    c.store.answers.set()


@SIZES
async def test_not_read_and_never_are_two_things(slow: Opener, size: tuple[int, int]) -> None:
    async with slow(size=size) as c:
        assert "…" in c.line(" School " if size[0] > 80 else "▼School ")
        await c.press("e")
        await c.shows("still being read")
        answer(c)
        await c.until(lambda: "never" in c.line(" School " if size[0] > 80 else "▼School "))
        await c.press("e")
        await c.shows("This object has not been resynced yet")


@SIZES
async def test_no_list_is_empty_before_it_is_read(slow: Opener, size: tuple[int, int]) -> None:
    async with slow(size=size) as c:
        for key, lie in (("H", "0 batches"), ("exclamation_mark", "0 alerts"), ("B", "0 of 0 districts")):
            await c.press(key)
            await c.shows("reading ")
            await c.shows("The control database is still being read.")
            assert lie not in c.text
            await c.press("enter")
            await c.shows("still being read")
            await c.press("escape")
        await c.press("H")
        answer(c)
        await c.shows("0 batches")
        await c.shows("Nothing has been sent yet.")


@SIZES
@pytest.mark.parametrize(("mark", "kind"), [("space", Question), ("a", TypedQuestion)])
async def test_a_question_corrects_itself_once_results_are_there(
    slow: Opener, size: tuple[int, int], mark: str, kind: type[Any]
) -> None:
    async with slow(size=size) as c:
        c.app.session.choose("01", ("01", "02"))
        await c.press(mark, "s")
        await c.question(kind)
        await c.shows("the last runs are still being")
        assert "of these has" not in c.text
        answer(c)
        await c.shows("How many records is not known")
        await c.press("escape", "enter")
        await c.question(Sheet)
        await c.shows("Never resynced from here.")


@pytest.mark.parametrize(("mark", "kind"), [("space", Question), ("a", TypedQuestion)])
async def test_results_read_before_a_question_is_drawn_stand_in_it(slow: Opener, mark: str, kind: type[Any]) -> None:
    async with slow() as c:
        c.app.session.choose("01", ("01", "02"))
        await c.press(mark)
        page = c.app.screen
        page.action_send()  # type: ignore[attr-defined]
        question = c.app.screen
        assert isinstance(question, kind)
        assert not question.is_mounted
        page._completed = LastCompleted()  # type: ignore[attr-defined]
        question.relist()
        await c.question(kind)
        await c.shows("How many records is not known")
        assert c.app.caught == 0


async def test_keys_that_move_are_kept_while_a_list_loads(slow: Opener) -> None:
    async with slow() as c:
        for _ in range(4):
            await c.app.session.send(c.app.screen.marks.all().plan(2026), ("01",))  # type: ignore[attr-defined]
        await c.press("H", "j", "j", "k", "j")
        answer(c)
        await c.shows("4 batches")
        assert isinstance(c.app.screen, HistoryPage)
        current = c.app.screen.rows().current
        assert current is not None
        assert current.key == "2"


async def test_keys_that_mark_are_kept_while_a_list_loads(slow: Opener) -> None:
    async with slow() as c:
        c.store.alerts.post("State Resync Requested")
        c.store.alerts.post("State Resync Requested")
        await c.press("exclamation_mark", "j", "space")
        answer(c)
        await c.shows("2 alerts, 1 marked, 2 unread")
        await c.press("home", "R")
        await c.shows("Delete this alert")
