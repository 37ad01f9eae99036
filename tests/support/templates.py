"""Control databases that are made from a migrated one, in a tenth of the time that the migrations take."""

import secrets
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from resync_tui.control.connection import ControlDatabase
from tests.support.databases import create_database, finish


def control_file(path: Path) -> str:
    """Make a control database in a SQLite file; return its URL."""
    path.write_bytes(_migrated_file())
    path.chmod(0o600)
    return f"sqlite:///{path}"


def migrated_database(admin: str) -> str:
    """Make a control database on a PostgreSQL server; return its name: a template for others."""
    name = f"template_{secrets.token_hex(6)}"
    _migrate(create_database(admin, name))
    return name


@cache
def _migrated_file() -> bytes:
    with TemporaryDirectory() as folder:
        file = Path(folder) / "control.db"
        _migrate(f"sqlite:///{file}")
        assert [each.name for each in Path(folder).iterdir()] == [file.name]
        return file.read_bytes()


def _migrate(url: str) -> None:
    """Open it once."""

    async def open_once() -> None:
        await (await ControlDatabase.open(url)).close()

    finish(open_once())
