"""Plans: what is required, in which order and waves, and why."""

from hypothesis import given
from hypothesis import strategies as st

from resync_tui.catalog import Catalog, DisObject
from resync_tui.plan import Marked, make_plan
from tests.support.plans import FAMILY, of


def test_required_object_says_by_what_and_selected_does_not() -> None:
    planned = {each.object: each for each in make_plan(FAMILY, ["Leaf", "Root"], 2026).objects}
    assert planned["Left"].marked is Marked.REQUIRED
    assert planned["Left"].required_by == ("Leaf",)
    assert planned["Root"].marked is Marked.SELECTED
    assert planned["Root"].required_by == ()


def test_a_wave_is_the_longest_path_within_the_plan() -> None:
    catalog = of(("A", ""), ("B", "A"), ("C", "A B"), ("D", "A"))
    planned = make_plan(catalog, ["C", "D"], 2026).objects
    assert [(each.object, each.wave, each.sequence) for each in planned] == [
        ("A", 1, 1), ("B", 2, 2), ("D", 2, 3), ("C", 3, 4),
    ]  # fmt: skip


def test_without_check_dependencies_only_selection_is_planned() -> None:
    plan = make_plan(FAMILY, ["Leaf", "Root"], 2026, check_dependencies=False)
    assert [(each.object, each.wave) for each in plan.objects] == [("Root", 1), ("Leaf", 2)]
    assert all(each.marked is Marked.SELECTED for each in plan.objects)


@st.composite
def catalogs(draw: st.DrawFn) -> Catalog:
    names = [f"O{number}" for number in range(draw(st.integers(1, 12)))]
    order = draw(st.permutations(names))
    parents = {
        name: tuple(draw(st.lists(st.sampled_from(order[:place]), unique=True))) if place else ()
        for place, name in enumerate(order)
    }
    return Catalog("Random", tuple(DisObject(name, (name,), parents[name]) for name in names))


@given(catalogs(), st.data())
def test_every_plan_is_closed_ordered_and_explained(catalog: Catalog, data: st.DataObject) -> None:
    names = [each.name for each in catalog.objects]
    selected = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    plan = make_plan(catalog, selected, 2026)
    assert set(plan.names) == set(selected) | catalog.ancestors(selected)
    assert [each.sequence for each in plan.objects] == list(range(1, len(plan.objects) + 1))
    wave = {each.object: each.wave for each in plan.objects}
    for place, each in enumerate(plan.objects):
        assert set(catalog.parents(each.object)) <= set(plan.names[:place])
        assert each.wave == 1 + max((wave[parent] for parent in catalog.parents(each.object)), default=0)
        assert bool(each.required_by) is (each.marked is Marked.REQUIRED)


@given(catalogs(), st.data())
def test_taking_objects_away_never_loses_a_dependency(catalog: Catalog, data: st.DataObject) -> None:
    names = [each.name for each in catalog.objects]
    kept = data.draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    smaller = catalog.for_state("NV", kept)
    for name in kept:
        assert smaller.ancestors([name]) == catalog.ancestors([name]) & set(kept)
