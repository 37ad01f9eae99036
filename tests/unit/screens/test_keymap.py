"""The key table holds for every screen, for its help and for the documents."""

from textual.binding import Binding

from resync_tui.screens import keymap
from resync_tui.screens.app import ResyncApp
from resync_tui.screens.keymap import TABLE, Task, by_task, unused
from resync_tui.screens.page import Page
from resync_tui.screens.picker import Picker
from resync_tui.screens.widgets.rows import Rows
from tests.support import keys_page
from tests.support.every_screen import pages

MOST = 40
"""Meanings that a user can keep apart."""

TITLES = {
    "ChecklistPage": keymap.CHECKLIST,
    "ProgressPage": keymap.PROGRESS,
    "HistoryPage": keymap.HISTORY,
    "ErrorsPage": keymap.ERRORS,
    "KeysPage": keymap.KEYS,
    "ComparePage": keymap.BEFORE,
    "AlertsPage": keymap.ALERTS,
    "BoardPage": keymap.BOARD,
    "AgentsPage": keymap.AGENTS,
    "FindingsPage": keymap.COMPARED,
    "ExtraPage": keymap.EXTRA,
    "FieldsPage": keymap.FIELDS,
}
"""What the pages that have keys of their own are called."""


def bindings() -> list[tuple[str, str]]:
    """Return each key that is bound anywhere, with its action."""
    owners = (ResyncApp, Rows, Picker, *pages())
    found = [each for owner in owners for each in vars(owner).get("BINDINGS", ()) if isinstance(each, Binding)]
    return [(key, each.action) for each in found for key in each.key.split(",")]


def test_each_key_has_one_meaning_on_every_screen() -> None:
    meaning = {key: each for each in TABLE for key in each.keys}
    assert len(meaning) == sum(len(each.keys) for each in TABLE)
    assert len(bindings()) > MOST
    for key, action in bindings():
        assert key in meaning, f"{key} is not in the table"
        assert action in meaning[key].actions, f"{key} means: {meaning[key].meaning}, and not {action}"


def test_table_is_short_and_ordered_by_task() -> None:
    assert len(TABLE) <= MOST
    assert [each.task for each in TABLE] == sorted((each.task for each in TABLE), key=list(Task).index)


def test_help_has_what_is_bound_and_nothing_else() -> None:
    assert by_task({"e": "Errors of this batch", "c": "Copy what is listed", "tab": "", "g": "First", "G": "Last"}) == [
        (Task.MOVE, [("g G", "To the first or the last row")]),
        (Task.LOOK, [("e", "Errors of this batch")]),
        (Task.KEEP, [("c", "Copy what is listed")]),
    ]


def test_the_page_of_keys_is_the_table() -> None:
    assert keys_page.PAGE.read_text("utf-8") == keys_page.text()


def keys_of(owner: type) -> set[str]:
    found = [each for each in vars(owner).get("BINDINGS", ()) if isinstance(each, Binding)]
    return {key for each in found for key in each.key.split(",")}


def test_a_meaning_says_which_screens_have_it() -> None:
    everywhere = {key for owner in (ResyncApp, Page, Rows) for key in keys_of(owner)}
    of_page = {page: {key for owner in page.__mro__ for key in keys_of(owner)} - everywhere for page in pages()}
    for meaning in (each for each in TABLE if not everywhere & set(each.keys)):
        having = {
            TITLES[page.__name__]
            for page, keys in of_page.items()
            if page.__name__ in TITLES and keys & {*meaning.keys}
        }
        assert set(meaning.where) == having, meaning.meaning
    assert all(each.where == () for each in TABLE if everywhere & set(each.keys))
    assert {page.__name__ for page in pages() if keys_of(page)} <= TITLES.keys() | {"MarkingPage", "FilteringPage"}


def test_a_key_without_effect_says_where_it_has_one() -> None:
    assert unused("x") == "x does nothing here. Progress: Cancel this batch."
    assert unused("pageup", over=True) == "PgUp does nothing here. Esc closes this."
    assert unused("left_square_bracket", "[") == "[ does nothing. ? lists the keys of this screen."
    assert unused("f5") == "f5 does nothing. ? lists the keys of this screen."
