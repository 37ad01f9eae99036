"""Registry of database kinds: open a database by its URL, and explain its errors in two lines.

A further kind of database is added by `register`.
"""

import logging
import ssl
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine

from resync_tui.databases import forms
from resync_tui.databases.base import ColumnType, DatabaseKind, EngineOptions
from resync_tui.errors import CannotRun, Unreachable

_log = logging.getLogger(__name__)

_registered: list[DatabaseKind] = []


def register(kind: DatabaseKind) -> DatabaseKind:
    """Add a kind of database, in the place of one of the same name; return it."""
    _registered[:] = [*(each for each in _registered if each.name != kind.name), kind]
    forms.register(kind.form)
    return kind


def kind_of(url: str) -> DatabaseKind:
    """Return the kind of a database by its URL. Raises ConfigError for an unknown one."""
    name = forms.form_of(url).kind
    for kind in _registered:
        if kind.name == name:
            return kind
    return register(_LOADERS[name]())


def _postgres() -> DatabaseKind:
    from resync_tui.databases.postgres import Postgres

    return Postgres()


def _sqlite() -> DatabaseKind:
    from resync_tui.databases.sqlite import Sqlite

    return Sqlite()


_LOADERS: Mapping[str, Callable[[], DatabaseKind]] = {"postgresql": _postgres, "sqlite": _sqlite}
"""A driver is imported when the first database of its kind is named."""


def can_feed(source_url: str, target_url: str) -> bool:
    """Whether a district can be sent into a state, by the kinds of their databases."""
    return kind_of(target_url).name in kind_of(source_url).feeds


def require_pair(source_url: str, target_url: str) -> None:
    """Require that a district can be sent into a state, by the kinds of their databases. Raises CannotRun."""
    if not can_feed(source_url, target_url):
        source, target = (kind_of(url).label for url in (source_url, target_url))
        raise CannotRun(f"A {source} district cannot be pushed into a {target} state", "Use a PostgreSQL state.")


def driver_errors() -> tuple[type[Exception], ...]:
    """Return what the drivers of all kinds raise that have been named in this process."""
    return (DBAPIError, *(error for kind in _registered for error in kind.errors))


def column_types(connection: Connection, name: str) -> dict[str, ColumnType]:
    """Return the column types of a table by column name; `name` is the table's catalog name."""
    (kind,) = (each for each in _registered if each.name == connection.dialect.name)
    return kind.column_types(connection, name)


def dialect_of(url: str) -> str:
    """Return the name of a database's kind, as `sqlite`. Raises ConfigError for an unknown one."""
    return kind_of(url).name


def place(url: str) -> str:
    """Return the display name of a database: its file, or user@host:port/name, never the password."""
    return forms.parse(url).place


def open_engine(
    url: str,
    *,
    application_name: str = "resync-tui",
    settings: Mapping[str, str] | None = None,
    create: bool = False,
    read_only: bool = False,
    pooled: bool = False,
) -> AsyncEngine:
    """Return an engine, not yet connected; without a pool unless `pooled`.

    `settings` are PostgreSQL's session settings. A SQLite file must exist unless `create`; `read_only` never writes to
    it. Its connections enforce foreign keys and begin transactions with `BEGIN` (see `begin_immediate`).
    """
    options = EngineOptions(application_name, settings or {}, create, read_only, pooled)
    return kind_of(url).open_engine(url, options)


@contextmanager
def explained(name: str, url: str) -> Iterator[None]:
    """Convert a driver's error into CannotRun or a subclass; `name` is the database's, as in `the state`."""
    kind_of(url)  # so that its driver's errors are known
    try:
        yield
    except Exception as error:
        if not isinstance(error, (OSError, *driver_errors())):
            raise
        explanation = explain(error, name, url)
        if explanation is None:
            raise
        raise explanation from None


def explain(error: BaseException, name: str, url: str) -> CannotRun | None:
    """Return the error for users that a driver's error means; None if it is not a known one."""
    cause = _driver_error(error)
    where = f"{name} ({place(url)})"
    for kind in _registered:
        if (found := kind.meaning(cause, where)) is not None:
            return found
    return _unreachable(where, cause) if isinstance(cause, OSError) else None


def trouble(error: BaseException, where: str) -> CannotRun:
    """Return the error for users of a statement that failed in mid-work and that `explain` does not know."""
    cause, code = _driver_error(error), driver_code(error)
    known = next(filter(None, (kind.trouble(cause) for kind in _registered)), None)
    if known is None:
        _log.warning("not in the list of troubles: %s", code)
    what, do = known or ("a statement was refused", "Its server's log says why; mend that, then send it again.")
    return CannotRun(f"In {where} {what} ({code}); what was written is right", do)


def driver_message(error: BaseException) -> str:
    """Return the first line of the driver's message; further lines may quote a record."""
    return str(_driver_error(error)).partition("\n")[0]


def driver_code(error: BaseException) -> str:
    """Return the class and code of a driver's error, without its text: that may quote a record."""
    cause = error.orig if isinstance(error, DBAPIError) and error.orig is not None else error
    code = next(filter(None, (kind.code(cause) for kind in _registered)), "")
    return f"{type(cause).__name__} {code}".strip()


def _driver_error(error: BaseException) -> BaseException:
    """Return the driver's exception under SQLAlchemy's."""
    if isinstance(error, DBAPIError) and error.orig is not None:
        inner: BaseException = error.orig
        return inner.__cause__ if isinstance(inner.__cause__, driver_errors()) else inner
    return error


def _unreachable(where: str, error: OSError) -> CannotRun:
    reason = error.strerror or type(error).__name__
    if isinstance(error, TimeoutError):
        reason = "no answer"
    elif isinstance(error, ssl.SSLError):
        reason = "TLS was refused"
    elif isinstance(error, ConnectionRefusedError) or "Multiple exceptions" in str(error):
        reason = "connection refused"
    return Unreachable(f"Cannot reach {where}: {reason}", "Check that it is running, its URL and the network.")
