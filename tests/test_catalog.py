"""The pure modules: catalog, plan, TOML into dataclasses, and outcome."""

from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resync_tui.catalog import Catalog, DisObject, Rule, load, parse_catalog
from resync_tui.errors import ConfigError, UsageError
from resync_tui.outcome import Color, Counts, Status, color, exit_code, worst
from resync_tui.plan import Marked, make_plan
from resync_tui.toml_file import CLOSED, parse


def written(*objects: tuple[str, str]) -> str:
    """Return a catalog file of objects (name, parents), a table each."""
    text = 'name = "Test"\n'
    for name, parents in objects:
        listed = ", ".join(f'"{parent}"' for parent in parents.split())
        text += f'[[object]]\nname = "{name}"\ntables = ["{name}"]\nparents = [{listed}]\n'
    return text


def of(*objects: tuple[str, str]) -> Catalog:
    return Catalog("Test", tuple(DisObject(name, (name,), tuple(parents.split())) for name, parents in objects))


FAMILY = of(("Root", ""), ("Left", "Root"), ("Right", "Root"), ("Leaf", "Left Right"), ("Alone", ""))


def test_a_circle_of_parents_is_named() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_catalog(written(("A", "C"), ("B", "A"), ("C", "B")), "objects.toml")
    assert "circle" in caught.value.what
    assert {"A", "B", "C"} <= set(caught.value.what.partition("circle: ")[2].split(" > "))


def test_an_object_cannot_be_its_own_parent() -> None:
    with pytest.raises(ConfigError, match="A > A"):
        parse_catalog(written(("A", "A")), "objects.toml")


def test_an_unknown_parent_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_catalog(written(("Calendar", ""), ("Day", "Calender")), "objects.toml")
    assert "Day names an unknown parent Calender" in caught.value.what
    assert "nearest is Calendar" in caught.value.what


def test_an_unknown_place_on_screen_is_named() -> None:
    with pytest.raises(ConfigError, match="unknown parent Elsewhere"):
        parse_catalog(written(("A", "")) + 'under = "Elsewhere"\n', "objects.toml")


def test_duplicate_name_is_refused_whatever_its_case() -> None:
    with pytest.raises(ConfigError, match="LEPKY stands there twice"):
        parse_catalog(written(("LepKY", ""), ("LEPKY", "")), "objects.toml")


def test_a_table_belongs_to_one_object() -> None:
    text = written(("A", "")) + '[[object]]\nname = "B"\ntables = ["A"]\n'
    with pytest.raises(ConfigError, match="table A belongs to both A and B"):
        parse_catalog(text, "objects.toml")


def test_an_object_needs_a_table() -> None:
    with pytest.raises(ConfigError, match="A has no table"):
        parse_catalog('name = "Test"\n[[object]]\nname = "A"\ntables = []\n', "objects.toml")


@pytest.mark.parametrize("line", ['state_owned = ["B.note"]', 'ignore_columns = ["B.note"]'])
def test_a_column_is_one_of_the_objects_own_tables(line: str) -> None:
    with pytest.raises(ConfigError, match="has no B"):
        parse_catalog(written(("A", "")) + line, "objects.toml")


def test_an_unknown_key_is_named_with_the_nearest() -> None:
    with pytest.raises(ConfigError) as caught:
        parse_catalog(written(("A", "")) + "school_yaer = true\n", "objects.toml")
    assert "object[1].school_yaer" in caught.value.what
    assert "nearest is school_year" in caught.value.what


def test_rule_may_differ_by_dialect_but_must_have_the_one_in_use() -> None:
    rule = Rule("odd", "A", {"sqlite": "t.x % 2"}, "Odd")
    assert rule.condition("sqlite") == "t.x % 2"
    assert Rule("odd", "A", "t.x > 1", "Big").condition("postgresql") == "t.x > 1"
    with pytest.raises(ConfigError, match="no condition for postgresql"):
        rule.condition("postgresql")


def test_names_match_without_case() -> None:
    assert load()["lepky"].name == "LEPKY"
    assert "ENROLLMENT" in load()
    assert make_plan(FAMILY, ["LEAF", "leaf"], 2026).names == ("Root", "Left", "Right", "Leaf")


def test_an_unknown_name_is_named_with_the_nearest() -> None:
    with pytest.raises(UsageError, match="There is no DIS object Enrolment; the nearest is Enrollment"):
        make_plan(load(), ["Enrolment"], 2026)


def test_ancestors_descendants_and_why() -> None:
    assert FAMILY.ancestors(["Leaf"]) == {"Root", "Left", "Right"}
    assert FAMILY.ancestors(["Leaf", "Left"]) == {"Root", "Right"}
    assert FAMILY.descendants("Root") == {"Left", "Right", "Leaf"}
    assert FAMILY.paths("Leaf", "Root") == ["Leaf", "Left", "Root"]


def test_children_of_an_absent_object_inherit_its_parents() -> None:
    catalog = Catalog(
        "Test",
        (
            DisObject("Top", ("Top",)),
            DisObject("Middle", ("Middle",), ("Top",), states=("KY",)),
            DisObject("Lower", ("Lower",), ("Middle",), not_states=("NV",)),
            DisObject("Low", ("Low",), ("Lower",)),
        ),
    )
    assert catalog.for_state("KY").parents("Low") == ("Lower",)
    nevada = catalog.for_state("NV")
    assert [each.name for each in nevada.objects] == ["Top", "Low"]
    assert nevada.parents("Low") == ("Top",)
    assert nevada.shown_under("Low") == "Top"


def test_a_subscription_decides_and_must_name_known_objects() -> None:
    assert [each.name for each in FAMILY.for_state("NV", ["root", "LEAF"]).objects] == ["Root", "Leaf"]
    with pytest.raises(UsageError, match="no DIS object Leav; the nearest is Leaf"):
        FAMILY.for_state("NV", ["Leav"])


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


@dataclass(frozen=True)
class _Inner:
    __pydantic_config__ = CLOSED
    url: str
    size: int = 1


@dataclass(frozen=True)
class _Outer:
    __pydantic_config__ = CLOSED
    inner: tuple[_Inner, ...]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("inner = [", "f.toml is not valid TOML"),
        ("[[inner]]\nurl = 'a'\n[[inner]]\nsize = 2", "f.toml: inner[2].url is missing"),
        ("[[inner]]\nurl = 'a'\nsiez = 2", "f.toml: unknown key inner[1].siez; the nearest is size"),
        ("[[inner]]\nurl = 'secret'\nsize = 'hunter2'", "f.toml: inner[1].size: input should be a valid integer"),
    ],
)
def test_toml_that_does_not_fit_is_named_and_no_value_is_shown(text: str, what: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(_Outer, text, "f.toml")
    assert caught.value.what.startswith(what)
    assert "hunter2" not in caught.value.what
    assert caught.value.do


@pytest.mark.parametrize(
    ("processed", "errors", "expected"),
    [
        (0, 0, Color.GREEN),
        (100_000, 0, Color.GREEN),
        (100_000, 1, Color.YELLOW),
        (1_000, 10, Color.YELLOW),
        (1_000, 11, Color.RED),
        (999, 10, Color.RED),
        (100_001, 1_001, Color.RED),
        (3, 3, Color.RED),
    ],
)
def test_dot_is_green_at_0_yellow_up_to_1_percent_and_red_above(processed: int, errors: int, expected: Color) -> None:
    counts = Counts(processed=processed, unchanged=processed - errors, rejected=errors)
    assert color(Status.COMPLETED, counts) is expected


def test_the_dot_is_red_where_the_counts_do_not_add_up() -> None:
    assert color(Status.COMPLETED, Counts(processed=10, unchanged=9)) is Color.RED


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        (Status.QUEUED, None),
        (Status.RUNNING, Color.GRAY),
        (Status.FAILED, Color.RED),
        (Status.CANCELLED, None),
        (Status.SKIPPED, None),
    ],
)
def test_the_dot_of_what_has_not_completed(status: Status, expected: Color | None) -> None:
    assert color(status, Counts(processed=5)) is expected


def test_a_batch_takes_the_worst_dot_of_its_objects() -> None:
    assert worst([]) is None
    assert worst([None, Color.GREEN]) is Color.GREEN
    assert worst([Color.RED, Color.YELLOW, None]) is Color.RED
    assert worst([Color.RED, Color.GRAY]) is Color.GRAY


def test_extra_records_are_outside_the_accounting() -> None:
    counts = Counts(processed=10, inserted=1, updated=2, unchanged=3, excluded=1, rejected=1, blocked=2, extra=7)
    assert counts.errors == 4
    assert counts.accounted == counts.processed


@given(st.lists(st.builds(Counts, *(st.integers(0, 1_000) for _ in range(8)))))
def test_counts_add_term_by_term(parts: list[Counts]) -> None:
    total = sum(parts, Counts())
    assert total.errors == sum(part.errors for part in parts)
    assert total.accounted == sum(part.accounted for part in parts)
    assert total.extra == sum(part.extra for part in parts)


@pytest.mark.parametrize(
    ("statuses", "errors", "code"),
    [
        ([Status.COMPLETED], 0, 0),
        ([Status.COMPLETED], 1, 1),
        ([Status.CANCELLED, Status.COMPLETED], 1, 4),
        ([Status.CANCELLED, Status.FAILED], 0, 3),
    ],
)
def test_exit_codes_of_a_finished_run(statuses: list[Status], errors: int, code: int) -> None:
    assert exit_code(statuses, errors) == code
