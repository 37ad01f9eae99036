"""The catalog of objects: what is refused in words, and how objects hang together."""

import pytest

from resync_tui.catalog import Catalog, DisObject, Rule, load, parse_catalog
from resync_tui.errors import ConfigError, UsageError
from resync_tui.plan import make_plan
from tests.support.plans import FAMILY


def written(*objects: tuple[str, str]) -> str:
    """Return a catalog file of objects (name, parents), a table each."""
    text = 'name = "Test"\n'
    for name, parents in objects:
        listed = ", ".join(f'"{parent}"' for parent in parents.split())
        text += f'[[object]]\nname = "{name}"\ntables = ["{name}"]\nparents = [{listed}]\n'
    return text


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
    with pytest.raises(ConfigError, match=r"unknown key object\[1\].table; the nearest is tables"):
        parse_catalog('name = "One"\n[[object]]\nname = "A"\ntable = ["a"]\n', "objects.toml")


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


@pytest.mark.parametrize("name", ["NV", "nv", "Nevada", " NEVADA"])
def test_a_state_has_one_catalog_by_all_its_names(name: str) -> None:
    assert load().for_state(name) == load().for_state("NV")


def test_a_catalog_may_name_regions_of_its_own() -> None:
    own = Catalog("Own", (DisObject("A", ("a",), states=("Zone 5",)), DisObject("B", ("b",), not_states=("zone 5",))))
    assert [each.name for each in own.for_state("zone  5").objects] == ["A"]
    assert [each.name for each in own.for_state("NV").objects] == ["B"]
