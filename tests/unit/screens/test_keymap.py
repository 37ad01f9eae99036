"""The key table holds for every screen, for its help and for the documents."""

from textual.binding import Binding

from resync_tui.screens.app import ResyncApp
from resync_tui.screens.keymap import TABLE, Task, by_task
from resync_tui.screens.picker import Picker
from resync_tui.screens.widgets.rows import Rows
from tests.support import keys_page
from tests.support.every_screen import pages

MOST = 40
"""Meanings that a user can keep apart."""


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
    assert by_task(["e", "c", "tab", "C"]) == [
        (Task.LOOK, [("e", "Errors: which records were refused, and why")]),
        (Task.KEEP, [("c", "Copy what is listed"), ("C", "Copy the SQL that finds the record")]),
    ]


def test_the_page_of_keys_is_the_table() -> None:
    assert keys_page.PAGE.read_text("utf-8") == keys_page.text()
