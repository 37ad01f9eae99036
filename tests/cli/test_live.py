"""`run` and `attach` on a terminal, and the list of what was sent."""

import json
import os
import pty
import re
import struct
import termios
from fcntl import ioctl

import pytest

from tests.support.place import Place, read_all
from tests.support.waiting import DEADLINE


def on_a_terminal(place: Place, size: tuple[int, int], *arguments: str) -> tuple[str, int]:
    """Run a command on a terminal of these columns and rows; return all that it wrote, and its exit code."""
    terminal, theirs = pty.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", size[1], size[0], 0, 0))
    process = place.start(*arguments, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    shown = read_all(terminal)
    code = process.wait(DEADLINE)
    os.close(terminal)
    return shown, code


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
def test_a_terminal_sees_a_bar_and_one_paragraph(place: Place, size: tuple[int, int]) -> None:
    shown, code = on_a_terminal(place, size, "run", "--yes", "-d", "01", "Person")
    assert code == 1
    assert "Batch #1  Abbott (01)  " in shown
    assert "%  ETA " in shown
    assert "waits for" in shown
    last = shown.rpartition("\x1b[J")[2]
    assert last.startswith("Batch #1, full resync of Abbott (01), 2025-26, completed in ")
    assert " 10 inserted, 2 excluded." in re.sub(r"\s+", " ", last)
    assert all(len(line) < size[0] for line in last.splitlines())


def test_campaign_tells_each_district_and_one_paragraph(place: Place) -> None:
    shown, code = on_a_terminal(place, (80, 24), "run", "School", "--yes", "--all-districts")
    assert code == 0
    assert "0/2 districts" in shown
    last = shown.rpartition("\x1b[J")[2]
    assert last.startswith("Request 1: 2 districts, 2025-26: 2 completed: 4 records: 4 inserted.")


def test_attach_follows_a_batch_and_exits_with_its_code(place: Place) -> None:
    place.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    assert place.run("run", "-d", "02", "Person", "--detach").returncode == 0
    waiting = place.start("attach", "1", "--json")
    assert waiting.stderr is not None
    assert waiting.stderr.readline() == "No agent is alive\n"
    place.change("${ABBOTT_URL}", "sqlite:///abbott.db")
    assert place.run("agent", "--once").returncode == 0
    out, _ = waiting.communicate(timeout=DEADLINE)
    assert waiting.returncode == 1
    assert json.loads(out)["batch"] == 1
    again = place.run("attach", "1", "--ignore-excluded", "--json")
    assert (again.returncode, json.loads(again.stdout)["status"]) == (0, "completed")
    assert place.run("attach", "99").returncode == 2


def test_history_has_one_line_a_batch_and_a_limit(sent: Place) -> None:
    place = sent
    reason = "first line\nsecond line"
    assert place.run("run", "-d", "01", "School", "--yes", "--detach", "--reason", reason).returncode == 0
    lines = place.run("history").stdout.splitlines()
    _titles, newest, of_both, *batches = lines
    assert of_both.strip().startswith("Request 1: 2 districts")
    assert [each.split()[0] for each in batches] == ["2", "1"]
    assert newest.endswith(", reason: first line second line")
    assert len(place.run("history", "--limit", "1").stdout.splitlines()) == 2
    assert [each["batch"] for each in json.loads(place.run("history", "--limit", "2", "--json").stdout)] == [3, 2]
    assert place.run("history", "--limit", "0").returncode == 2


def test_help_says_that_without_a_terminal_nothing_is_asked(place: Place) -> None:
    first, *more = place.run("run", "--help").stdout.partition("\n\n")[2].splitlines()
    assert "without a terminal unasked" in first + more[0]
    assert "only compared are not paced" in re.sub(r"\s+", " ", place.run("run", "--help").stdout)
    assert "without a terminal unasked" in place.run("--help").stdout
