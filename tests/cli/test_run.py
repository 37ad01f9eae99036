"""`run` to its end with a real agent, and the commands that look back on it."""

import json
import os
import pty
import signal
from datetime import datetime

import pytest

from tests.support.place import Place, read_until
from tests.support.waiting import DEADLINE, wait_until


def test_run_sends_waits_and_accounts_for_every_record(place: Place) -> None:
    done = place.run("run", "-d", "02", "-d", "01", "Person", "--json")
    assert done.returncode == 1, done.stderr
    second, first = [json.loads(line) for line in done.stdout.splitlines()]
    assert (second["district"], first["district"]) == ("02", "01")
    assert first["request"] == second["request"]
    assert {key: first[key] for key in ("year", "initiator", "status", "color", "attempts")} == {
        "year": 2026,
        "initiator": "state",
        "status": "completed",
        "color": "red",
        "attempts": 1,
    }
    person = dict(first["objects"][2])
    assert datetime.fromisoformat(person.pop("started")) <= datetime.fromisoformat(person.pop("finished"))
    assert person == {
        "object": "Person",
        "sequence": 3,
        "status": "completed",
        "processed": 10,
        "errors": 2,
        "inserted": 8,
        "updated": 0,
        "unchanged": 0,
        "excluded": 2,
        "rejected": 0,
        "blocked": 0,
        "extra": 0,
        "color": "red",
    }
    assert place.sql("state", 'SELECT "districtNumber", count(*) FROM "Person" GROUP BY 1') == [("01", 8), ("02", 8)]
    _look_back(place, first, second)


def _look_back(place: Place, first: dict[str, object], second: dict[str, object]) -> None:
    """History, errors and the checklist tell the same as `run` did."""
    history = json.loads(place.run("history", "--json").stdout)
    assert history == sorted([first, second], key=lambda each: -int(str(each["batch"])))
    assert json.loads(place.run("history", "-d", "01", "--json").stdout) == [first]
    assert json.loads(place.run("history", "--batch", str(second["batch"]), "--json").stdout) == [second]
    refused = json.loads(place.run("errors", str(first["batch"]), "--object", "person", "--json").stdout)
    assert [(each["key"], each["kind"], each["reason"]) for each in refused] == [
        ({"personID": 9}, "excluded", "State-excluded person"),
        ({"personID": 10}, "excluded", "State-excluded person"),
    ]
    assert json.loads(place.run("errors", str(first["batch"]), "--object", "School", "--json").stdout) == []
    listed = {each["object"]: each for each in json.loads(place.run("objects", "--json").stdout)}
    assert (listed["Person"]["processed"], listed["Person"]["errors"], listed["Person"]["color"]) == (10, 2, "red")
    assert listed["School"]["color"] == "green"
    text = place.run("errors", str(first["batch"])).stdout.splitlines()
    assert text == ["Person, Person: 2 records excluded: State-excluded person", "    personID 9", "    personID 10"]
    one = place.run("history", "--batch", str(first["batch"])).stdout.splitlines()
    assert "2 errors: 2 excluded, 0 rejected, 0 blocked" in one
    assert "red 20" in one[-1]


STRICT = """
DROP TABLE "Person";
CREATE TABLE "Person" ("districtNumber" TEXT, "personID" INTEGER CHECK ("personID" < 20), "schoolID" INTEGER NOT NULL,
                       "stateExclude" BOOLEAN NOT NULL DEFAULT 0, PRIMARY KEY ("districtNumber", "personID"));
"""
"""A state that takes no person from number 20 on."""


def test_what_is_new_since_the_run_before_is_told(place: Place) -> None:
    """Excluded records stand apart from failures, in the result and reason by reason."""
    place.sql("state", STRICT)
    first = place.run("run", "-d", "01", "--all", "--yes").stdout
    assert "Against the run before" not in first
    place.sql("abbott", "UPDATE Person SET stateExclude = 1 WHERE personID = 8;")
    place.sql("abbott", "INSERT INTO Person VALUES (20, 1, 0);")
    second = place.run("run", "-d", "01", "--all", "--yes").stdout
    assert "Against the run before: failures +1, excluded +1" in second.splitlines()
    assert "Against the run before: failures +1, excluded +1" in place.run("history", "--batch", "2").stdout
    told = place.run("errors", "2").stdout.splitlines()
    assert "Person, Person: 3 records excluded: State-excluded person (+1 since batch #1)" in told
    assert [line for line in told if line.startswith("    ")] == [
        "    personID 8  new", "    personID 9", "    personID 10", "    personID 20  new",
    ]  # fmt: skip
    assert sum("(new since batch #1)" in line for line in told) == 1
    place.run("run", "-d", "01", "--all", "--yes")
    again = place.run("errors", "3").stdout
    assert again.count("(as in batch #2)") == 2
    assert "new" not in again


def test_success_exits_with_0_and_a_second_run_changes_nothing(place: Place) -> None:
    first = place.run("run", "-d", "01", "School", "--json")
    assert first.returncode == 0, first.stderr
    again = json.loads(place.run("run", "-d", "01", "School", "--json").stdout)
    assert [(each["inserted"], each["unchanged"]) for each in again["objects"]] == [(0, 1), (0, 1)]


def test_previous_year_is_sent_viewed_and_remembered_separately(place: Place) -> None:
    place.change('name = "Abbott"', 'name = "Abbott"\nprevious = ["Person"]')
    done = place.run("run", "-d", "01", "--all", "--year", "2025", "--json")
    assert done.returncode == 1, done.stderr
    document = json.loads(done.stdout)
    assert (document["year"], [each["object"] for each in document["objects"]]) == (2025, ["Person"])
    (previous,) = json.loads(place.run("objects", "--year", "2025", "--json").stdout)
    assert (previous["object"], previous["processed"]) == ("Person", 10)
    assert {each["last_resync"] for each in json.loads(place.run("objects", "--json").stdout)} == {None}
    assert "2024-25" in place.run("history").stdout
    assert place.run("verify", "-d", "01", "Person", "--year", "2025").returncode == 0
    neither = place.run("run", "--all-districts", "Person", "--year", "2025")
    assert neither.returncode == 2
    assert "District 02 is not configured" in neither.stderr


def test_all_districts_lacking_a_year_are_named_before_queueing(place: Place) -> None:
    place.change('name = "Abbott"', 'name = "Abbott"\nprevious = ["Person"]')
    place.change("current = 2026", "current = 2027")
    both = place.run("run", "-d", "01", "-d", "02", "Person", "--year", "2025")
    assert both.returncode == 2
    assert "Districts 01, 02 are not configured for the school year 2024-25" in both.stderr
    lacking = place.run("run", "-d", "02", "-d", "01", "School", "--year", "2026")
    assert lacking.returncode == 2
    assert "District 02 is not configured for the school year 2025-26" in lacking.stderr
    assert "District 01 is not configured for School in the school year 2025-26" in lacking.stderr
    assert json.loads(place.run("history", "--json").stdout) == []


def test_retry_is_refused_where_its_year_is_no_longer_configured(place: Place) -> None:
    place.change('name = "Abbott"', 'name = "Abbott"\nprevious = ["Person"]')
    place.sql("abbott", "UPDATE District SET number = '77'")
    assert place.run("run", "-d", "01", "Person", "--year", "2025").returncode == 3
    place.change('previous = ["Person"]', "")
    again = place.run("retry", "1")
    assert again.returncode == 2
    assert "District 01 is not configured for the school year 2024-25" in again.stderr
    assert len(json.loads(place.run("history", "--json").stdout)) == 1


def test_wrong_district_exits_with_3_and_writes_nothing(place: Place) -> None:
    place.sql("abbott", "UPDATE District SET number = '77'")
    done = place.run("run", "-d", "01", "-d", "02", "Person", "--json")
    assert done.returncode == 3
    wrong, right = [json.loads(line) for line in done.stdout.splitlines()]
    assert (wrong["status"], right["status"]) == ("failed", "completed")
    what, do = done.stderr.splitlines()
    assert what.startswith("Batch #1 of district 01 failed: ")
    assert "77" in what
    assert do.endswith("resync-tui history --batch 1")
    assert place.sql("state", 'SELECT DISTINCT "districtNumber" FROM "Person"') == [("02",)]


def test_detach_answers_at_once_and_agent_once_does_the_work(place: Place) -> None:
    place.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    done = place.run("run", "-d", "02", "School", "--detach", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["status"] == "queued"
    assert "resync-tui agent --config" in done.stderr
    os.environ["ABBOTT_URL"] = "sqlite:///abbott.db"
    try:
        assert place.run("agent", "--once").returncode == 0
    finally:
        del os.environ["ABBOTT_URL"]
    assert json.loads(place.run("history", "--json").stdout)[0]["status"] == "completed"


def test_waiting_run_exits_with_4_when_its_batches_are_cancelled(place: Place) -> None:
    place.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    waiting = place.start("run", "-d", "02", "-d", "01", "School", "--json")
    wait_until(lambda: len(json.loads(place.run("history", "--json").stdout)) == 2)
    assert place.run("cancel", "--request", "1").returncode == 0
    out, err = waiting.communicate(timeout=DEADLINE)
    assert waiting.returncode == 4
    assert "Batch #1 of district 02 was cancelled by " in err
    assert [json.loads(line)["status"] for line in out.splitlines()] == ["cancelled", "cancelled"]
    assert place.run("cancel", "1").returncode == 2
    assert place.run("cancel", "--request", "1").returncode == 2


def test_ctrl_c_detaches_and_the_batch_stays(place: Place) -> None:
    place.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    waiting = place.start("run", "-d", "02", "School")
    assert waiting.stderr is not None
    assert "No agent" in waiting.stderr.readline()
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=DEADLINE)
    assert waiting.returncode == 130
    assert "resync-tui history --batch 1" in err
    assert "Traceback" not in err
    assert json.loads(place.run("history", "--json").stdout)[0]["status"] == "queued"


@pytest.mark.parametrize(("answer", "code", "batches"), [("n\n", 4, 0), ("y\n", 0, 1)])
def test_a_terminal_is_asked_with_the_plan_before_its_eyes(place: Place, answer: str, code: int, batches: int) -> None:
    terminal, theirs = pty.openpty()
    process = place.start("run", "-d", "01", "School", stdin=theirs, stderr=theirs)
    os.close(theirs)
    shown = read_until(terminal, "[y/N]")
    assert "1. District" in shown
    assert "2. School" in shown
    os.write(terminal, answer.encode())
    assert process.stdout is not None
    with process.stdout:
        process.stdout.read()
    assert process.wait(DEADLINE) == code
    os.close(terminal)
    assert len(json.loads(place.run("history", "--json").stdout)) == batches
