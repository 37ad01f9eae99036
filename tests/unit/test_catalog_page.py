"""docs/catalog.md and the JSON Schemas: every key of objects.toml and resync.toml, and samples that hold."""

import json
import re
import tomllib
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from resync_tui.catalog import parse_catalog
from tests.support.json_schemas import toml_schema, validator

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "catalog.md").read_text("utf-8")

ROUTE = 'name = "T"\n[[object]]\nname = "Route"\ntables = ["route"]\n[[object]]\n'


def as_json(text: str) -> Any:
    """Return a TOML document as an editor holds it against a schema: dates are text."""
    return json.loads(json.dumps(tomllib.loads(text), default=str))


def section(title: str) -> str:
    return PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]


def samples(text: str) -> list[str]:
    return re.findall(r"```toml\n(.*?)```", text, re.DOTALL)


@pytest.mark.parametrize(
    ("title", "keys", "before"),
    [
        ("Of the whole catalog", set(toml_schema("objects.toml")["properties"]) - {"object"}, "object = []\n"),
        ("Of an object", set(toml_schema("objects.toml")["$defs"]["DisObject"]["properties"]) - {"rule"}, ROUTE),
    ],
    ids=["catalog", "object"],
)
def test_the_page_has_each_key_with_an_example_that_is_taken(title: str, keys: set[str], before: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| `([^`]+)` \|", section(title), re.MULTILINE))
    assert rows.keys() == keys
    lines = "\n".join(f"{name} = {value}" for name, value in rows.items())
    assert parse_catalog(before + lines, "sample")


def test_the_worked_catalog_and_its_rule_are_taken_together() -> None:
    worked, rule = (samples(section(title))[0] for title in ("Two tables", "Rules"))
    assert len([line for line in worked.splitlines() if line and not line.startswith("#")]) <= 12
    found = parse_catalog(worked + rule, "sample")
    assert found.parents("Stop") == ("Route",)
    assert found["Stop"].rule[0].condition("sqlite") == "t.closed <= :today"
    keys = as_json(worked + rule)["object"][-1]["rule"][0].keys()
    assert keys == set(toml_schema("objects.toml")["$defs"]["Rule"]["properties"])


def test_pages_and_shipped_files_are_valid_by_the_schemas() -> None:
    shipped = files("resync_tui.schema").joinpath("objects.toml").read_text("utf-8")
    validator("objects.toml").validate(as_json(shipped))
    for page in ("configuration.md", "sqlite.md", "postgresql.md"):
        whole = [sample for sample in samples((DOCS / page).read_text("utf-8")) if "[control]" in sample]
        assert whole
        for sample in whole:
            validator("resync.toml").validate(as_json(sample))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("objects.toml", 'name = "T"\n[[object]]\nname = "A"\ntable = ["a"]'),
        ("objects.toml", 'name = "T"\ntenant = "x"\nobject = []'),
        (
            "resync.toml",
            '[control]\nurl = "sqlite:///c"\n[state]\nname = "NV"\nurl = "sqlite:///s"\n[years]\ncurent = 2026',
        ),
        ("resync.toml", 'path = "x"\n[control]\nurl = "c"\n[state]\nname = "NV"\nurl = "s"\n[years]\ncurrent = 2026'),
    ],
)
def test_a_misspelt_key_is_not_valid(name: str, text: str) -> None:
    with pytest.raises(ValidationError):
        validator(name).validate(as_json(text))
