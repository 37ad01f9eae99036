"""What is known of a batch, what of it is still to be written, and how its objects end with it."""

import pytest

from resync_tui.agent.progress import UNTOLD, Ledger
from resync_tui.control.progress import Progress
from resync_tui.engine.events import ObjectEnded, ObjectProgress, ObjectStarted, RecordsRefused
from resync_tui.outcome import Counts, Kind, Status
from tests.support.plans import make_plan


def begun() -> Ledger:
    """A through, B running, C not begun."""
    ledger = Ledger(make_plan("A", "B", "C"))
    ledger.add(ObjectStarted("A"))
    ledger.add(ObjectEnded("A", Status.COMPLETED, Counts(processed=1, unchanged=1)))
    ledger.add(ObjectProgress("B", "merging", 5, 9, Counts(processed=3, inserted=3)))
    return ledger


def statuses(ledger: Ledger) -> dict[str, Status]:
    return {each.object: each.status for each in ledger.pending().objects}


@pytest.mark.parametrize(
    ("batch", "b", "c"),
    [
        (Status.CANCELLED, Status.CANCELLED, Status.CANCELLED),
        (Status.FAILED, Status.FAILED, Status.SKIPPED),
        (Status.COMPLETED, Status.FAILED, Status.FAILED),
    ],
)
def test_objects_that_have_not_ended_end_with_their_batch(batch: Status, b: Status, c: Status) -> None:
    ledger = begun()
    ledger.end(batch, "")
    assert statuses(ledger) == {"A": Status.COMPLETED, "B": b, "C": c}


def test_a_batch_whose_engine_forgot_an_object_is_not_completed() -> None:
    assert begun().end(Status.COMPLETED, "") == (Status.FAILED, f"B: {UNTOLD}")


def test_failed_batch_names_the_first_failed_object_by_default() -> None:
    ledger = begun()
    ledger.add(ObjectEnded("B", Status.FAILED, Counts(), "no such table"))
    assert ledger.end(Status.FAILED, "")[1] == "B: no such table"
    assert ledger.end(Status.FAILED, "the state is down")[1] == "the state is down"


def test_what_was_cancelled_stays_so_though_an_object_had_failed() -> None:
    ledger = begun()
    ledger.add(ObjectEnded("B", Status.FAILED, Counts(), "no such table"))
    assert ledger.end(Status.CANCELLED, "") == (Status.CANCELLED, "")


def test_only_what_is_new_is_pending() -> None:
    ledger = begun()
    written = ledger.pending()
    assert [each.object for each in written.objects] == ["A", "B"]
    ledger.add(ObjectProgress("B", "merging", 6, 9, Counts(processed=4, inserted=4)))
    ledger.written(written)
    (again,) = ledger.pending().objects
    assert (again.object, again.read) == ("B", 6)
    ledger.written(ledger.pending())
    assert ledger.pending() == Progress()


def test_refusals_are_running_totals_with_consecutive_numbers() -> None:
    ledger = begun()
    refused = RecordsRefused("B", "B", Kind.BLOCKED, "no A", 2, ({"id": 1},))
    ledger.add(refused)
    first = ledger.pending()
    ledger.add(refused)
    ledger.written(first)
    second = ledger.pending()
    assert [list(each.refused.values()) for each in (first, second)] == [[2], [4]]
    assert [[number for number, _ in each.records] for each in (first, second)] == [[1], [2]]
