"""What --json prints, to the byte, and as its schema says: scripts read it."""

import json
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

import pytest
from syrupy.assertion import SnapshotAssertion

from resync_tui import json_output
from resync_tui.analysis.checks import passed, problem
from resync_tui.catalog import Catalog, DisObject
from resync_tui.config.settings import DistrictSettings, ScheduleSettings
from resync_tui.errors import CannotRun
from resync_tui.formatting import csv_text
from resync_tui.outcome import Color, Counts, Finding, KeyValue, Kind, Purpose, Status
from resync_tui.plan import make_plan
from resync_tui.results import (
    Agent,
    Alert,
    Batch,
    DistrictStanding,
    ErrorRecord,
    FindingGroup,
    FindingRecord,
    LastResync,
    ObjectResult,
    Standing,
)
from tests.support.json_schemas import validator

AT = datetime(2026, 3, 8, 2, 30, 1, 234567, UTC)
LATER = datetime(2026, 3, 8, 2, 31, tzinfo=timezone(timedelta(hours=-8)))
CATALOG = Catalog(
    "Small",
    (
        DisObject("District", ("District",)),
        DisObject("School", ("School",), ("District",), school_year=True),
        DisObject("Staff", ("Staff",), ("School", "District")),
    ),
)

COUNTS = Counts(100, 1, 2, 96, 1, 0, 0, 7, 0)
SCHOOL = ObjectResult("School", 2, Status.COMPLETED, COUNTS, 100, 100, "", AT, LATER)
STAFF = ObjectResult("Staff", 3, Status.SKIPPED, Counts(), message="its parent failed")
GONE = ObjectResult("Person", 4, Status.COMPLETED, Counts(processed=3, removed=2, rejected=1, extra=3), started=AT)
PLAIN = Batch(7, 12, "01", 2026, "district", "jdoe", Status.RUNNING, 1, AT, objects=(SCHOOL, STAFF))
FULL = Batch(
    8, 13, "Añb", 2025, "state", "dé", Status.COMPLETED, 2, AT, objects=(GONE,), reason="Start of school year",
    purpose=Purpose.REMOVE_EXTRA, preview=12, not_before=LATER,
)  # fmt: skip
SUMMED = Batch(9, 14, "02", 2026, "state", "jdoe", Status.CANCELLED, 0, AT, sums=COUNTS, dot=Color.YELLOW)
KEY: dict[str, KeyValue] = {"personID": 5, "name": "Ægir 学", "part": 1.5, "flag": True, "none": None}
FOUND = FindingRecord("Person", "Person", Finding.MISSING, KEY)
NEVER = DistrictStanding("02", Standing.NOT_YET)
STANDING = DistrictStanding(
    "01", Standing.FAILING, AT, 3, 12, 7, LATER, 100, 1, Color.YELLOW, "cannot be reached", 2, LATER
)
ABBOTT = DistrictSettings("01", "Abbott", "sqlite:///abbott.db")

DOCUMENTS: dict[str, Any] = {
    "objects": json_output.objects(CATALOG, {"School": LastResync(12, SCHOOL), "District": LastResync(12, STAFF)}),
    "plan": json_output.plan(make_plan(CATALOG, ["Staff"], 2026)),
    "batch": json_output.batch(PLAIN),
    "batch of a removal": json_output.batch(FULL),
    "batch without objects": json_output.batch(SUMMED),
    "verification": json_output.verification(PLAIN, [FindingGroup("School", "School", Finding.MOVED, 2)], None),
    "verification with keys": json_output.verification(PLAIN, [], [FOUND]),
    "removal": json_output.removal(FULL),
    "schedule": json_output.schedule(ScheduleSettings("weekly", "0 2 * * 0"), AT, LATER, PLAIN),
    "schedule of some": json_output.schedule(
        ScheduleSettings("s", "0 2 * * 0", "UTC", ("01",), ("School",)), AT, AT, None
    ),
    "alert": json_output.alert(Alert(1, "Process", "Name", "said", AT, LATER, "01", 7, 12, read=False)),
    "alert of the state": json_output.alert(Alert(2, "P", "N", "", AT, None, None, None, None, read=True)),
    "standing": json_output.standing(ABBOTT, STANDING, date(2026, 1, 1), date(2026, 6, 30)),
    "standing of none": json_output.standing(ABBOTT, NEVER, None, None),
    "error": json_output.error(ErrorRecord("Person", "Person", KEY, Kind.BLOCKED, "its School is not there")),
    "doctor": json_output.doctor(
        [Agent("host", 1, AT, AT, alive=True)], [problem(CannotRun("what", "do")), passed("well")]
    ),
}
LISTED = {"alert": "alerts", "error": "errors", "schedule": "schedule", "standing": "board"}
"""Documents of which a command prints a list."""


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_printed_to_the_byte(name: str, snapshot: SnapshotAssertion) -> None:
    assert json.dumps(DOCUMENTS[name]) == snapshot


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_document_is_as_its_schema_says(name: str) -> None:
    document, kind = json.loads(json.dumps(DOCUMENTS[name])), name.split()[0]
    validator(LISTED.get(kind, kind)).validate([document] if kind in LISTED else document)


def test_the_board_is_the_same_as_csv(snapshot: SnapshotAssertion) -> None:
    board = [DOCUMENTS["standing"], DOCUMENTS["standing of none"]]
    assert csv_text(list(board[0]), (list(each.values()) for each in board)) == snapshot
