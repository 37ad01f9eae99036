"""All that the commands print goes through the few functions that make it printable."""

import re
from pathlib import Path

import resync_tui

PRINTS = re.compile(r"\bclick\.(?:echo|secho|prompt)\(|(?<![\w.])print\(|\bsys\.std(?:out|err)\.write\(")
MAY = {"campaigns.py": 1, "live.py": 1, "main.py": 1, "options.py": 2, "verify.py": 1}
"""Calls by module: a CSV text, the live lines, an empty line, `show` and `show_json`, and a prompt that is clipped."""


def test_nothing_else_prints() -> None:
    package = Path(resync_tui.__file__).parent
    found = {each.name: len(PRINTS.findall(each.read_text("utf-8"))) for each in package.rglob("*.py")}
    assert {name: count for name, count in found.items() if count} == MAY


def test_only_one_function_makes_what_a_screen_draws() -> None:
    screens = Path(resync_tui.__file__).parent / "screens"
    drawing = [each.name for each in screens.rglob("*.py") if re.search(r"\bSegment\(", each.read_text("utf-8"))]
    assert drawing == ["line.py"]
