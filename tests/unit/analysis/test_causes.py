"""Why records were refused: chains of parents, filters, and the SQL that finds a record."""

import pytest

from resync_tui.analysis.causes import Causes, Filter, ancestor_text, query_of, reason_of
from resync_tui.outcome import PLACE, Detail, Kind
from resync_tui.results import ErrorGroup, ErrorRecord


def refused(table: str, number: int, kind: Kind, reason: str, detail: Detail) -> ErrorRecord:
    return ErrorRecord(table, table, {"id": number}, kind, reason, detail)


def lacks(table: str, number: int) -> Detail:
    return Detail("parent", None, table, {"id": number})


ROOT = refused("School", 1, Kind.REJECTED, "name is longer than 20", Detail("name", 34))
CHILD = refused("Person", 7, Kind.BLOCKED, "its School record did not reach the state", lacks("School", 1))
GRANDCHILD = refused("Grade", 5, Kind.BLOCKED, "its Person record did not reach the state", lacks("Person", 7))
ORPHAN = refused("Grade", 6, Kind.REJECTED, "p names no Person record", lacks("Person", 99))
AWAY = refused("Grade", 8, Kind.BLOCKED, "its Person record is not in the state", lacks("Person", 3))
ALL = [ROOT, CHILD, GRANDCHILD, ORPHAN, AWAY]


def test_chain_leads_from_a_record_to_its_root_cause() -> None:
    causes = Causes(ALL)
    assert [ancestor_text(each) for each in causes.chain(GRANDCHILD)] == [
        "Person id 7: blocked, its School record did not reach the state",
        "School id 1: rejected, name is longer than 20 (this one has 34 characters)",
    ]
    assert causes.chain(ROOT) == []
    assert [ancestor_text(each) for each in causes.chain(ORPHAN)] == ["Person id 99: there is no such record"]
    (away,) = causes.chain(AWAY)
    assert ancestor_text(away) == "Person id 3: the district has it, the state does not"


def test_records_that_name_each_other_end_the_chain() -> None:
    one = refused("T", 1, Kind.BLOCKED, "x", lacks("T", 2))
    two = refused("T", 2, Kind.BLOCKED, "x", lacks("T", 1))
    assert [each.key for each in Causes([one, two]).chain(one)] == [{"id": 2}]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (Filter(), ALL),
        (Filter(kind=Kind.REJECTED), [ROOT, ORPHAN]),
        (Filter(object="Grade"), [GRANDCHILD, ORPHAN, AWAY]),
        (Filter(part="LONGER"), [ROOT]),
        (Filter(part="id 7"), [CHILD]),
        (Filter(object="School", part="id 7"), []),
    ],
)
def test_filters_go_by_object_kind_and_text(wanted: Filter, found: list[ErrorRecord]) -> None:
    assert [each for each in ALL if wanted.admits(each)] == found
    groups = [ErrorGroup(each.object, each.table, each.kind, each.reason, 1) for each in ALL]
    assert [each.reason for each in wanted.groups(groups, found)] == [each.reason for each in found]


def test_a_table_without_a_key_has_no_query() -> None:
    assert query_of("T", {PLACE: 3}) == ""


def test_a_size_is_told_with_the_reason() -> None:
    assert reason_of(ROOT) == "name is longer than 20 (this one has 34 characters)"
    assert reason_of(CHILD) == CHILD.reason
