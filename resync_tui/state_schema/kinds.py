"""DDL dialect of a database, by its kind. A further kind whose tables are to be derived or made is registered here."""

from collections.abc import Callable

from sqlalchemy import Connection

from resync_tui.databases.registry import kind_of
from resync_tui.state_schema.ddl import DdlDialect


def _postgres() -> DdlDialect:
    from resync_tui.state_schema.postgres import PostgresDdl

    return PostgresDdl()


def _sqlite() -> DdlDialect:
    from resync_tui.state_schema.sqlite import SqliteDdl

    return SqliteDdl()


_LOADERS: dict[str, Callable[[], DdlDialect]] = {"postgresql": _postgres, "sqlite": _sqlite}
"""By the kind's name."""


def register(kind: str, load: Callable[[], DdlDialect]) -> None:
    """Add the DDL dialect of a kind of database, by the kind's name."""
    _LOADERS[kind] = load


def ddl_of(url: str) -> DdlDialect:
    """Return the DDL dialect of a database by its URL. Raises ConfigError for an unknown kind."""
    return _LOADERS.get(kind_of(url).name, DdlDialect)()


def ddl_of_connection(connection: Connection) -> DdlDialect:
    """Return the DDL dialect of a connected database."""
    return _LOADERS.get(connection.dialect.name, DdlDialect)()
