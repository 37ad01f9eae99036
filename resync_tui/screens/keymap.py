"""The key table of all screens: a key means one thing everywhere. Help, palette and docs/keys.md are made from it."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Task(StrEnum):
    """What a user wants to do; the help has a part for each."""

    MOVE = "Move in a list"
    MARK = "Choose what to send"
    SEND = "Send, compare, stop"
    LOOK = "See what became of it"
    KEEP = "Take it with you"
    GO = "Go to"
    LEAVE = "Help and leaving"


@dataclass(frozen=True, slots=True)
class KeyMeaning:
    """A meaning, the keys that have it, and the actions by which the screens carry it out."""

    keys: tuple[str, ...]
    task: Task
    meaning: str
    actions: frozenset[str]
    where: tuple[str, ...] = ()
    """Pages that have it, by their titles; empty: every page."""


def _row(keys: str, task: Task, meaning: str, actions: str, *where: str) -> KeyMeaning:
    return KeyMeaning(tuple(keys.split()), task, meaning, frozenset(actions.split()), where)


CHECKLIST, PROGRESS, HISTORY, ERRORS, KEYS = "DIS Objects", "Progress", "History", "Errors", "Keys"
BEFORE, ALERTS, BOARD, AGENTS = "Run before", "Process Alerts", "Board", "Agent Queue"
COMPARED, EXTRA, FIELDS = "Compared", "Extra records", "Synchronization Field Settings"
"""Titles of the pages."""
PROGRESS_OF = "Progress: of the batch in a list, else the newest"

TABLE = (
    _row(
        "up down k j shift+up shift+down K J",
        Task.MOVE,
        "One row up or down; with Shift, marking on the way",
        "move(-1) move(1) extend(-1) extend(1)",
    ),
    _row("pageup pagedown ctrl+b ctrl+f", Task.MOVE, "One screen up or down", "leap(-1) leap(1)"),
    _row("home end g G", Task.MOVE, "To the first or the last row", "move(-1000000) move(1000000)"),
    _row("left h right l", Task.MOVE, "Fold, unfold; up to the parent, down to a child", "fold unfold", CHECKLIST),
    _row(
        "enter",
        Task.MOVE,
        "Open what the cursor is on",
        "open detail log take",
        CHECKLIST,
        HISTORY,
        ERRORS,
        KEYS,
        ALERTS,
        BOARD,
        AGENTS,
        COMPARED,
    ),
    _row(
        "slash",
        Task.MOVE,
        "Filter by a part of a name; Esc clears",
        "filter",
        CHECKLIST,
        HISTORY,
        ERRORS,
        KEYS,
        ALERTS,
        FIELDS,
    ),
    _row("n N", Task.MOVE, "Next match of the filter, or the one before", "match(1) match(-1)", CHECKLIST),
    _row(
        "o",
        Task.MOVE,
        "Filter by kind: outcome, standing, process",
        "outcome narrow process kind",
        HISTORY,
        ERRORS,
        ALERTS,
        BOARD,
    ),
    _row("t", Task.MOVE, "Filter by dates: from, to", "dates", ALERTS),
    _row("space", Task.MARK, "Mark or unmark", "mark pick", CHECKLIST, ALERTS),
    _row("a u", Task.MARK, "Mark all (a full resync, every district), or none", "all none", CHECKLIST, ALERTS),
    _row("d", Task.MARK, "Check dependencies on or off", "check", CHECKLIST),
    _row("D", Task.MARK, "Select Districts", "districts", CHECKLIST),
    _row("Y", Task.MARK, "School year", "years", CHECKLIST),
    _row("s", Task.SEND, "Send or request the resync", "send", CHECKLIST, COMPARED),
    _row("v", Task.SEND, "Compare only: is a resync needed?", "verify", CHECKLIST),
    _row("r", Task.SEND, "Retry just what failed", "retry", PROGRESS, ERRORS, BOARD),
    _row("x", Task.SEND, "Cancel this batch", "cancel", PROGRESS),
    _row("R", Task.SEND, "Remove: extra records; the marked alerts", "remove delete", EXTRA, ALERTS),
    _row("S", Task.SEND, "Start an agent, where none is alive", "start_agent"),
    _row("e", Task.LOOK, "Errors: which records were refused, and why", "errors", CHECKLIST, PROGRESS),
    _row("f", Task.LOOK, "What a comparison found", "findings", PROGRESS),
    _row("b", Task.LOOK, "Compare with the run before", "compare", PROGRESS, HISTORY),
    _row("X", Task.LOOK, "Extra records, which the district does not have", "extra", CHECKLIST, COMPARED),
    _row("m", Task.LOOK, "Read: the marked alerts, else all that are listed", "read", ALERTS),
    _row("c", Task.KEEP, "Copy what is listed", "copy"),
    _row("C", Task.KEEP, "Copy the SQL that finds the record", "copy_query", KEYS),
    _row("w", Task.KEEP, "Write the list into a CSV file", "csv", HISTORY, ERRORS, KEYS, BEFORE, BOARD, COMPARED),
    _row("O", Task.GO, "DIS Objects: the first screen", "home"),
    _row("p", Task.GO, PROGRESS_OF, "progress"),
    _row("H", Task.GO, "History of all batches", "history"),
    _row("exclamation_mark", Task.GO, "Process Alerts", "alerts"),
    _row("B", Task.GO, "Board: where each district stands", "board"),
    _row("A", Task.GO, "Agent Queue and Agent Log", "agents"),
    _row("F", Task.GO, FIELDS, "fields"),
    _row("L", Task.LEAVE, "Legend: dots and marks", "legend"),
    _row("question_mark", Task.LEAVE, "Help", "help"),
    _row("colon ctrl+p", Task.LEAVE, "All commands", "command_palette"),
    _row("escape", Task.LEAVE, "Back: what runs goes on", "back leave"),
    _row("q ctrl+c", Task.LEAVE, "Quit, or leave a list: what runs goes on", "quit leave app.quit"),
)

NAMES = {
    "space": "Space",
    "enter": "Enter",
    "escape": "Esc",
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "home": "Home",
    "end": "End",
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "colon": ":",
    "shift+up": "Shift-Up",
    "shift+down": "Shift-Down",
    "ctrl+b": "^b",
    "ctrl+c": "^c",
    "ctrl+f": "^f",
    "ctrl+p": "^p",
}


def name_of(key: str) -> str:
    """Return a key as users know it."""
    return NAMES.get(key, key)


def unused(key: str, character: str | None = None, *, over: bool = False) -> str:
    """Return why a key does nothing on a screen, and where it does; `over`: in a box over the screen."""
    row = next((each for each in TABLE if key in each.keys), None)
    name = character if row is None and character and character.isprintable() else name_of(key)
    if over:
        return f"{name} does nothing here. Esc closes this."
    if row is None:
        return f"{name} does nothing. ? lists the keys of this screen."
    return f"{name} does nothing here. {', '.join(row.where)}: {row.meaning}."


def _meaning(row: KeyMeaning, bound: Mapping[str, str]) -> str:
    """Return what a screen calls the keys of a meaning, if it has one word for them, else the meaning."""
    own = {bound[key] for key in row.keys if key in bound}
    return own.pop() if len(own) == 1 else row.meaning


def by_task(bound: Mapping[str, str]) -> list[tuple[Task, list[tuple[str, str]]]]:
    """Return the keys among the bound ones with their meaning, by task; `bound` has what a screen calls each."""
    here = set(bound)
    parts: list[tuple[Task, list[tuple[str, str]]]] = []
    for task in Task:
        rows = [
            # With Shift and an arrow: the meaning says so, and the capital beside it is the same.
            (" ".join(name_of(key) for key in each.keys if key in here and "shift" not in key), _meaning(each, bound))
            for each in TABLE
            if each.task is task and here.intersection(each.keys)
        ]
        if rows:
            parts.append((task, rows))
    return parts
