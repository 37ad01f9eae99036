"""Doctor on a state: one that is not there, triggers that run first, and tables that no object holds."""

import json

from tests.support.place import Place


def test_a_sqlite_state_that_is_not_there_is_named(place: Place) -> None:
    (place.folder / "state.db").unlink()
    problems = json.loads(place.run("doctor", "--json").stdout)["problems"]
    (told,) = (each for each in problems if "There is no state yet" in each["what"])
    assert told["do"] == "Make it: resync-tui state init -d ID"


def test_triggers_and_tables_of_no_object_are_no_problem(place: Place) -> None:
    place.sql("state", "CREATE TRIGGER touch BEFORE INSERT ON School BEGIN SELECT 1; END")
    place.sql("abbott", "CREATE TABLE visit (id INTEGER PRIMARY KEY); CREATE VIEW seen AS SELECT * FROM visit")
    done = place.run("doctor")
    assert done.returncode == 0
    assert "! Triggers of the state run before records are written, and may change or skip these: School (touch)" in (
        done.stdout
    )
    assert "! 1 table of the district in no object of the catalog: visit (district 01)" in done.stdout
