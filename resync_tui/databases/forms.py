"""Registry of the forms of database URLs; it imports no driver and no SQL library."""

import re

from resync_tui.databases.postgres_url import PostgresUrl
from resync_tui.databases.sqlite_url import SqliteUrl
from resync_tui.databases.url import DatabaseUrl, UrlForm
from resync_tui.errors import ConfigError, nearest

_forms: list[UrlForm] = [PostgresUrl(), SqliteUrl()]
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*(?=://)")


def register(form: UrlForm) -> None:
    """Add a form, in the place of one of the same kind."""
    _forms[:] = [*(each for each in _forms if each.kind != form.kind), form]


def form_of(url: str) -> UrlForm:
    """Return the form of a URL by its scheme. Raises ConfigError for an unknown one."""
    found = _SCHEME.match(url)
    scheme = found[0] if found else ""
    for form in _forms:
        if scheme in form.schemes:
            return form
    close = nearest(scheme, (each for form in _forms for each in form.schemes)) if scheme else ""
    raise ConfigError(
        f"{f'{scheme}://' if scheme else 'no scheme'} is no database that is known here{close}",
        f"Use {' or '.join(form.example for form in _forms)}.",
    )


def parse(url: str) -> DatabaseUrl:
    """Return what a URL says, without its password. Raises ConfigError."""
    return form_of(url).parse(url)


def is_file(url: str) -> bool:
    """Whether a text begins as the URL of a kind of database that is a file: `scheme:///`."""
    return any(form.is_file and url.startswith(f"{scheme}:///") for form in _forms for scheme in form.schemes)
