"""Doctor: a pooler in transaction mode is named, at a district and at the state."""

from pathlib import Path

import anyio
import pytest

from resync_tui.cli.doctor.examination import examine
from tests.support.databases import run_script
from tests.support.pooler import pooler
from tests.support.settings import one_district
from tests.support.small import Database

CATALOG = """
name = "Small"
tenant_column = "tenant"
identity = "me.number"
[[object]]
name = "A"
tables = ["a"]
"""
DISTRICT = "CREATE TABLE me (number text); INSERT INTO me VALUES ('01'); CREATE TABLE a (id integer PRIMARY KEY)"
STATE = "CREATE TABLE a (tenant text, id integer, PRIMARY KEY (tenant, id))"


@pytest.mark.parametrize(("behind", "named"), [("state", "the state ("), ("district", "district 01 (")])
def test_a_pooler_in_transaction_mode_is_named(database: Database, tmp_path: Path, behind: str, named: str) -> None:
    urls = {"state": database("postgresql"), "district": database("postgresql")}
    anyio.run(run_script, urls["state"], STATE)
    anyio.run(run_script, urls["district"], DISTRICT)
    config = tmp_path / "resync.toml"
    (tmp_path / "objects.toml").write_text(CATALOG)

    def told() -> list[str]:
        config.write_text(one_district(**urls, catalog=True))
        found = [each.what for each in examine(config).problems]
        return [each for each in found if "pooler" in each]

    direct = urls[behind]
    with pooler(direct) as urls[behind]:
        assert told() == []
    with pooler(direct, by_transaction=True) as urls[behind]:
        (what,) = told()
    assert what.startswith("A pooler in transaction mode stands before")
    assert named in what
