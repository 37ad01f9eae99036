"""Build a site: a small catalog, districts full of records, a state without any."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from resync_tui.config.load import load_settings
from resync_tui.control.store import Store
from tests.support.databases import run_script
from tests.support.site.site import Site

CATALOG = """
name = "Crash"
tenant_column = "districtNumber"
identity = "District.number"
[[object]]
name = "District"
tables = ["District"]
[[object]]
name = "Person"
tables = ["Person"]
parents = ["District"]
[[object]]
name = "Enrollment"
tables = ["Enrollment"]
parents = ["Person"]
[[object.rule]]
id = "excluded"
table = "Enrollment"
when = 't."excluded" = 1'
reason = "State-excluded enrollment"
[[object]]
name = "Health"
tables = ["Health"]
parents = ["Person"]
"""
DISTRICT = """
CREATE TABLE "District" ("number" VARCHAR(9) PRIMARY KEY);
CREATE TABLE "Person" ("personID" INTEGER PRIMARY KEY, "number" VARCHAR(9) NOT NULL REFERENCES "District",
  "name" VARCHAR(40) NOT NULL);
CREATE TABLE "Enrollment" ("enrollmentID" INTEGER PRIMARY KEY, "personID" INTEGER NOT NULL REFERENCES "Person",
  "grade" VARCHAR(9) NOT NULL, "excluded" INTEGER NOT NULL);
CREATE TABLE "Health" ("healthID" INTEGER PRIMARY KEY, "personID" INTEGER NOT NULL REFERENCES "Person",
  "note" VARCHAR(40));
"""
STATE = """
CREATE TABLE "District" ("districtNumber" VARCHAR(9), "number" VARCHAR(9), PRIMARY KEY ("districtNumber", "number"));
CREATE TABLE "Person" ("districtNumber" VARCHAR(9), "personID" INTEGER, "number" VARCHAR(9) NOT NULL,
  "name" VARCHAR(40) NOT NULL, PRIMARY KEY ("districtNumber", "personID"),
  FOREIGN KEY ("districtNumber", "number") REFERENCES "District" ("districtNumber", "number"));
CREATE TABLE "Enrollment" ("districtNumber" VARCHAR(9), "enrollmentID" INTEGER, "personID" INTEGER NOT NULL,
  "grade" VARCHAR(9) NOT NULL, "excluded" INTEGER NOT NULL, PRIMARY KEY ("districtNumber", "enrollmentID"),
  FOREIGN KEY ("districtNumber", "personID") REFERENCES "Person" ("districtNumber", "personID"));
CREATE TABLE "Health" ("districtNumber" VARCHAR(9), "healthID" INTEGER, "personID" INTEGER NOT NULL,
  "note" VARCHAR(40), PRIMARY KEY ("districtNumber", "healthID"),
  FOREIGN KEY ("districtNumber", "personID") REFERENCES "Person" ("districtNumber", "personID"));
"""
EXCLUDED_EVERY = 50
"""Every so-manieth enrollment may not sync."""


@asynccontextmanager
async def open_site(
    folder: Path,
    kind: str,
    database: Callable[[str], str],
    control: str,
    *,
    districts: Sequence[str] = ("01",),
    enrollments: int = 1_200,
    records_per_second: int = 200,
) -> AsyncIterator[Site]:
    """Build a site whose state is empty; whatever works there ends with it. `control`: its control database.

    Its records move so slowly that even a test that is kept waiting finds an agent in their middle.
    """
    (folder / "objects.toml").write_text(CATALOG)
    urls = {each: database(kind) for each in districts}
    state = database(kind) if kind == "postgresql" else f"sqlite:///{folder / 'state.db'}"
    lines = [f'[control]\nurl = "{control}"', f'[state]\nname = "NV"\nurl = "{state}"']
    lines += ["[years]\ncurrent = 2026", '[catalog]\nfile = "objects.toml"']
    lines += [f"[engine]\nmax_records_per_second = {records_per_second}"]
    lines += [f'[[district]]\nid = "{each}"\nname = "D{each}"\nurl = "{url}"' for each, url in urls.items()]
    (folder / "resync.toml").write_text("\n".join(lines))
    if kind == "sqlite":
        (folder / "state.db").touch()
    await run_script(state, STATE)
    for district, url in urls.items():
        await run_script(url, DISTRICT + _records(district, enrollments))
    settings = load_settings(folder / "resync.toml")
    store = await Store.open(settings.control_url())
    site = Site(settings, store)
    try:
        yield site
    finally:
        site.end()
        await store.close()


def _records(district: str, enrollments: int) -> str:
    persons = enrollments // 10

    def numbers(last: int) -> str:
        return f"WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {last})"

    return f"""
    INSERT INTO "District" VALUES ('{district}');
    INSERT INTO "Person" {numbers(persons)} SELECT i, '{district}', 'Person ' || i FROM n;
    INSERT INTO "Enrollment" {numbers(enrollments)}
      SELECT i, 1 + i % {persons}, '0' || i % 9, CASE i % {EXCLUDED_EVERY} WHEN 0 THEN 1 ELSE 0 END FROM n;
    INSERT INTO "Health" {numbers(persons)} SELECT i, i, 'Note ' || i FROM n;
    """
