"""What is in the databases of a site, asked through plain drivers, and changed as others change it."""

from dataclasses import dataclass
from pathlib import Path

from resync_tui.config.settings import Settings
from resync_tui.databases.registry import dialect_of
from resync_tui.results import Batch
from tests.support.databases import rows, run_script

TABLES = ("District", "Person", "Enrollment", "Health")
Rows = dict[str, list[tuple[object, ...]]]


@dataclass
class Records:
    """The databases that resync.toml names."""

    settings: Settings

    @property
    def folder(self) -> Path:
        """Where resync.toml is, and all files of SQLite."""
        return self.settings.path.parent

    @property
    def state(self) -> str:
        """The state's URL."""
        return self.settings.state_url()

    @property
    def postgresql(self) -> bool:
        """Whether the state is PostgreSQL; else it is SQLite."""
        return dialect_of(self.state) == "postgresql"

    async def source(self, district: str) -> Rows:
        """Return what the state should hold of a district: all but what may not sync."""
        url = self.settings.district_url(district)
        found = {table: await rows(url, f'SELECT * FROM "{table}" ORDER BY 1') for table in TABLES}
        found["Enrollment"] = [row for row in found["Enrollment"] if not row[3]]
        return found

    async def held(self, district: str) -> Rows:
        """Return what the state holds of a district."""
        query = 'SELECT * FROM "{}" WHERE "districtNumber" = \'{}\' ORDER BY 2'
        found = {table: await rows(self.state, query.format(table, district)) for table in TABLES}
        return {table: [row[1:] for row in found[table]] for table in TABLES}

    async def raw_state(self) -> Rows:
        """Return every row of the state, with the transaction that wrote it (PostgreSQL) or its place (SQLite)."""
        mark = "xmin::text" if self.postgresql else "rowid"
        found = {table: await rows(self.state, f'SELECT {mark}, * FROM "{table}"') for table in TABLES}
        return {table: sorted(found[table], key=repr) for table in TABLES}

    async def raw_control(self) -> Rows:
        """Return all that the control database holds of batches."""
        tables = ("DISBatch", "DISBatchHistory", "DISBatchError", "DISBatchErrorCount", "DISRunning")
        found = {table: await rows(self.settings.control_url(), f'SELECT * FROM "{table}"') for table in tables}
        return {table: sorted(found[table], key=repr) for table in tables}

    async def leftovers(self) -> list[str]:
        """Name every stage, and every copy of a district, that is still there."""
        files = [path.name for path in self.folder.glob("*.resync-*") if not path.name.endswith(".resync-fence")]
        files += [path.name for path in (self.folder / "tmp").iterdir()]
        if not self.postgresql:
            return files
        tables = await rows(self.state, "SELECT tablename FROM pg_tables WHERE schemaname = 'resync_stage' ORDER BY 1")
        return files + [str(name) for (name,) in tables if name != "fence"]

    async def change(self, district: str, *statements: str) -> None:
        """Change a district's records, as its own users do."""
        await run_script(self.settings.district_url(district), ";".join(statements))

    async def add_person(self, district: str, number: int) -> None:
        """Add a person with an enrollment."""
        await self.change(
            district,
            f"INSERT INTO \"Person\" VALUES ({number}, '{district}', 'Newcomer')",
            f"INSERT INTO \"Enrollment\" VALUES ({number}, {number}, '01', 0)",
        )

    async def all_is_right(self, *districts: str) -> None:
        """The state equals the districts as they are, and nothing is left behind."""
        for district in districts:
            assert await self.held(district) == await self.source(district)
        assert await self.leftovers() == []


def accounts_hold(batch: Batch) -> None:
    """Every record of every object is accounted for."""
    for each in batch.objects:
        counts = each.counts
        assert counts.processed == counts.inserted + counts.updated + counts.unchanged + counts.errors, each
        assert counts.errors == counts.excluded + counts.rejected + counts.blocked, each
        assert each.message == "", each
