"""Doctor: every problem with what to do about it, and exit codes that scripts can use."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from resync_tui.agent.start import logout_hint
from tests.support.place import DISTRICT, Place


def problems(place: Place) -> dict[str, str]:
    done = place.run("doctor", "--json")
    assert done.stderr == ""
    document = json.loads(done.stdout)
    assert set(document) == {"agents", "problems", "checks"}
    told = [{"what": each["what"], "do": each["do"]} for each in document["checks"] if each["state"] == "problem"]
    assert document["problems"] == told
    return {each["what"]: each["do"] for each in document["problems"]}


def test_a_sound_set_up_has_no_problem(place: Place) -> None:
    done = place.run("doctor", "--json")
    document = json.loads(done.stdout)
    assert (done.returncode, document["agents"], document["problems"]) == (0, [], [])


@pytest.mark.parametrize(
    ("database", "statement", "what"),
    [
        ("abbott", "UPDATE District SET number = '02'", "District 01 is another one: its District.number says 02"),
        ("abbott", 'DROP TABLE "Person"', "District 01 has no table Person"),
        (
            "abbott",
            'PRAGMA foreign_keys = OFF; DROP TABLE "School";',
            "District 01 has no table School",
        ),
        (
            "abbott",
            'ALTER TABLE "School" ADD COLUMN "zoneID" INTEGER REFERENCES "Zone" ("zoneID")',
            "School of School points to Zone, a table that is not there",
        ),
        ("state", 'DROP TABLE "Person"', "The state has no table Person"),
        ("state", 'ALTER TABLE "School" DROP COLUMN "name"', "The state's table School has no column name"),
        (
            "abbott",
            'ALTER TABLE "School" ADD COLUMN "headID" INTEGER REFERENCES "Person"',
            "School of School points to Person of Person, on which School does not depend",
        ),
    ],
)
def test_what_does_not_fit_is_named(place: Place, database: str, statement: str, what: str) -> None:
    place.sql(database, statement)
    assert problems(place).pop(what)
    done = place.run("doctor")
    assert done.returncode == 3
    assert what in done.stdout


def test_columns_that_the_district_has_no_more_are_named(place: Place) -> None:
    place.sql("state", 'ALTER TABLE "School" ADD COLUMN "zone" TEXT NOT NULL DEFAULT 0')
    what = "School.zone of the state is no longer fed: district {} has no such column".format
    todo = "Drop it there, or list it in state_owned or ignore_columns of School."
    assert problems(place) == {what("01"): todo, what("02"): todo}
    done = place.run("doctor")
    assert done.returncode == 1


def test_keys_that_act_on_a_removal_are_named(place: Place) -> None:
    place.sql(
        "state",
        """CREATE TABLE award (number INTEGER PRIMARY KEY, districtNumber TEXT, person INTEGER,
        FOREIGN KEY (districtNumber, person) REFERENCES PERSON ON DELETE CASCADE);""",
    )
    (told,) = problems(place)
    assert told == "Deleting from the state changes other records: award (districtNumber, person) ON DELETE CASCADE"


def test_a_bad_condition_is_named_with_its_object(place: Place) -> None:
    catalog = place.folder / "objects.toml"
    catalog.write_text(catalog.read_text().replace('t."stateExclude"', 't."stateExcluded"'))
    (what,) = problems(place)
    assert what.startswith("Rule excluded of Person is not valid SQL: ")
    assert place.run("doctor").returncode == 3


def test_due_mandatory_resync_is_named_until_it_has_completed(place: Place) -> None:
    place.change("current = 2026", "current = 2026\nopens = 2025-08-01")
    done = place.run("doctor", "--json")
    assert done.returncode == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["what"] == (
        "Start of school year: 2 districts of 2 without a full resync since 2025-08-01: 01 (never), 02 (never)"
    )
    assert 'run --all-districts --all --reason "Start of school year"' in problem["do"]
    assert place.run("run", "--all-districts", "--all", "--yes").returncode == 1
    assert problems(place) == {}


def test_a_schedule_outside_the_window_is_named(place: Place) -> None:
    place.change(
        "[[district]]",
        '[engine]\nwindow = "01:00-01:01"\n[[schedule]]\nname = "weekly"\ncron = "30 12 * * 0"\n[[district]]',
    )
    unserved, what = problems(place)
    assert unserved.endswith(", but no service is there to fire it")
    assert what.startswith("Schedule weekly fires next at ")
    assert "outside [engine] window 01:00-01:01" in what


def test_one_bad_district_does_not_hide_another(place: Place) -> None:
    (place.folder / "abbott.db").unlink()
    place.sql("campus", "UPDATE District SET number = '03'")
    assert [each.split(" (")[0] for each in problems(place)] == [
        "Cannot open district 01",
        "District 02 is another one: its District.number says 03",
    ]


def test_an_empty_state_is_one_problem(place: Place) -> None:
    (place.folder / "state.db").write_bytes(b"")
    assert problems(place) == {"The state has none of the tables": "Create them: resync-tui state init -d 01"}


def test_a_type_that_does_not_fit_is_named(place: Place) -> None:
    place.sql("abbott", 'DROP TABLE "Person"; CREATE TABLE "Person" ("personID" TEXT PRIMARY KEY, "schoolID" INTEGER);')
    assert any("personID" in what and "district 01" in what.lower() for what in problems(place))


def test_unreadable_config_is_reported_as_a_problem(place: Place) -> None:
    place.change("current = 2026", "curent = 2026")
    done = place.run("doctor", "--json")
    assert done.returncode == 2
    assert "the nearest is current" in json.loads(done.stdout)["problems"][0]["what"]


def test_a_missing_secret_is_named_and_the_rest_examined(place: Place) -> None:
    place.change("sqlite:///abbott.db", "postgresql://resync:${ABBOTT_PASSWORD}@abbott/campus")
    (what,) = problems(place)
    assert what.endswith("The url of district 01 needs the environment variable ABBOTT_PASSWORD, which is not set")


def test_connection_problems_are_told_without_the_password(place: Place, database: Callable[[str], str]) -> None:
    parts = urlsplit(database("postgresql"))
    wrong = parts._replace(netloc=f"{parts.username}:hunter2@{parts.hostname}:{parts.port}").geturl()
    place.change("sqlite:///abbott.db", wrong)
    place.change("sqlite:///campus.db", "postgresql://resync:hunter2@127.0.0.1:1/campus")
    found = problems(place)
    assert [each.split(" (")[0] for each in found] == ["Login refused by district 01", "Cannot reach district 02"]
    assert "hunter2" not in str(found)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_the_control_file_of_another_user_is_refused(place: Place) -> None:
    assert place.run("history").returncode == 0
    os.chown(place.folder / "control.db", 65534, 65534)
    for arguments in (["objects"], ["history"], ["run", "-d", "01", "--all", "--yes"], ["cancel", "1"], ["agent"]):
        done = place.run(*arguments)
        assert done.returncode == 5
        assert "belongs to" in done.stderr
        assert len(done.stderr.splitlines()) == 2
    done = place.run("doctor")
    assert done.returncode == 5
    assert "belongs to" in done.stdout


def test_who_is_asking_is_not_taken_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    from resync_tui.processes import user_name

    before = user_name()
    for name in ("USER", "LOGNAME", "LNAME", "USERNAME"):
        monkeypatch.setenv(name, "superintendent")
    assert user_name() == before != "superintendent"


@pytest.mark.parametrize(
    ("files", "hinted"),
    [
        ({}, False),
        ({"etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n"}, True),
        ({"etc/systemd/logind.conf": "[Login]\n#KillUserProcesses=yes\n"}, False),
        (
            {
                "etc/systemd/logind.conf": "[Login]\nKillUserProcesses=yes\n",
                "etc/systemd/logind.conf.d/50-keep.conf": "[Login]\nKillUserProcesses = no\n",
            },
            False,
        ),
        ({"usr/lib/systemd/logind.conf": "KillUserProcesses=1", "var/lib/systemd/linger/jdoe": ""}, False),
    ],
)
def test_a_logout_that_would_end_the_agent_is_foretold(tmp_path: Path, files: dict[str, str], hinted: bool) -> None:
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    assert (logout_hint(tmp_path, "jdoe") is not None) == hinted


def test_a_tenant_column_that_does_not_hold_the_id_is_named(place: Place) -> None:
    keyed = '"schoolID" INTEGER, "number" TEXT, "name" TEXT, PRIMARY KEY ("districtNumber", "schoolID")'
    place.sql("state", f'DROP TABLE "School"; CREATE TABLE "School" ("districtNumber" INTEGER, {keyed});')
    assert set(problems(place)) == {
        f"School.districtNumber is INTEGER in the state: it does not hold the id {each}" for each in ("01", "02")
    }


def test_ids_that_the_state_takes_for_one_are_named(place: Place) -> None:
    place.change('id = "01"', 'id = "a1"')
    place.change('id = "02"', 'id = "A1"')
    place.sql("abbott", "UPDATE District SET number = 'a1'; UPDATE School SET number = 'a1';")
    place.sql("campus", "UPDATE District SET number = 'A1'; UPDATE School SET number = 'A1';")
    keyed = '"schoolID" INTEGER, "number" TEXT, "name" TEXT, PRIMARY KEY ("districtNumber", "schoolID")'
    place.sql("state", f'DROP TABLE "School"; CREATE TABLE "School" ("districtNumber" TEXT COLLATE NOCASE, {keyed});')
    told = "School.districtNumber of the state takes the ids a1 and A1 for one"
    assert set(problems(place)) == {told}
    done = place.run("run", "-d", "a1", "School", "--yes")
    assert done.returncode == 3
    assert told in done.stdout + done.stderr


def without_tenant_column(place: Place) -> None:
    """Make Abbott's database what the state is: without a tenant's column."""
    (place.folder / "state.db").unlink()
    place.sql("state", DISTRICT)
    catalog = place.folder / "objects.toml"
    catalog.write_text(catalog.read_text().replace('tenant_column = "districtNumber"\n', ""))


def test_two_districts_without_tenant_column_are_refused_by_all(place: Place) -> None:
    without_tenant_column(place)
    for arguments in (["doctor"], ["history"], ["plan", "--all"], ["run", "-d", "02", "--all", "--yes"], ["agent"]):
        done = place.run(*arguments)
        assert done.returncode == 2, arguments
        assert "a state takes one district, but 2 stand there" in done.stdout + done.stderr


def test_another_districts_copy_is_named(place: Place) -> None:
    without_tenant_column(place)
    text = (place.folder / "resync.toml").read_text()
    abbott, campus = (f"[[district]]{each}" for each in text.split("[[district]]")[1:])
    place.change(campus, "")
    assert problems(place) == {}
    assert place.run("run", "-d", "01", "--all", "--yes").returncode == 1
    assert problems(place) == {}
    place.end_agents()
    place.change(abbott, campus)
    assert set(problems(place)) == {"The state holds the copy of district 01, not 02: nothing is written"}
    done = place.run("run", "-d", "02", "--all", "--yes")
    assert done.returncode == 3
    assert "The state holds the copy of district 01, not 02" in done.stdout + done.stderr
    assert place.sql("state", 'SELECT "name" FROM "District"') == [("abbott",)]
