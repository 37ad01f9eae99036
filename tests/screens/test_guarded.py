"""Keys that arrive in one read: a paste, a key that is held, a line that had stalled."""

import pytest

from resync_tui.screens.checklist import ChecklistPage
from resync_tui.screens.confirm import Question, TypedQuestion
from resync_tui.screens.gate import SAID
from resync_tui.screens.history import HistoryPage
from resync_tui.screens.page import Page
from resync_tui.screens.picker import Picker
from tests.support.screens import tour
from tests.support.screens.console import Console, Opener
from tests.support.screens.pseudo_terminal import terminal


async def asked(c: Console) -> None:
    """Ask whether to send."""
    await c.press("space", "s")
    await c.question(Question)


@pytest.mark.parametrize(
    ("burst", "sent"),
    [
        ("nn", 0),
        ("yy", 1),
        ("yn", 1),
        ("ny", 0),
        ("nq", 0),
        ("yq", 1),
        ("nnnnnnnnnn", 0),
        ("yyyyyyyyyy", 1),
        ("nsy", 0),
    ],
)
async def test_first_key_of_a_burst_answers_and_the_rest_is_dropped(console: Opener, burst: str, sent: int) -> None:
    async with console() as c:
        await asked(c)
        await c.burst(*burst)
        if sent:
            await c.sent()
        assert c.app.return_code is None
        assert not c.app.screen.is_modal
        assert len(c.batches) == sent


async def test_key_pressed_before_the_question_is_seen_is_no_answer(console: Opener) -> None:
    async with console(announces=True) as c:
        await c.press("space")
        for burst in ("sy", "syy", "sn", "sq", "syq"):
            await c.burst(*burst)
            await c.question(Question)
            await c.shows(SAID)
            assert c.app.return_code is None
            await c.press("n")
            await c.question(ChecklistPage)
        assert c.batches == []
        assert c.app.gate.dropped >= 7


async def test_a_key_after_the_question_was_seen_answers_it_at_once(console: Opener) -> None:
    async with console() as c:
        await asked(c)
        await c.press("y")
        await c.sent()
        assert c.app.gate.dropped == 0


@pytest.mark.parametrize(
    ("burst", "cancelled"), [("nn", False), ("yy", True), ("yx", True), ("nx", False), ("nq", False)]
)
async def test_the_question_whether_to_cancel_is_answered_once(console: Opener, burst: str, cancelled: bool) -> None:
    async with console() as c:
        await asked(c)
        await c.press("y")
        await c.sent()
        c.store.claim(1)
        await c.shows("RUNNING")
        await c.press("x")
        await c.question(Question)
        await c.burst(*burst)
        await c.until(lambda: c.batches[0].cancel_requested is cancelled)
        assert isinstance(c.app.screen, Page)
        assert c.app.return_code is None


@pytest.mark.parametrize(
    ("burst", "sent"),
    [
        (("escape", "escape"), 0),
        (("escape", "q"), 0),
        (("enter", "enter"), 0),
        ((*"full resync 2", "enter", "enter"), 2),
        ((*"full resync 2", "enter", "q"), 0),
        ((*"full resync", "enter", "n", "q"), 0),
    ],
    ids=lambda each: "".join(each) if isinstance(each, tuple) else "",
)
async def test_a_typed_question_is_answered_once(console: Opener, burst: tuple[str, ...], sent: int) -> None:
    async with console() as c:
        await c.press("D", "a", "enter", "a", "s")
        await c.question(TypedQuestion)
        await c.burst(*("space" if key == " " else key for key in burst))
        await c.until(lambda: not c.app.screen.is_modal)
        await c.until(lambda: len(c.batches) == sent)
        assert c.app.return_code is None


@pytest.mark.parametrize("burst", [("q", "q"), ("escape", "q"), ("enter", "enter"), ("enter", "q")], ids="+".join)
@pytest.mark.parametrize("opens", ["D", "Y"])
async def test_a_picker_is_answered_once(console: Opener, opens: str, burst: tuple[str, ...]) -> None:
    async with console(districts=tour.DISTRICTS) as c:
        await c.press(opens)
        await c.question(Picker)
        await c.burst(*burst)
        assert isinstance(c.app.screen, ChecklistPage)
        assert c.app.return_code is None


async def test_excess_escapes_in_one_read_stop_at_the_first_screen(console: Opener) -> None:
    async with console() as c:
        await c.press("H")
        await c.until(lambda: isinstance(c.app.screen, HistoryPage))
        await c.burst("escape", "escape", "escape")
        await c.until(lambda: isinstance(c.app.screen, ChecklistPage))


def test_two_keys_in_one_read_of_a_real_terminal_answer_once() -> None:
    with terminal("tests.support.screens.on_a_pty") as shown:
        shown.reads_until(b"Quit")
        shown.settles()
        for asks, burst in ((" s", "nn"), ("s", "nq"), ("s", "nnnn"), ("s", "yy")):
            shown.press(asks)
            shown.reads_until(b"any other key goes back")
            shown.settles()
            shown.press(burst)
            shown.reads_until(b"Queued" if burst == "yy" else b"Quit")
            shown.settles()
        shown.press("H")
        shown.reads_until(b"1 batch")
        assert shown.process.poll() is None
        shown.press("q")
        assert shown.ends(reading=True) == 0
        assert b"Traceback" not in shown.output
