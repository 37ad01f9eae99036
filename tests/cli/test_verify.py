"""`verify` compares and changes nothing; `remove-extra` removes what only the state has, after a preview."""

import json
import os
import pty
import signal
import subprocess
from typing import Any

import pytest

from tests.support.place import Place, read_until
from tests.support.waiting import DEADLINE


def verified(place: Place, *arguments: str) -> tuple[int, dict[str, dict[str, Any]]]:
    """Compare, and return the exit code and what is said of each object."""
    done = place.run("verify", "-d", "01", *arguments, "--json")
    assert done.returncode in (0, 1), done.stderr
    return done.returncode, {each["object"]: each for each in json.loads(done.stdout)["objects"]}


def dump(place: Place) -> list[object]:
    return [place.sql("state", f"SELECT * FROM {table} ORDER BY 1, 2") for table in ("District", "School", "Person")]


def test_an_empty_state_lacks_all_that_may_sync_and_stays_empty(place: Place) -> None:
    code, found = verified(place, "Person")
    assert code == 1
    numbers = ("processed", "matched", "different", "missing", "expected", "extra", "moved")
    assert {name: [each[number] for number in numbers] for name, each in found.items()} == {
        "District": [1, 0, 0, 1, 0, 0, 0],
        "School": [1, 0, 0, 1, 0, 0, 0],
        "Person": [10, 0, 0, 8, 2, 0, 0],
    }
    assert dump(place) == [[], [], []]


def test_missing_records_that_may_not_sync_are_no_difference(sent: Place) -> None:
    code, found = verified(sent, "--all")
    assert code == 0
    assert (found["Person"]["matched"], found["Person"]["missing"], found["Person"]["expected"]) == (8, 0, 2)
    text = sent.run("verify", "-d", "01", "--all").stdout
    assert "No resync is needed" in text
    assert "2 records may not sync by the catalog's rules, as expected" in text


def test_differences_are_counted_and_named_but_not_changed(sent: Place) -> None:
    sent.sql(
        "state",
        """DELETE FROM Person WHERE districtNumber = '01' AND personID IN (1, 2);
        UPDATE School SET name = 'B' WHERE districtNumber = '01'; INSERT INTO Person VALUES ('01', 77, 1, 0);""",
    )
    before = dump(sent)
    done = sent.run("verify", "-d", "01", "--all", "--keys", "--json")
    assert done.returncode == 1
    document = json.loads(done.stdout)
    person = document["objects"][2]
    assert [person[name] for name in ("matched", "different", "missing", "extra")] == [6, 0, 2, 1]
    assert document["objects"][1]["different"] == 1
    assert sorted((each["finding"], *each["key"].values()) for each in document["keys"]) == [
        ("different", 1),
        ("extra", 77),
        ("missing", 1),
        ("missing", 2),
    ]
    text = sent.run("verify", "-d", "01", "--all", "--keys").stdout.splitlines()
    assert "extra: Person personID 77" in text
    assert "A resync is needed: it would send 3 records." in text
    assert max(map(len, text)) <= 80
    assert dump(sent) == before


def test_a_regional_edition_says_region(sent: Place) -> None:
    sent.change("[state]\n", '[state]\nkind = "regional"\n')
    assert "No resync is needed: the region has all" in sent.run("verify", "-d", "01", "--all").stdout
    assert "the region has all" in sent.run("history", "--batch", "3").stdout
    nothing = sent.run("remove-extra", "-d", "01", "--all", "--yes").stdout
    assert nothing == "No extra records: the district has all that the region has.\n"


def test_a_comparison_is_in_history_but_not_in_the_checklist(place: Place) -> None:
    verified(place, "School")
    (batch,) = json.loads(place.run("history", "--json").stdout)
    assert batch["purpose"] == "verify"
    listed = place.run("history").stdout.splitlines()
    assert listed[1].endswith(" completed, for: verify")
    assert "A resync is needed: it would send 2 records." in place.run("history", "--batch", "1").stdout
    assert {each["last_resync"] for each in json.loads(place.run("objects", "--json").stdout)} == {None}


def test_what_cannot_be_compared_is_exit_code_three(place: Place) -> None:
    place.sql("state", 'DROP TABLE "School"')
    done = place.run("verify", "-d", "01", "School")
    assert done.returncode == 3
    assert "The state has no table School" in done.stderr
    assert len(done.stderr.splitlines()) == 2


@pytest.fixture
def with_extra(sent: Place) -> Place:
    """Both districts have been sent; the state has a person of each more, one in nine, and one in five may go."""
    sent.change("[[district]]", "[engine]\nextra_share = 0.2\n[[district]]")
    sent.sql("state", "INSERT INTO Person VALUES ('01', 77, 1, 0), ('02', 77, 1, 0);")
    return sent


def persons(place: Place, district: str) -> list[tuple[object, ...]]:
    return place.sql("state", f"SELECT personID FROM Person WHERE districtNumber = '{district}' AND personID > 8")


def test_yes_removes_the_extra_records_of_that_district_alone(with_extra: Place) -> None:
    done = with_extra.run("remove-extra", "-d", "01", "Person", "--yes", "--json")
    assert done.returncode == 0, done.stderr
    (person,) = json.loads(done.stdout)["objects"]
    assert (person["object"], person["extra"], person["removed"], person["errors"]) == ("Person", 1, 1, 0)
    assert "Person, Person: 1 extra record" in done.stderr
    assert "personID 77" in done.stderr
    assert (persons(with_extra, "01"), persons(with_extra, "02")) == ([], [(77,)])
    again = with_extra.run("remove-extra", "-d", "01", "--all", "--yes")
    assert (again.returncode, again.stdout) == (0, "No extra records: the district has all that the state has.\n")


def test_without_a_terminal_and_yes_nothing_is_even_compared(with_extra: Place) -> None:
    before = with_extra.run("history", "--json").stdout
    done = with_extra.run("remove-extra", "-d", "01", "Person")
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 2
    assert with_extra.run("history", "--json").stdout == before


@pytest.mark.parametrize(
    ("typed", "code", "left"),
    [("y", 4, [(77,)]), ("", 4, [(77,)]), ("02", 4, [(77,)]), ("01", 0, []), ("abbott", 0, [])],
)
def test_on_a_terminal_the_district_is_typed_out(
    with_extra: Place, typed: str, code: int, left: list[tuple[object, ...]]
) -> None:
    terminal, theirs = pty.openpty()
    process = with_extra.start("remove-extra", "-d", "01", "Person", stdin=theirs, stderr=theirs)
    os.close(theirs)
    read_until(terminal, "type 01 or Abbott")
    os.write(terminal, f"{typed}\n".encode())
    assert process.stdout is not None
    with process.stdout:
        assert "personID 77" in process.stdout.read()
    assert process.wait(DEADLINE) == code
    os.close(terminal)
    assert persons(with_extra, "01") == left


def test_what_was_typed_before_the_question_removes_nothing(with_extra: Place) -> None:
    terminal, theirs = pty.openpty()
    os.write(terminal, b"01\n")
    process = with_extra.start("remove-extra", "-d", "01", "Person", stdin=theirs, stderr=theirs)
    os.close(theirs)
    read_until(terminal, "type 01 or Abbott")
    os.write(terminal, b"\n")
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(DEADLINE) == 4
    os.close(terminal)
    assert persons(with_extra, "01") == [(77,)]


@pytest.mark.parametrize(
    ("database", "statements"),
    [("state", "INSERT INTO Person VALUES ('01', 78, 1, 0), ('01', 79, 1, 0);"), ("abbott", "DELETE FROM Person")],
)
def test_yes_lifts_no_guard(with_extra: Place, database: str, statements: str) -> None:
    """Too large a share would go, or the district has nothing at all."""
    with_extra.sql(database, statements)
    before = dump(with_extra)
    done = with_extra.run("remove-extra", "-d", "01", "Person", "--yes")
    assert done.returncode == 3
    assert "removed" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert dump(with_extra) == before


def test_more_extra_records_than_were_shown_are_shown_and_stay(with_extra: Place) -> None:
    with_extra.change("extra_share = 0.2", "extra_share = 0.5")
    terminal, theirs = pty.openpty()
    process = with_extra.start("remove-extra", "-d", "01", "Person", stdin=theirs, stderr=theirs)
    os.close(theirs)
    read_until(terminal, "type 01 or Abbott")
    with_extra.sql("state", "INSERT INTO Person VALUES ('01', 78, 1, 0)")
    os.write(terminal, b"01\n")
    told = read_until(terminal, "that the preview did not show (1 of Person)")
    assert "personID 78" in told
    assert process.stdout is not None
    process.stdout.close()
    assert process.wait(DEADLINE) == 3
    os.close(terminal)
    assert persons(with_extra, "01") == [(77,), (78,)]


def test_the_preview_stands_in_history(with_extra: Place) -> None:
    done = with_extra.run("remove-extra", "-d", "01", "Person", "--yes")
    removal, preview = json.loads(with_extra.run("history", "-d", "01", "--json").stdout)[:2]
    assert (preview["purpose"], removal["purpose"], removal["preview"]) == ("verify", "remove-extra", preview["batch"])
    assert f"Only what batch #{preview['batch']} shows may go." in done.stdout
    history = with_extra.run("history", "--batch", str(removal["batch"])).stdout
    assert f"for: remove-extra of what batch #{preview['batch']} showed" in history


def test_exceeding_extra_share_is_previewed_and_nobody_is_asked(with_extra: Place) -> None:
    with_extra.sql("state", "INSERT INTO Person VALUES ('01', 78, 1, 0), ('01', 79, 1, 0);")
    before = dump(with_extra)
    terminal, theirs = pty.openpty()
    process = with_extra.start("remove-extra", "-d", "01", "Person", stdin=theirs, stderr=theirs)
    os.close(theirs)
    assert process.stdout is not None
    with process.stdout:
        preview = process.stdout.read()
    assert process.wait(DEADLINE) == 3
    told = read_until(terminal, "[engine] extra_share")
    os.close(terminal)
    assert "Person: too many to remove: 3 of at most 13 are over 20% ([engine] extra_share)" in preview
    assert "Nothing was removed" in told
    assert "type 01" not in told
    assert dump(with_extra) == before
    assert [each["purpose"] for each in json.loads(with_extra.run("history", "-d", "01", "--json").stdout)[:-1]] == [
        "verify"
    ]


def test_object_over_extra_share_blocks_removal_of_the_others(with_extra: Place) -> None:
    with_extra.sql("state", "INSERT INTO School VALUES ('01', 5, '01', 'Extra')")
    done = with_extra.run("remove-extra", "-d", "01", "--all", "--yes")
    assert done.returncode == 3
    assert "School: too many to remove: 1 of at most 2 are over 20% ([engine] extra_share)" in done.stdout
    assert done.stderr.splitlines()[0] == "Nothing was removed: too many would go of School"
    assert persons(with_extra, "01") == [(77,)]
    assert with_extra.run("remove-extra", "-d", "01", "Person", "--yes").returncode == 0
    assert persons(with_extra, "01") == []


def test_keyless_records_are_named_by_place_and_never_removed(with_extra: Place) -> None:
    with_extra.sql(
        "state",
        """CREATE TABLE Copy AS SELECT * FROM Person; DROP TABLE Person; ALTER TABLE Copy RENAME TO Person;
        DELETE FROM Person WHERE districtNumber = '01' AND personID = 2;""",
    )
    before = with_extra.sql("state", "SELECT * FROM Person")
    text = with_extra.run("verify", "-d", "01", "Person", "--keys").stdout.splitlines()
    assert "missing: Person record 2" in text
    assert not [line for line in text if line.startswith("extra:")]
    number = json.loads(with_extra.run("history", "--json").stdout)[0]["batch"]
    refused = json.loads(with_extra.run("errors", str(number), "--json").stdout)
    assert [each["key"] for each in refused] == [{"record": 9}, {"record": 10}]
    assert "record 9" in with_extra.run("errors", str(number)).stdout

    done = with_extra.run("remove-extra", "-d", "01", "Person", "--yes")
    assert done.returncode == 3
    assert done.stdout.splitlines() == [
        "Person, Person: 1 extra record",
        "    the keys of 1 are not known",
        f"Only what batch #{number + 1} shows may go.",
    ]
    assert "Person has no key to tell which of its records are extra: nothing was removed" in done.stderr
    assert len(done.stderr.splitlines()) == 2
    assert with_extra.sql("state", "SELECT * FROM Person") == before


def without_agent(place: Place, *arguments: str) -> "subprocess.Popen[str]":
    """Start a command that waits for an agent which nobody starts, as the district's URL cannot be read here."""
    waiting = place.start(*arguments)
    await_no_agent(waiting)
    return waiting


def await_no_agent(waiting: "subprocess.Popen[str]") -> None:
    assert waiting.stderr is not None
    while "No agent is alive" not in (line := waiting.stderr.readline()):
        assert line, "it has ended"


def interrupted(waiting: "subprocess.Popen[str]") -> str:
    """Press Ctrl-C, and return what is said then."""
    waiting.send_signal(signal.SIGINT)
    _, err = waiting.communicate(timeout=DEADLINE)
    assert waiting.returncode == 130
    assert "Traceback" not in err
    return err


def purposes(place: Place) -> list[tuple[str, str]]:
    """Return what the batches were for, newest first, and where they stand."""
    listed = json.loads(place.run("history", "--json").stdout)
    return [(each.get("purpose", "resync"), each["status"]) for each in listed]


def let_an_agent_in(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setenv("ABBOTT_URL", "sqlite:///abbott.db")
        assert place.run("agent", "--once").returncode == 0


def test_ctrl_c_leaves_a_comparison_to_its_agent(sent: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    sent.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    err = interrupted(without_agent(sent, "verify", "-d", "01", "--all"))
    assert "Detached; the comparison goes on. See: resync-tui history --batch 3" in err
    assert purposes(sent)[0] == ("verify", "queued")
    let_an_agent_in(sent, monkeypatch)
    assert "No resync is needed" in sent.run("history", "--batch", "3").stdout


def test_ctrl_c_before_the_question_removes_nothing(with_extra: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with_extra.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    err = interrupted(without_agent(with_extra, "remove-extra", "-d", "01", "Person", "--yes"))
    assert "Detached; the comparison goes on, and nothing is removed." in err
    let_an_agent_in(with_extra, monkeypatch)
    assert purposes(with_extra)[0] == ("verify", "completed")
    assert persons(with_extra, "01") == [(77,)]


def test_ctrl_c_leaves_a_removal_to_its_agent(with_extra: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    with_extra.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    waiting = without_agent(with_extra, "remove-extra", "-d", "01", "Person", "--yes")
    waiting.send_signal(signal.SIGSTOP)
    let_an_agent_in(with_extra, monkeypatch)
    waiting.send_signal(signal.SIGCONT)
    await_no_agent(waiting)
    err = interrupted(waiting)
    assert "Detached; the removal goes on. See: resync-tui history --batch 4; stop: resync-tui cancel 4" in err
    assert purposes(with_extra)[:2] == [("remove-extra", "queued"), ("verify", "completed")]
    let_an_agent_in(with_extra, monkeypatch)
    assert persons(with_extra, "01") == []


def test_what_moved_to_another_year_is_named_in_words_and_json(place: Place) -> None:
    tied = 'parents = ["District"]\nschool_year = true\n'
    (place.folder / "objects.toml").write_text(
        f"""name = "Years"\ntenant_column = "districtNumber"\nidentity = "District.number"\nyear = "Term.year"
[[object]]\nname = "District"\ntables = ["District"]
[[object]]\nname = "Term"\ntables = ["Term"]\n{tied}
[[object]]\nname = "Visit"\ntables = ["Visit"]\n{tied.replace("District", "Term")}"""
    )
    place.sql(
        "abbott",
        """CREATE TABLE Term (id INTEGER PRIMARY KEY, year INTEGER);
        CREATE TABLE Visit (id INTEGER PRIMARY KEY, term INTEGER REFERENCES Term (id));
        INSERT INTO Term VALUES (1, 2026), (2, 2025); INSERT INTO Visit VALUES (1, 1), (2, 1);""",
    )
    assert place.run("state", "init", "-d", "01").returncode == 0
    assert place.run("run", "-d", "01", "--all", "--yes").returncode == 0
    place.sql("abbott", "UPDATE Visit SET term = 2 WHERE id = 2;")
    code, found = verified(place, "--all")
    assert (code, found["Visit"]["moved"], found["Term"]["moved"]) == (1, 1, 0)
    done = place.run("verify", "-d", "01", "--all", "--keys")
    assert done.returncode == 1
    assert "    1 record of Visit moved to 2024-25\n" in done.stdout
    assert "moved: Visit id 2\n" in done.stdout
    last = "1 record of the state moved to another school year: send that year.\n"
    assert done.stdout.endswith(last)
    assert place.run("history", "--batch", "3").stdout.endswith(last)
