"""Names that cannot be sent or made: `doctor` and `state init` say the same of them, and nothing is made."""

from pathlib import Path

import anyio
import pytest

from resync_tui.cli.doctor.examination import examine
from resync_tui.cli.options import read_settings
from resync_tui.config.load import load_catalog
from resync_tui.databases.names import quote_identifier
from resync_tui.errors import CannotRun
from resync_tui.outcome import Counts
from resync_tui.state_schema.derive import apply
from tests.support.databases import rows, run_script
from tests.support.running import make_job, run
from tests.support.settings import one_district
from tests.support.small import SAME, Database

CATALOG = """
name = "Small"
tenant_column = "tenant"
identity = "me.number"
[[object]]
name = "A"
tables = ["{}"]
"""
ME = "CREATE TABLE me (number text); INSERT INTO me VALUES ('01');"
LONG = "é" * 32
"""A name of 64 bytes in 32 characters."""


def configured(folder: Path, district: str, state: str, table: str) -> Path:
    (folder / "objects.toml").write_text(CATALOG.format(table))
    (folder / "resync.toml").write_text(one_district(district=district, state=state, catalog=True))
    return folder / "resync.toml"


def both_say(config: Path) -> str:
    """Return what both `state init` and `doctor` say of a district."""
    settings = read_settings(config)
    with pytest.raises(CannotRun) as refused:
        anyio.run(apply, settings.district_url("01"), settings.state_url(), load_catalog(settings))
    said = refused.value.what
    assert said.replace("The district", "District 01") in [each.what for each in examine(config).problems]
    return said


@pytest.mark.parametrize(
    ("table", "column", "told"),
    [(LONG, "name", f"The name {LONG} has 64 bytes"), ("a", LONG, f"The name {LONG} of a has 64 bytes")],
    ids=["table", "column"],
)
def test_names_that_postgresql_would_cut_are_told_before_init(
    database: Database, tmp_path: Path, table: str, column: str, told: str
) -> None:
    district, state = database("sqlite"), database("postgresql")
    anyio.run(run_script, district, f'{ME} CREATE TABLE "{table}" (id integer PRIMARY KEY, "{column}" text)')
    assert both_say(configured(tmp_path, district, state, table)).startswith(told)
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert anyio.run(rows, state, tables) == [(0,)]


@pytest.mark.parametrize("ends", SAME)
def test_a_dot_in_a_tables_name_is_told_with_a_way(database: Database, tmp_path: Path, ends: tuple[str, str]) -> None:
    district, state = map(database, ends)
    anyio.run(run_script, district, f'{ME} CREATE TABLE "v1.a" (id integer PRIMARY KEY); INSERT INTO "v1.a" VALUES (7)')
    told = both_say(configured(tmp_path, district, state, "v1.a"))
    assert told == (
        "The district has no table v1.a; a dot parts a schema from its table: send v1.a by a view without one"
    )
    anyio.run(run_script, district, 'CREATE VIEW a AS SELECT * FROM "v1.a"')
    config = configured(tmp_path, district, state, "a")
    settings = read_settings(config)
    anyio.run(apply, district, state, load_catalog(settings))
    assert [each.what for each in examine(config).problems] == []


@pytest.mark.parametrize("ends", SAME)
def test_a_schema_that_is_not_there_is_told(database: Database, tmp_path: Path, ends: tuple[str, str]) -> None:
    district, state = map(database, ends)
    anyio.run(run_script, district, f"{ME} CREATE TABLE a (id integer PRIMARY KEY)")
    assert both_say(configured(tmp_path, district, state, "old.a")).startswith("The district has no table old.a")


@pytest.mark.parametrize("parent", ["v1.b", 'a."b', "b."])
@pytest.mark.parametrize("ends", SAME)
def test_a_parent_with_a_dot_in_its_name_is_found(
    database: Database, tmp_path: Path, ends: tuple[str, str], parent: str
) -> None:
    district, state = map(database, ends)
    quoted = quote_identifier(parent)
    tables = f"CREATE TABLE {quoted} (id integer PRIMARY KEY, up integer REFERENCES {quoted} (id)); {{}}"
    child = f"CREATE TABLE a ({{}}id integer, b integer REFERENCES {quoted} (id), PRIMARY KEY ({{}}id));"
    filled = f"INSERT INTO {quoted} VALUES (7, 7); {{}}"
    anyio.run(run_script, district, f"{ME} {tables.format(child.format('', ''))} {filled.format('')}")
    anyio.run(run_script, district, "INSERT INTO a VALUES (1, 7)")
    tenant = "tenant varchar(9), ", "tenant, "
    anyio.run(run_script, state, f"{tables.format(child.format(*tenant))} {filled.format('')}")
    assert [each.what for each in examine(configured(tmp_path, district, state, "a")).problems] == []
    catalog = load_catalog(read_settings(tmp_path / "resync.toml"))
    heard = anyio.run(run, make_job(district, state, catalog, "01"))
    assert heard.counts["A"] == Counts(processed=1, inserted=1), heard.ended
    anyio.run(run_script, state, f"DELETE FROM a; DELETE FROM {quoted}")
    heard = anyio.run(run, make_job(district, state, catalog, "01", token=2))
    assert heard.counts["A"] == Counts(processed=1, blocked=1), heard.ended
