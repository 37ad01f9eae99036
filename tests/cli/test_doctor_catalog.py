"""Doctor holds the catalog against the databases, and says what a run would say."""

from pathlib import Path

import anyio
import pytest

from resync_tui.analysis.field_settings import LOCKED
from tests.support.command_line import looked
from tests.support.databases import run_script
from tests.support.settings import one_district

CATALOG = """
name = "Years"
tenant_column = "tenant"
identity = "{identity}"
year = "{year}"
{more}
[[object]]
name = "Calendar"
tables = ["calendar"]
school_year = true
[[object]]
name = "Visit"
tables = ["visit"]
parents = ["Calendar"]
school_year = true
state_owned = ["{owned}"]
"""
DISTRICT = """
CREATE TABLE me (number text); INSERT INTO me VALUES ('01');
CREATE TABLE calendar (cal integer PRIMARY KEY, endyear text NOT NULL); INSERT INTO calendar VALUES (1, '{written}');
CREATE TABLE visit (id integer PRIMARY KEY, cal integer NOT NULL REFERENCES calendar (cal),
    other integer REFERENCES calendar (cal), note text);
"""
STATE = """
CREATE TABLE calendar (tenant text NOT NULL, cal integer, endyear text NOT NULL, PRIMARY KEY (tenant, cal));
CREATE TABLE visit (tenant text NOT NULL, id integer, cal integer NOT NULL, other integer, note text,
    PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, cal) REFERENCES calendar (tenant, cal));
"""
RIGHT = {"identity": "me.number", "year": "calendar.endYear", "owned": "visit.Note", "written": "2025-26"}


NARROW = STATE.replace("other integer, note text", "other smallint, note varchar(3)")


def told(folder: Path, state: str = STATE, **slip: str) -> str:
    """Return what doctor says of a catalog and a district with a slip."""
    words = {**RIGHT, "more": 'year_path = ["visit.cal"]', **slip}
    (folder / "resync.toml").write_text(one_district(district="sqlite:///district.db", catalog=True))
    (folder / "objects.toml").write_text(CATALOG.format(**words))
    anyio.run(run_script, f"sqlite:///{folder}/district.db", DISTRICT.format(**words))
    anyio.run(run_script, f"sqlite:///{folder}/state.db", state)
    return str(looked(folder / "resync.toml", ("doctor", "--verbose")).stdout)


def test_names_in_another_case_are_nothing_wrong(tmp_path: Path) -> None:
    *said, verdict = told(tmp_path).splitlines()
    (way,) = (line for line in said if "one way each" in line)
    assert way.startswith("✓ School years of district 01 by calendar.endYear: 2 tables, one way each; see: resync-tui ")
    assert way.endswith(" fields -d 01")
    assert verdict == "Nothing is wrong."


@pytest.mark.parametrize(
    ("slip", "said"),
    [
        ({"identity": "me.numbre"}, 'names "me.numbre", but me has no such column in district 01; the nearest'),
        ({"identity": "mee.number"}, "identity names mee.number, but district 01 has no table mee; the nearest is me"),
        ({"year": "calender.endyear"}, "but district 01 has no table calender; the nearest is calendar"),
        ({"year": "calendar.endyr"}, "but calendar has no such column in district 01; the nearest is endyear"),
        ({"owned": "visit.noet"}, 'of Visit names "visit.noet", but visit has no such column in district 01;'),
        ({"more": ""}, "District 01's table visit has several ways to calendar.endYear: visit.cal, visit.other"),
        ({"written": "FY26"}, "calendar.endyear of district 01 holds no school year in a known form in 1 of 1 record"),
    ],
)  # fmt: skip
def test_a_slip_is_a_problem(tmp_path: Path, slip: dict[str, str], said: str) -> None:
    assert said in told(tmp_path, **slip)


def test_fields_shows_the_way_to_the_year(tmp_path: Path) -> None:
    told(tmp_path)
    assert looked(tmp_path / "resync.toml", ("fields", "-d", "01")).stdout == (
        "Calendar\n  calendar\n    key          cal\n    sent         endyear\n    year         calendar > endyear\n"
        "Visit\n  visit\n    key          id\n    sent         cal, other\n    state's own  note\n"
        f"    year         visit.cal > endyear\n{LOCKED}\n"
    )
    assert looked(tmp_path / "resync.toml", ("fields", "Visit")).stdout == (
        f"Visit\n  visit\n    state's own  Note\n    sent         all other columns\n    year         cal\n{LOCKED}\n"
    )


def test_fields_says_why_an_object_cannot_go(tmp_path: Path) -> None:
    told(tmp_path, more="")
    said = looked(tmp_path / "resync.toml", ("fields", "visit", "-d", "01")).stdout
    assert "several ways to calendar.endYear: visit.cal, visit.other" in said


def test_narrower_columns_are_a_remark_and_no_problem(tmp_path: Path) -> None:
    said = told(tmp_path, NARROW).splitlines()
    assert said[-3:] == [
        "! visit.other is INTEGER in the district but smallint in the state: "
        "numbers beyond -32768 to 32767 are rejected (district 01)",
        "! visit.note is TEXT in the district but varchar(3) in the state: "
        "texts of more than 3 characters are rejected (district 01)",
        "Nothing is wrong.",
    ]
