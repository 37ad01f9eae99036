"""One request over many districts: its list, the board of a year, later tries, and what waits for the clock."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import Connection, event, text, true

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.overview import full_batches, newest_batches
from resync_tui.control.progress import Progress
from resync_tui.control.store import Store
from resync_tui.errors import UsageError
from resync_tui.outcome import Color, Counts, Status
from resync_tui.plan import Plan, Request
from resync_tui.results import Standing
from tests.support.control import DISTRICTS, DONE, Office


async def test_request_is_listed_with_sums_and_objects_only_if_running(office: Office, plan: Plan) -> None:
    number = await office.request(plan, "001", "002", "003")
    await office.finish()
    await office.claimed()
    done, running, waiting = await office.store.request(number)
    assert (done.objects, done.counts, done.color) == ((), DONE + DONE, Color.YELLOW)
    assert (len(running.objects), running.color) == (2, Color.GRAY)
    assert (waiting.objects, waiting.counts, waiting.color) == ((), Counts(), None)
    assert [each.standing for each in (done, running, waiting)] == [Standing.DONE, Standing.RUNNING, Standing.WAITING]
    whole = await office.store.batch(done.batch)
    assert (whole.counts, whole.color) == (done.counts, done.color)
    with pytest.raises(UsageError, match="no request 99"):
        await office.store.request(99)


async def test_the_board_says_where_each_district_stands(office: Office, plan: Plan) -> None:
    await office.request(plan, "001", "002", "003", "004", "005")
    await office.finish()
    await office.finish(Status.FAILED, "no such table")
    lease = await office.claimed()
    await office.queue.put_off(lease, "Cannot reach district 003", timedelta(minutes=5), Progress())
    await office.claimed()
    assert await office.standings("001", "002", "003", "004", "005", "006") == [
        *(Standing.DONE, Standing.FAILING, Standing.FAILING, Standing.RUNNING, Standing.WAITING, Standing.NOT_YET)
    ]
    one, two, three, *_ = await office.store.board(2026)
    assert (one.errors, one.processed, one.color, one.last_full) == (2, 400, Color.YELLOW, office.clock.now)
    assert (two.message, two.last_full) == ("no such table", None)
    assert (three.message, three.put_off) == ("Cannot reach district 003", 1)
    assert three.next_attempt == office.clock.now + timedelta(minutes=5)
    assert one.full_since(date(2025, 11, 20))
    assert not one.full_since(date(2025, 11, 22))
    assert not two.full_since(date(2025, 11, 20))
    assert await office.store.board(2025) == []


async def test_last_full_resync_stays_while_a_newer_one_is_incomplete(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    first = await office.finish()
    number = await office.request(plan, "001")
    (standing,) = await office.store.board(2026)
    assert (standing.standing, standing.last_full_batch) == (Standing.WAITING, first.batch)
    await office.store.cancel_request(number, "jdoe")
    assert await office.standings("001") == [Standing.DONE]
    await office.store.submit(Request(["001"], plan, initiator="state", requested_by="x", full=False))
    partial = await office.finish(counts=Counts(processed=2, rejected=1, unchanged=1))
    (standing,) = await office.store.board(2026)
    assert (standing.batch, standing.last_full_batch) == (partial.batch, first.batch)
    assert (standing.color, standing.last_full_color) == (Color.RED, Color.YELLOW)


async def test_a_full_resync_of_no_record_settles_nothing(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    first = await office.finish()
    await office.request(plan, "001")
    empty = await office.finish(counts=Counts())
    (standing,) = await office.store.board(2026)
    assert (standing.standing, standing.batch, standing.last_full_batch) == (Standing.DONE, empty.batch, first.batch)


async def test_put_off_batch_waits_named_while_others_run(office: Office, plan: Plan) -> None:
    await office.request(plan, "001", "002")
    lease = await office.claimed()
    assert (lease.campaign, lease.put_off) == (True, 0)
    await office.queue.put_off(lease, "Cannot reach district 001", timedelta(minutes=1), Progress())
    assert (await office.claimed()).district == "002"
    assert await office.claim() is None
    office.clock.move(59)
    assert await office.claim() is None
    office.clock.move(1)
    again = await office.claimed()
    assert (again.batch, again.put_off, again.attempt) == (lease.batch, 1, 2)
    assert (await office.store.batch(lease.batch)).message == "Cannot reach district 001"


async def test_a_batch_that_is_put_off_is_cancelled_without_waiting(office: Office, plan: Plan) -> None:
    await office.request(plan, "001", "002")
    lease = await office.claimed()
    await office.queue.put_off(lease, "x", timedelta(hours=1), Progress())
    await office.store.cancel(lease.batch, "jdoe")
    cleaning = await office.claimed()
    assert (cleaning.batch, cleaning.cancel_requested) == (lease.batch, True)


async def test_a_single_district_is_no_campaign_unless_it_is_scheduled(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    assert not (await office.claimed()).campaign
    await office.request(plan, "002", not_before=office.clock.now)
    assert (await office.claimed()).campaign


async def test_batch_starts_only_after_its_time_and_in_an_open_window(office: Office, plan: Plan) -> None:
    start = office.clock.now + timedelta(hours=2)
    await office.request(plan, "001", not_before=start)
    (batch,) = await office.store.batches()
    assert (batch.not_before, batch.scheduled) == (start, True)
    assert await office.claim() is None
    assert not await office.queue.retire(DISTRICTS)
    office.clock.move(2 * 3600)
    assert await office.claim(window_open=False) is None
    assert await office.claim() is not None


async def test_an_agent_that_runs_once_does_not_wait_for_the_clock(office: Office, plan: Plan) -> None:
    await office.request(plan, "001", not_before=office.clock.now + timedelta(hours=2))
    assert await office.queue.retire(DISTRICTS, due_only=True)


async def test_what_a_person_sends_needs_no_window(office: Office, plan: Plan) -> None:
    await office.request(plan, "001")
    assert await office.claim(window_open=False) is not None


async def _fill(database: ControlDatabase, weeks: int) -> None:
    """Five years of weekly full resyncs of all districts, as rows of DISBatch; the newest of each waits."""
    async with database.write() as connection:
        years = [(week, "completed") for week in range(weeks)] + [(weeks, "queued")]
        rows = [
            {"number": week * 1000 + place, "request": week + 1, "district": district, "status": status,
             "now": datetime(2025, 8, 1, tzinfo=UTC) if database.url.startswith("postgres") else "2025-08-01 00:00:00"}
            for week, status in years
            for place, district in enumerate(DISTRICTS, 1)
        ]  # fmt: skip
        await connection.execute(
            text("""INSERT INTO "DISBatch" ("batchID", "requestID", "districtNumber", "schoolYear", initiator,
            "requestedBy", reason, status, attempts, "requestedAt", "startedAt", "cancelRequested", "cancelledBy",
            message, agent, "stageLeft", "isFull") VALUES (:number, :request, :district, 2026, 'state', 'x', '',
            :status, 1, :now, :now, false, '', '', '', false, true)"""),
            rows,
        )
        columns = """"requestID", "districtNumber", initiator, "requestedBy", reason, status, attempts, "requestedAt",
            "startedAt", "cancelRequested", "cancelledBy", message, agent, "stageLeft", "isFull\""""
        for before in range(1, 5):
            await connection.exec_driver_sql(
                f"""INSERT INTO "DISBatch" ("batchID", "schoolYear", {columns})
                SELECT "batchID" + {before * 100_000}, {2026 - before}, {columns} FROM "DISBatch"
                WHERE "schoolYear" = 2026"""
            )
    async with database._engine.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        await connection.exec_driver_sql("VACUUM ANALYZE" if database.url.startswith("postgres") else "ANALYZE")


@pytest.fixture
async def year(control_url: str) -> AsyncIterator[ControlDatabase]:
    """300 districts after 40 weeks of this year and four years before."""
    database = await ControlDatabase.open(control_url)
    await _fill(database, 40)
    yield database
    await database.close()


async def test_board_of_300_districts_takes_two_lean_statements(
    year: ControlDatabase,
) -> None:
    statements: list[str] = []

    def note(_connection: Connection, _cursor: object, statement: str, *_rest: object) -> None:
        if statement.startswith("SELECT"):
            statements.append(statement)

    event.listen(year._engine.sync_engine, "before_cursor_execute", note)
    found = await Store(year).board(2026, DISTRICTS)
    assert len(found) == 300
    assert {each.standing for each in found} == {Standing.WAITING}
    assert {each.last_full_batch for each in found} == {39_000 + place for place in range(1, 301)}
    asked = [each for each in statements if "DISBatch" in each]
    assert len(asked) == 2
    assert not any("DISBatchHistory" in each for each in asked)


@pytest.mark.parametrize("statement", [newest_batches, full_batches])
async def test_the_board_finds_its_rows_by_its_index(year: ControlDatabase, statement: object) -> None:
    assert callable(statement)
    async with year.read() as connection:
        sqlite = connection.dialect.name == "sqlite"
        query = statement(2026, true()).compile(connection.sync_connection, compile_kwargs={"literal_binds": True})
        if not sqlite:  # a sample of its rows decides whether reading such a table as a whole seems as quick
            await connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
        explained = await connection.exec_driver_sql(f"EXPLAIN {'QUERY PLAN ' if sqlite else ''}{query}")
        plan = "\n".join(str(row[-1]) for row in explained)
    assert "DISBatch_board" in plan
    assert not sqlite or "COVERING INDEX DISBatch_board" in plan
