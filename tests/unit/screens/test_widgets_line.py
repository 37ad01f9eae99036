"""How the parts of a line give way where there is too little room."""

import pytest

from resync_tui.screens.widgets.line import BOLD, PLAIN, Part, broken, fitted, length, plain

STATUS = "CANCELLING attempt 2"
NAME = Part("  Clark County School District", turn=3, least=8)


def text(width: int, *parts: Part) -> str:
    """Return what stands on a line of that width."""
    line = fitted(parts, (Part(STATUS),), width)
    assert length(line) == width
    return "".join(piece for piece, _ in line)


@pytest.mark.parametrize(
    ("width", "begin"),
    [
        (70, " #1  Clark County School District  12:00 "),
        (60, " #1  Clark County School District  "),
        (50, " #1  Clark County School Dis… "),
        (32, " #1  Clark… "),
    ],
)
def test_parts_give_way_by_turn_and_the_status_never(width: int, begin: str) -> None:
    line = text(width, Part(" #1"), NAME, Part("  12:00", turn=1))
    assert line.startswith(begin)
    assert line.endswith(f" {STATUS}")


@pytest.mark.parametrize("width", range(33, 60))
def test_wide_characters_are_never_cut_in_half(width: int) -> None:
    assert text(width, Part(" #1"), Part("  北京市第一学区第一学区", turn=1, least=8)).endswith(STATUS)


@pytest.mark.parametrize(
    ("width", "begin"),
    [(26, "aaaa… "), (34, "aaaaaa… b b b "), (70, f"{'a' * 30} b b b  ")],
)
def test_an_elastic_part_has_what_the_others_leave(width: int, begin: str) -> None:
    assert text(width, Part("a" * 30, least=5), Part(" b" * 3, turn=1)).startswith(begin)


@pytest.mark.parametrize("width", [8, 11, 30])
def test_a_broken_line_keeps_each_word_and_its_style(width: int) -> None:
    line = (("  3 ", PLAIN), ("Calendar", BOLD), ("  required by School", PLAIN))
    rows = broken(line, width)
    assert all(length(row) <= max(width, len("  Calendar")) for row in rows)
    assert " ".join("".join(text for text, _ in row) for row in rows).split() == [
        "3",
        "Calendar",
        "required",
        "by",
        "School",
    ]
    assert [style for row in rows for text, style in row if "Calendar" in text] == [BOLD]
    assert broken(plain("short"), width) == [plain("short")]
