"""A column that the state owns is set once, then neither compared nor overwritten (Synchronization Field Settings)."""

import os
import sys
from typing import Any

import pytest

from tests.support import forks
from tests.support.databases import rows, run_script
from tests.support.demo_site import DemoSite
from tests.support.json_schemas import printed

pytestmark = pytest.mark.xdist_group("demo sites")


def run_enrollment(site: DemoSite) -> dict[str, Any]:
    """Run the real command over the enrollments of Abbott and what they need; return its batch."""
    command = [sys.executable, "-m", "resync_tui", "run", "-d", "01", "Enrollment", "--yes", "--json"]
    environment = {**os.environ, "RESYNC_TUI_CONFIG": str(site.settings.path)}
    done = forks.run(command, env=environment)
    assert done.returncode == 1, done.stderr
    batch: dict[str, Any]
    (batch,) = printed("run", done.stdout)
    assert batch["status"] == "completed"
    return batch


async def test_a_value_of_the_states_survives_and_makes_no_row_differ(demo_site: DemoSite) -> None:
    await demo_site.send("01", 2026, ["Enrollment"])
    mine = """"districtNumber" = '01' AND "enrollmentID" IN (1, 2, 3)"""
    await run_script(
        demo_site.state,
        f"""UPDATE "Enrollment" SET "stateNote" = 'Seen by the state' WHERE {mine};
        UPDATE "Enrollment" SET "stateNote" = NULL WHERE "districtNumber" = '01' AND "enrollmentID" = 5;""",
    )
    await run_script(
        demo_site.abbott,
        """UPDATE "Enrollment" SET "stateNote" = 'Seen by the district' WHERE "enrollmentID" IN (2, 5);
        UPDATE "Enrollment" SET "stateNote" = 'Seen by the district', "residentDistrict" = '77'
            WHERE "enrollmentID" = 3;
        INSERT INTO "Enrollment" ("enrollmentID", "personID", "calendarID", "structureID", "structureGradeID",
            "endYear", "startDate", "startStatus", "stateNote")
        SELECT 7000, "personID", "calendarID", "structureID", "structureGradeID", "endYear", "startDate",
            'E1', 'Residency checked' FROM "Enrollment" WHERE "enrollmentID" = 2;""",
    )
    (enrollment,) = [each for each in run_enrollment(demo_site)["objects"] if each["object"] == "Enrollment"]
    assert (enrollment["inserted"], enrollment["updated"]) == (1, 1)
    columns = '"enrollmentID", "stateNote", "residentDistrict"'
    query = f"""SELECT {columns} FROM "Enrollment" WHERE "districtNumber" = '01'
        AND "enrollmentID" IN (1, 2, 3, 5, 7000) ORDER BY 1"""
    assert await rows(demo_site.state, query) == [
        (1, "Seen by the state", "01"), (2, "Seen by the state", "01"), (3, "Seen by the state", "77"),
        (5, None, "01"), (7000, "Residency checked", None),
    ]  # fmt: skip
    (again,) = [
        each for each in (await demo_site.send("01", 2026, ["Enrollment"])).objects if each.object == "Enrollment"
    ]
    assert (again.counts.inserted, again.counts.updated) == (0, 0)
