"""Backend of an end, by the kind of its database. A further kind is registered here and in `databases/registry.py`."""

from collections.abc import Callable
from dataclasses import dataclass

from resync_tui.databases.registry import kind_of
from resync_tui.engine.backends.base import End, Source, Target
from resync_tui.engine.dialect import Dialect


@dataclass(frozen=True, slots=True)
class Backend:
    """What the engine has of one kind of database."""

    dialect: Dialect
    source: Callable[[End, End], Source]
    """Makes the source of a district, given the state too; not yet connected."""
    target: Callable[[End], Target] | None
    """Makes the target of a state; None: no state of this kind."""


def _postgres() -> Backend:
    from resync_tui.engine.backends.postgres.dialect import DIALECT
    from resync_tui.engine.backends.postgres.source import PostgresSource
    from resync_tui.engine.backends.postgres.target import PostgresTarget

    return Backend(DIALECT, lambda end, _: PostgresSource(end), PostgresTarget)


def _sqlite() -> Backend:
    from resync_tui.engine.backends.sqlite.dialect import DIALECT
    from resync_tui.engine.backends.sqlite.source import SqliteSource
    from resync_tui.engine.backends.sqlite.target import SqliteTarget

    return Backend(DIALECT, SqliteSource, SqliteTarget)


_LOADERS: dict[str, Callable[[], Backend]] = {"postgresql": _postgres, "sqlite": _sqlite}
"""By the kind's name; imported when the first end of the kind is opened."""


def register(kind: str, load: Callable[[], Backend]) -> None:
    """Add the backend of a kind of database, by the kind's name."""
    _LOADERS[kind] = load


def backend_of(url: str) -> Backend:
    """Return the backend of a database by its URL. Raises ConfigError for an unknown kind."""
    return _LOADERS[kind_of(url).name]()


def open_source(end: End, state: End) -> Source:
    """Return the source for a district, not yet connected."""
    return backend_of(end.url).source(end, state)


def open_target(end: End) -> Target:
    """Return the target for a state, not yet connected."""
    make = backend_of(end.url).target
    assert make is not None, "require_pair has refused it"
    return make(end)
