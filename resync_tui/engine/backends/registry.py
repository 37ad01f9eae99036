"""Backend of an end, selected by the scheme of its URL."""

from resync_tui.databases.registry import dialect_of
from resync_tui.engine.backends.base import End, Source, Target


def open_source(end: End, state: End) -> Source:
    """Return the source for a district, not yet connected."""
    from resync_tui.engine.backends.postgres.source import PostgresSource
    from resync_tui.engine.backends.sqlite.source import SqliteSource

    return SqliteSource(end, state) if dialect_of(end.url) == "sqlite" else PostgresSource(end)


def open_target(end: End) -> Target:
    """Return the target for a state, not yet connected."""
    from resync_tui.engine.backends.postgres.target import PostgresTarget
    from resync_tui.engine.backends.sqlite.target import SqliteTarget

    return SqliteTarget(end) if dialect_of(end.url) == "sqlite" else PostgresTarget(end)
