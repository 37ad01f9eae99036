"""The checklist's tree: which rows are shown."""

from resync_tui.screens.tree import Tree
from tests.support.screens.fake_store import catalog

CATALOG = catalog()
TREE = Tree(CATALOG)


def test_every_object_is_shown_once_below_its_own() -> None:
    nodes = TREE.shown()
    assert sorted(node.name for node in nodes) == sorted(each.name for each in CATALOG.objects)
    above: list[str] = []
    for node in nodes:
        del above[node.depth :]
        assert (above[-1] if above else None) == CATALOG.shown_under(node.name)
        above.append(node.name)


def test_the_order_is_the_catalogs() -> None:
    nodes = TREE.shown()
    tops = [node.name for node in nodes if node.depth == 0]
    assert tops == [each.name for each in CATALOG.objects if CATALOG.shown_under(each.name) is None]


def test_a_folded_object_hides_all_that_hangs_on_it() -> None:
    names = [node.name for node in TREE.shown({"PersonIdentity"})]
    assert "Enrollment" not in names
    assert "AdultEd" not in names
    assert "PersonIdentity" in names
    folded = next(node for node in TREE.shown({"PersonIdentity"}) if node.name == "PersonIdentity")
    assert folded.open is False


def test_an_object_without_children_cannot_be_folded() -> None:
    assert next(node for node in TREE.shown({"CourseCode"}) if node.name == "CourseCode").open is None


def test_filter_shows_matches_and_their_ancestors_even_if_folded() -> None:
    nodes = TREE.shown({"District"}, "ENROLL")
    assert [node.name for node in nodes if node.matches] == ["Enrollment"]
    assert {node.name for node in nodes} == {"Enrollment", *_above("Enrollment")}


def test_required_objects_stay_in_sight_under_a_filter() -> None:
    required = CATALOG.ancestors(["Enrollment"])
    nodes = TREE.shown({"District"}, "CourseSection", required)
    assert {node.name for node in nodes} == {"CourseSection"} | required
    assert [node.name for node in nodes if node.matches] == ["CourseSection"]
    assert TREE.shown(wanted="zzz", required=required) == []


def test_a_filter_that_matches_nothing_shows_nothing() -> None:
    assert TREE.shown(wanted="zzz") == []


def _above(name: str) -> set[str]:
    above = CATALOG.shown_under(name)
    return set() if above is None else {above} | _above(above)
