"""Forms of database URLs: what one says, as the driver reads it, and what is told of one that cannot be read."""

from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import quote, urlsplit

import asyncpg
import pytest
from asyncpg.connect_utils import _parse_connect_dsn_and_args as driver_reads
from hypothesis import given
from hypothesis import strategies as st

from resync_tui.config import url
from resync_tui.config.check import check
from resync_tui.config.load import load_settings
from resync_tui.databases import forms
from resync_tui.databases.postgres import connect_postgres
from resync_tui.databases.registry import place
from resync_tui.databases.url import DatabaseUrl
from resync_tui.errors import ConfigError
from tests.support import odd_kind
from tests.support.databases import own_postgres

SECRET = "hunter2"

READ = {
    "postgresql://resync@db/state": ("resync@db/state", "db:5432", "state", "resync"),
    f"postgresql://resync:{SECRET}@db:5433/state": ("resync@db:5433/state", "db:5433", "state", "resync"),
    "postgres://DB.Example.org/state": ("DB.Example.org/state", "db.example.org:5432", "state", None),
    f"postgresql://campus:{SECRET}@db": ("campus@db", "db:5432", "campus", "campus"),
    "postgresql://:5433/state": (":5433/state", ":5433", "state", None),
    "postgresql://[::1]:5433/state": ("[::1]:5433/state", ":5433", "state", None),
    "postgresql://[fe80:0::0A]/state": ("[fe80:0::0A]/state", "[fe80::a]:5432", "state", None),
    f"postgresql://u:{SECRET}@b:1,A:2,c/state": ("u@b:1,A:2,c/state", "a:2,b:1,c:5432", "state", "u"),
    "postgresql:///state": ("local socket/state", ":5432", "state", None),
    "postgresql://jdoe@/state": ("jdoe@local socket/state", ":5432", "state", "jdoe"),
    f"postgresql://u:{SECRET}@/state?host=/run/Pg&port=5433": ("u@local socket/state", "/run/Pg:5433", "state", "u"),
    "postgresql://%2Frun%2FPg/state": ("%2Frun%2FPg/state", "/run/Pg:5432", "state", None),
    f"postgresql://?host=db,e&port=1,2&dbname=s&user=u&password={SECRET}": ("db,e", "db:1,e:2", "s", "u"),
    "postgresql://db/state?host=other&port=1": ("db/state", "db:5432", "state", None),
    "postgresql://us%40er:p%40s%2Fs%23w%3F@db/st%20ate": ("us@er@db/st%20ate", "db:5432", "st ate", "us@er"),
    "postgresql://u:p:a!$&'()*+,;=s@db/state?sslmode=prefer": ("u@db/state", "db:5432", "state", "u"),
}
"""Place, servers, name and user of a URL of PostgreSQL."""


@pytest.mark.parametrize("written", READ)
def test_what_a_postgresql_url_says(written: str) -> None:
    shown, servers, name, user = READ[written]
    assert forms.parse(written) == DatabaseUrl(shown, ("postgresql", servers, name), user=user)


@pytest.mark.parametrize("written", READ)
def test_the_driver_reads_a_postgresql_url_alike(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGHOST", "PGPORT", "PGUSER", "PGDATABASE", "PGSERVICEFILE"):
        monkeypatch.delenv(variable, raising=False)
    _, servers, name, user = READ[written]
    others = ("host", "port", "user", "password", "passfile", "database", "ssl", "service", "servicefile")
    more = ("direct_tls", "server_settings", "target_session_attrs", "krbsrvname", "gsslib")
    addresses, parameters = driver_reads(dsn=written, **dict.fromkeys((*others, *more)))[:2]
    if written.startswith(("postgresql:///", "postgresql://jdoe@/")):
        assert ("localhost", 5432) in addresses
    else:
        assert sorted(map(server, addresses)) == servers.split(",")
    assert parameters.database == name
    assert user in (None, parameters.user)


def server(address: str | tuple[str, int]) -> str:
    """Return an address of the driver's as an identity has it."""
    if isinstance(address, str):
        return address.replace("/.s.PGSQL.", ":")
    host = address[0].lower()
    if ":" in host:
        host = f"[{ip_address(host)}]"
    return f"{'' if host == '[::1]' else host}:{address[1]}"


MALFORMED = {
    f"postgresql://u:{SECRET}@db:99999/state": "invalid port number",
    f"postgresql://u:{SECRET}@db:1,e:65536/state": "invalid port number",
    f"postgresql://u:{SECRET}@db:port/state": "invalid port number",
    f"postgresql://u:{SECRET}@/state?host=db&port=99999": "invalid port number",
    f"postgresql://u:{SECRET}@[::1/state": "invalid IPv6 address",
    f"postgresql://u:{SECRET}@::1/state": "invalid port number",
    f"postgresql://u:{SECRET}@db,,e/state": "empty host",
    f"postgresql://u:{SECRET}@d b/state": "invalid domain character",
    f"postgresql://u:1@{SECRET}@db/state": "cannot be read",
    f"postgresql://u:1{SECRET}/x@db/state": "cannot be read",
    f"postgresql://u:1/{SECRET}@db/state": "cannot be read",
    f"postgresql://u:1#{SECRET}@db/state": "cannot be read",
    f"postgresql://u:1?{SECRET}@db/state": "after a ? stands key=value",
    f"postgresql://a:{SECRET}@db,b:{SECRET}@e/state": "cannot be read",
    f"mysql://u:{SECRET}@db/state": "mysql:// is no database that is known here",
    f"postgresq://u:{SECRET}@db/state": "the nearest is postgresql",
    f"u:{SECRET}@postgresql://db/state": "no scheme is no database",
    f"postgresql:u:{SECRET}@db/state": "no scheme is no database",
    f"sqlite://u:{SECRET}@db": "needs three slashes and a file",
    "sqlite:///": "needs three slashes and a file",
    "sqlite:///:memory:": "needs three slashes and a file",
    SECRET: "no scheme is no database",
}


@pytest.mark.parametrize("written", MALFORMED)
def test_a_malformed_url_is_told_without_its_password(written: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHOLE_URL", written)
    for refuse in (
        lambda: url.check(written, "[state] url"),
        lambda: url.expanded("${WHOLE_URL}", "[state] url", Path()),
    ):
        with pytest.raises(ConfigError) as told:
            refuse()
        assert told.value.what.startswith("[state] url: ")
        assert MALFORMED[written] in told.value.what
        assert "://" in told.value.do
        assert SECRET not in f"{told.value.what} {told.value.do}"
        assert told.value.__cause__ is None
        assert told.value.__suppress_context__ or told.value.__context__ is None


@given(st.text(st.characters(exclude_categories=["C"], exclude_characters="${}"), min_size=1, max_size=12))
def test_any_password_in_a_placeholder_stays_one(password: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PASSWORD", password)
        filled = url.expanded("postgresql://u:${PASSWORD}@db:5433/state", "[state] url", Path())
    said = forms.parse(filled)
    assert (said.place, said.user) == ("u@db:5433/state", "u")
    assert filled == f"postgresql://u:{quote(password, safe='')}@db:5433/state"


@pytest.mark.parametrize(
    "written",
    [
        "postgresql://${USER}:${file:password}@${HOST}:${PORT_OF_THE_SERVER}/${NAME}?host=${HOST}",
        "postgresql://u:${PASSWORD}@[${ADDRESS}]:5432/state",
        "postgresql://u@${HOSTS},b:${PORT}/state",
        "${WHOLE}",
        "sqlite:///${FOLDER}/state.db",
    ],
)
def test_what_hangs_on_a_placeholder_is_checked_once_expanded(written: str) -> None:
    url.check(written, "[state] url")


CONFIG = """
[control]
url = "odd:///control.file"
[state]
name = "NV"
url = "odd:///state.file"
[years]
current = 2026
[[district]]
id = "01"
name = "Abbott"
url = "odd:///{}"
"""


def test_a_third_kind_is_configured_as_its_form_says(tmp_path: Path) -> None:
    odd_kind.register()
    file = tmp_path / "resync.toml"
    file.write_text(CONFIG.format("abbott.file"))
    settings = load_settings(file)
    assert settings.district_url("01") == f"odd:///{tmp_path}/abbott.file"
    assert place(settings.state_url()) == f"{tmp_path}/state.file"
    check(settings)
    file.write_text(CONFIG.format("state.file"))
    with pytest.raises(ConfigError, match="district 01 and the state have the same database"):
        load_settings(file)


async def test_a_real_server_takes_what_the_form_takes(database: Callable[[str], str]) -> None:
    parts = urlsplit(database("postgresql"))
    assert parts.username
    login = quote(parts.username, safe="")
    in_query = f"host={parts.hostname}&port={parts.port}&user={login}&password={parts.password or ''}"
    silent = f"{parts.hostname}:1"
    for written in (
        f"postgres://?{in_query}&dbname={parts.path[1:]}",
        parts._replace(netloc=parts.netloc.replace("@", f"@{silent},")).geturl(),
    ):
        assert forms.parse(written).user == parts.username
        connection: asyncpg.Connection = await connect_postgres(written, {})
        try:
            assert await connection.fetchval("SELECT current_database()") == parts.path[1:]
        finally:
            await connection.close()


async def test_a_sockets_folder_stands_in_the_query_or_as_the_host() -> None:
    with own_postgres(unix_socket_directories=".") as server:
        parts, folder = urlsplit(server.admin_url), server.folder / "data"
        assert parts.username
        login = f"{parts.username}:{parts.password}"
        for written in (
            f"postgresql://{login}@/postgres?host={folder}&port={parts.port}",
            f"postgresql://{login}@{quote(str(folder), safe='')}:{parts.port}/postgres",
        ):
            assert forms.parse(written).identity == ("postgresql", f"{folder}:{parts.port}", "postgres")
            connection: asyncpg.Connection = await connect_postgres(written, {})
            try:
                assert await connection.fetchval("SELECT inet_client_addr() IS NULL")
            finally:
                await connection.close()
