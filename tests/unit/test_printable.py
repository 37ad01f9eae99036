"""What a terminal would obey, or hide, is shown as what it is."""

import csv
import io
import sys

import pytest

from resync_tui.formatting import csv_text, folded
from resync_tui.printable import LONGEST, clipped, printable


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b]0;PWNED\a", r"\x1b]0;PWNED\x07"),
        ("\x9b31mred", r"\x9b31mred"),
        ("a\nb\rc\td\x00\x7f\x85", r"a\nb\rc\td\x00\x7f\x85"),
        ("a\u2028b\u2029c", r"a\u2028b\u2029c"),
        ("\u202egnp.exe\u2066\u061c\u200e", r"\u202egnp.exe\u2066\u061c\u200e"),
        ("zero\u200bwidth\ufeff, soft\xad", r"zero\u200bwidth\ufeff, soft\xad"),
        ("tag\U000e0041", r"tag\U000e0041"),
        ("half \udc80", r"half \udc80"),
    ],
)
def test_what_a_terminal_would_obey_is_shown(text: str, shown: str) -> None:
    assert printable(text) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    "text",
    ["", "DOMAIN\\user", "Niño 学校 ○ …", "no\xa0break", "\u0646\u200c\u0645", "👩\u200d🏫", "[red]"],
)
def test_words_of_all_scripts_stay(text: str) -> None:
    assert printable(text) == text


def test_no_character_is_left_that_a_terminal_obeys() -> None:
    shown = printable("".join(map(chr, range(sys.maxunicode + 1))))
    shown.replace("\u200c", "").replace("\u200d", "").encode("utf-8")
    assert not {*map(chr, [*range(32), *range(127, 160), *range(0x202A, 0x202F), *range(0x2066, 0x206A)])} & set(shown)


def test_what_is_long_is_clipped() -> None:
    assert clipped("x" * LONGEST) == "x" * LONGEST
    assert clipped("x" * 20_000_000) == f"{'x' * LONGEST}…"
    assert clipped("\x1b" * 20, 3) == r"\x1b\x1b\x1b…"


def test_a_newline_in_a_value_begins_no_line() -> None:
    assert folded("reason\n  99 forged", 80) == [r"reason\n 99 forged"]


@pytest.mark.parametrize(
    ("cell", "written"),
    [
        *((f"{mark}cmd|' /C calc'!A0", f"'{mark}cmd|' /C calc'!A0") for mark in "=+-@\uff1d\uff0b\uff0d\uff20"),
        ("\t=1+1", r"'\t=1+1"),
        ("\r=1+1", r"'\r=1+1"),
        (" =1+1", "' =1+1"),
        ("a\x1b\nb", r"a\x1b\nb"),
        *((each, each) for each in ("-", "-5", "+1.5", "-0,1%", "a=b", "2025-26", "")),
    ],
)
def test_a_spreadsheet_runs_no_cell(cell: str, written: str) -> None:
    ((one, number),) = csv.reader(io.StringIO(csv_text(["name", "n"], [[cell, -5]]).partition("\r\n")[2]))
    assert (one, number) == (written, "-5")


@pytest.mark.parametrize("part", ["=1+1", " @SUM(A1)", "\uff1dcmd|x", '"-2+3"', "+1"])
def test_what_follows_a_semicolon_is_no_formula_either(part: str) -> None:
    """Where decimals have a comma, a spreadsheet parts cells at semicolons, whatever is quoted."""
    text = csv_text(["name"], [[f"a;{part}"], ["a; b=c; d"]])
    cells = [cell.lstrip(' "') for line in text.splitlines() for cell in line.split(";")]
    assert not [cell for cell in cells if cell.startswith(("=", "@", "\uff1d", "-", "+"))]
    assert "a; b=c; d" in text
