"""Doctor on a state: one that is not there, triggers that run first, and tables that no object holds."""

import json
from pathlib import Path

import anyio

from resync_tui.cli.doctor.examination import examine
from tests.support.databases import run_script
from tests.support.place import Place
from tests.support.settings import one_district
from tests.support.small import Database

PARTED = """
name = "Parted"
tenant_column = "tenant"
[[object]]
name = "A"
tables = ["whole", "old.held"]
"""


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


def test_partitions_are_no_tables_of_their_own(database: Database, tmp_path: Path) -> None:
    district, state = database("postgresql"), database("postgresql")
    part = (
        "CREATE TABLE part PARTITION OF whole FOR VALUES IN (1); CREATE SCHEMA old; CREATE TABLE old.other (id integer)"
    )
    whole = "CREATE TABLE whole (id integer PRIMARY KEY) PARTITION BY LIST (id)"
    far = "CREATE TABLE old.far PARTITION OF whole FOR VALUES IN (2); CREATE TABLE old.held (id integer PRIMARY KEY)"
    anyio.run(run_script, district, f"{whole}; {part}; {far}")
    (tmp_path / "objects.toml").write_text(PARTED)
    (tmp_path / "resync.toml").write_text(one_district(district=district, state=state, catalog=True))
    told = [each.what for each in examine(tmp_path / "resync.toml").checks if "in no object" in each.what]
    assert told == ["1 table of the district in no object of the catalog: old.other (district 01)"]
