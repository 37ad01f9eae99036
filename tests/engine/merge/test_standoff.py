"""A unique value that a record holds which the district no longer has: what is told, and that it leads out."""

import pytest

from resync_tui.outcome import Counts, Purpose
from tests.support.courses import ANEW, HOLDS, site
from tests.support.databases import run_script
from tests.support.small import SAME, Database

BY_HAND = f"{HOLDS}records of Section point to these and wait for those: give these another code in the state by hand"


@pytest.mark.parametrize("purpose", [Purpose.RESYNC, Purpose.VERIFY])
@pytest.mark.parametrize("ends", SAME)
async def test_what_waits_for_the_records_kept_out_is_told(
    database: Database, ends: tuple[str, str], purpose: Purpose
) -> None:
    made = await site(database, ends, ANEW)
    heard = await made.done(purpose)
    counts = heard.counts["Course"]
    assert (counts.processed, counts.unchanged, counts.rejected, counts.extra) == (2, 1, 1, 1)
    assert heard.ended["Course"].message.startswith(BY_HAND)
    assert heard.counts["Section"] == Counts(processed=2, unchanged=1, blocked=1)
    assert heard.ended["Section"].message == ""


@pytest.mark.parametrize("ends", SAME)
async def test_the_step_by_hand_leads_out(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW)
    await made.done()
    await run_script(made.here.state, "UPDATE course SET code = 'x' WHERE id = 7")
    heard = await made.done()
    assert {name: (each.inserted, each.updated, each.errors) for name, each in heard.counts.items()} == {
        "Course": (1, 0, 0), "Section": (0, 1, 0)
    }  # fmt: skip
    assert (await made.done(Purpose.REMOVE_EXTRA)).counts["Course"].removed == 1
    assert await made.here.held("SELECT id, code FROM course ORDER BY id") == [(1, "C1"), (107, "C7")]
    assert await made.here.held("SELECT id, course FROM section ORDER BY id") == [(1, 1), (7, 107)]


@pytest.mark.parametrize("ends", SAME)
async def test_an_object_outside_the_batch_is_to_be_sent_too(database: Database, ends: tuple[str, str]) -> None:
    made = await site(database, ends, ANEW.replace("course = 107", "course = 1"))
    heard = await made.done(Purpose.RESYNC, "Course")
    way = "then remove-extra, then send this again"
    assert heard.ended["Course"].message == f"{HOLDS}send Section too, {way}"
    heard = await made.done()
    assert heard.counts["Section"] == Counts(processed=2, unchanged=1, updated=1)
    heard = await made.done()
    assert heard.ended["Course"].message == HOLDS + way.removeprefix("then ")
    assert (await made.done(Purpose.REMOVE_EXTRA)).counts["Course"].removed == 1
    assert (await made.done()).counts["Course"] == Counts(processed=2, unchanged=1, inserted=1)


@pytest.mark.parametrize("ends", SAME)
async def test_a_table_of_no_object_is_named(database: Database, ends: tuple[str, str]) -> None:
    seat = """CREATE TABLE seat (tenant varchar(9), id integer, course integer,
        FOREIGN KEY (tenant, course) REFERENCES course (tenant, id));"""
    made = await site(database, ends, ANEW.replace("course = 107", "course = 1"), more_state=seat)
    await run_script(made.here.state, "INSERT INTO seat VALUES ('01', 1, 7)")
    told = "records of seat point to these: move or remove them in the state, then remove-extra"
    assert (await made.done()).ended["Course"].message == HOLDS + told
