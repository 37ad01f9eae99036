"""Doctor names the tables of which earlier releases took another unique key to tell records apart."""

from pathlib import Path

import anyio
import pytest

from resync_tui.cli.doctor.examination import examine
from resync_tui.cli.options import read_settings
from resync_tui.config.load import load_catalog
from resync_tui.state_schema.derive import apply
from tests.support.databases import run_script
from tests.support.settings import one_district
from tests.support.small import SAME, Database

CATALOG = """
name = "Regions"
tenant_column = "tenant"
identity = "me.number"
[[object]]
name = "Region"
tables = ["region"]
{}
[[object]]
name = "Town"
tables = ["town"]
parents = ["Region"]
"""
ME = "CREATE TABLE me (number text); INSERT INTO me VALUES ('01');"
REGION = (
    "CREATE TABLE region (id integer{} NOT NULL, code varchar(9) UNIQUE NOT NULL, capital varchar(9) UNIQUE NOT NULL);"
)
TOWN = "CREATE TABLE town (id integer PRIMARY KEY, region varchar(9) REFERENCES region ({}));"
TOLD = (
    "Records of region are told apart by code, by earlier releases by capital: "
    "name one as key of Region in the catalog (district 01)"
)


@pytest.mark.parametrize(
    ("primary", "parent", "key", "told"),
    [
        ("", "code", "", [TOLD]),
        ("", "capital", "", []),
        ("", "code", 'key = ["region.code"]', []),
        (" PRIMARY KEY", "code", "", []),
    ],
    ids=["another", "the same", "named", "primary"],
)
@pytest.mark.parametrize("ends", SAME)
def test_a_table_with_another_key_than_before_is_named(
    database: Database, tmp_path: Path, ends: tuple[str, str], primary: str, parent: str, key: str, told: list[str]
) -> None:
    district, state = map(database, ends)
    anyio.run(run_script, district, ME + REGION.format(primary) + TOWN.format(parent))
    (tmp_path / "objects.toml").write_text(CATALOG.format(key))
    config = tmp_path / "resync.toml"
    config.write_text(one_district(district=district, state=state, catalog=True))
    anyio.run(apply, district, state, load_catalog(read_settings(config)))
    found = examine(config)
    assert found.problems == []
    assert [each.what for each in found.checks if "told apart" in each.what] == told
