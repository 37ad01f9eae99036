"""Campaigns, the board, alerts and schedules from the command line."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from resync_tui.cli.selection import listed_districts, moment
from resync_tui.errors import UsageError
from tests.support.place import Place
from tests.support.waiting import DEADLINE, wait_until


def districts(output: str) -> list[str]:
    return [json.loads(line)["district"] for line in output.splitlines()]


def test_all_districts_are_one_request(place: Place) -> None:
    done = place.run("run", "--all-districts", "School", "--reason", "Start of school year", "--json")
    assert done.returncode == 0, done.stderr
    assert districts(done.stdout) == ["01", "02"]
    documents = [json.loads(line) for line in done.stdout.splitlines()]
    assert {(each["request"], each["reason"]) for each in documents} == {(1, "Start of school year")}
    assert "reason: Start of school year" in place.run("history").stdout


def test_state_request_has_a_default_reason(place: Place) -> None:
    (asked,) = place.run("run", "-d", "01", "School", "--json").stdout.splitlines()
    assert (json.loads(asked)["initiator"], json.loads(asked)["reason"]) == ("state", "State resync request")


def test_a_file_names_districts_in_its_order(place: Place) -> None:
    (place.folder / "some.txt").write_text("# the west\n02   # Campus\n\n01\n")
    done = place.run("run", "--districts-file", "some.txt", "School", "--json")
    assert (done.returncode, districts(done.stdout)) == (0, ["02", "01"])


@pytest.mark.parametrize("text", ["", "# nobody\n", "\udcff"])
def test_a_file_without_districts_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "some.txt"
    file.write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(UsageError, match=r"names no district|is not UTF-8"):
        listed_districts(file)
    with pytest.raises(UsageError, match="Cannot read"):
        listed_districts(tmp_path / "gone.txt")
    with pytest.raises(UsageError, match="is longer than 1,000,000 characters"):
        listed_districts(Path("/dev/zero"))


def test_excluded_records_can_be_left_out_of_the_exit_code(place: Place) -> None:
    assert place.run("run", "-d", "01", "Person").returncode == 1
    assert place.run("run", "-d", "01", "Person", "--ignore-excluded").returncode == 0
    place.sql("abbott", "UPDATE Person SET schoolID = 9 WHERE personID = 1")
    place.sql("state", "DELETE FROM Person")
    place.sql("state", 'CREATE UNIQUE INDEX one ON Person ("districtNumber", "schoolID") WHERE "schoolID" = 1')
    assert place.run("run", "-d", "01", "Person", "--ignore-excluded").returncode == 1


def test_at_a_time_the_batch_waits_in_the_queue(place: Place) -> None:
    later = datetime.now(UTC) + timedelta(hours=3)
    done = place.run("run", "-d", "01", "School", "--at", later.isoformat(), "--detach", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert datetime.fromisoformat(document["not_before"]) - later < timedelta(seconds=1)
    assert "not before" in place.run("history").stdout
    assert place.run("agent", "--once").returncode == 0
    assert json.loads(place.run("history", "--json").stdout)[0]["status"] == "queued"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("22:30", "2026-03-01T22:30:00-08:00"),
        ("07:00", "2026-03-02T07:00:00-08:00"),
        ("12:00", "2026-03-02T12:00:00-08:00"),
        ("2026-07-01T02:00", "2026-07-01T02:00:00-07:00"),
        ("2026-07-01T02:00Z", "2026-07-01T02:00:00+00:00"),
    ],
)
def test_a_time_is_the_next_such_time_of_this_host(monkeypatch: pytest.MonkeyPatch, text: str, expected: str) -> None:
    import time

    monkeypatch.setenv("TZ", "America/Los_Angeles")
    time.tzset()
    try:
        assert moment(text, datetime.fromisoformat("2026-03-01T20:00:00+00:00")).isoformat() == expected
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("text", ["soon", "25:00", "2026-02-30T10:00", "2026-02-01T10:00", "7"])
def test_a_time_that_is_none_or_over_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"is no time|is over"):
        moment(text, datetime.fromisoformat("2026-03-01T20:00:00+00:00"))


def test_what_failed_of_a_request_is_asked_for_again(place: Place) -> None:
    place.sql("abbott", "UPDATE District SET number = '77'")
    assert place.run("run", "-d", "01", "-d", "02", "School").returncode == 3
    place.sql("abbott", "UPDATE District SET number = '01'")
    done = place.run("retry", "--request", "1", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["request"], document["district"], document["status"]) == (2, "01", "completed")
    none = place.run("retry", "3")
    assert none.returncode == 2
    assert none.stderr.splitlines()[0] == "Nothing of batch #3 is to be retried"
    both = place.run("retry", "3", "--request", "1")
    assert (both.returncode, both.stderr.splitlines()[0]) == (2, "Name one batch, or one request")


def test_unreachable_district_is_named_and_the_campaign_goes_on(place: Place) -> None:
    place.change("sqlite:///abbott.db", "sqlite:///gone.db")
    process = place.start("run", "--all-districts", "School", "--json")
    assert process.stderr is not None
    assert process.stderr.readline().startswith("District 01: ")
    wait_until(
        lambda: (
            [each["status"] for each in json.loads(place.run("history", "--json").stdout)] == ["completed", "queued"]
        )
    )
    assert "could not be reached" in place.run("history").stdout
    assert place.run("cancel", "--request", "1").returncode == 0
    process.communicate(timeout=DEADLINE)
    assert process.returncode == 4


def test_the_board_says_which_districts_lack_a_full_resync(place: Place) -> None:
    place.change("current = 2026", "current = 2026\nopens = 2025-08-01\ncloses = 2099-06-30")
    assert place.run("run", "-d", "02", "--all", "--yes").returncode == 1
    assert place.run("run", "-d", "01", "School").returncode == 0
    abbott, campus = json.loads(place.run("board", "--json").stdout)
    assert (abbott["district"], abbott["standing"], abbott["full_since_opens"]) == ("01", "done", False)
    assert (campus["last_full"] is not None, campus["full_since_opens"], campus["full_since_closes"]) == (
        True,
        True,
        None,
    )
    text = place.run("board").stdout
    assert "1 district of 2 lack a full resync of 2025-26 since it opened (2025-08-01):\n    01\n" in text
    assert max(map(len, text.splitlines())) <= 80
    rows = list(csv.DictReader(io.StringIO(place.run("board", "--csv").stdout)))
    assert [(row["district"], row["full_since_opens"]) for row in rows] == [("01", "False"), ("02", "True")]
    before = json.loads(place.run("board", "--year", "2025", "--json").stdout)
    assert {(each["standing"], each["full_since_opens"]) for each in before} == {("not yet", None)}


def test_alerts_are_listed_filtered_read_and_deleted(place: Place) -> None:
    assert place.run("run", "-d", "01", "School").returncode == 0
    posted = json.loads(place.run("alerts", "--json").stdout)
    assert {each["process"] for each in posted} == {"Vertical Interoperability"}
    assert "State Resync Requested" in {each["name"] for each in posted}
    assert not any(each["read"] for each in posted)
    first, *_ = [each["alert"] for each in posted]
    listed = json.loads(place.run("alerts", "--read", str(first), "--json").stdout)
    assert [each["read"] for each in listed if each["alert"] == first] == [True]
    assert first not in [each["alert"] for each in json.loads(place.run("alerts", "--unread", "--json").stdout)]
    left = json.loads(place.run("alerts", "--delete", str(first), "--json").stdout)
    assert [each["alert"] for each in left] == [each["alert"] for each in posted[1:]]
    assert json.loads(place.run("alerts", "--process", "Records Transfer", "--json").stdout) == []
    assert json.loads(place.run("alerts", "--until", "2020-01-01", "--json").stdout) == []
    text = place.run("alerts", "--since", "2020-01-01").stdout
    assert [text.splitlines()[0].index(each) for each in ("Process", "Name", "Posted Date", "Due Date")] == [
        8,
        34,
        57,
        69,
    ]
    assert "State Resync Requested" in text
    assert max(map(len, text.splitlines())) <= 80
    gone = place.run("alerts", "--read", str(first))
    assert (gone.returncode, gone.stderr.splitlines()[0]) == (2, f"There is no alert {first}")


SCHEDULE = """[[schedule]]
name = "weekly"
cron = "0 2 * * 0"
timezone = "America/Los_Angeles"
[[district]]"""


def test_schedules_are_listed_with_their_next_run(place: Place) -> None:
    assert json.loads(place.run("schedule", "--json").stdout) == []
    place.change("[[district]]", f'[engine]\nwindow = "22:00-22:01"\n{SCHEDULE}')
    (weekly,) = json.loads(place.run("schedule", "--json").stdout)
    assert (weekly["name"], weekly["districts"], weekly["objects"]) == ("weekly", "*", "*")
    fires, starts = (datetime.fromisoformat(weekly[name]) for name in ("next_run", "starts"))
    assert datetime.now(UTC) < fires <= datetime.now(UTC) + timedelta(days=7, hours=1)
    assert fires.minute == 0
    assert (starts.astimezone().hour, starts.astimezone().minute) == (22, 0)
    assert (weekly["last_run"], weekly["request"]) == (None, None)
    _, line, last, nobody = place.run("schedule").stdout.splitlines()
    assert line.startswith("weekly")
    assert "with the window" in line
    assert last.strip() == "last run: never"
    assert nobody == "No service is there to fire schedules. Start one that stays: resync-tui agent"
