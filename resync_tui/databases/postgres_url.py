"""URLs of PostgreSQL, read as asyncpg reads them: the hosts of the authority count before those of the query."""

import re
from collections.abc import Iterator, Mapping
from urllib.parse import parse_qsl, quote, unquote

from pydantic_core import MultiHostUrl, ValidationError

from resync_tui.databases.postgres_parameters import require_supported
from resync_tui.databases.url import DatabaseUrl, UrlForm
from resync_tui.errors import ConfigError

_FORM = re.compile(
    r"\w+://(?:(?P<user_info>[^@/?#]*)@)?(?P<hosts>[^@/?#]*)(?P<path>(?:/[^@?#]*)?)(?:\?(?P<query>[^#]*))?", re.ASCII
)
_PORT = "5432"
_THIS_MACHINE = ("localhost", "127.0.0.1", "[::1]")


class PostgresUrl(UrlForm):
    """`postgresql://user:password@host:port/name?key=value`, with several hosts, or a socket's folder as `host`."""

    kind = "postgresql"
    schemes = ("postgresql", "postgres")
    example = "postgresql://host/database"

    def parse(self, url: str) -> DatabaseUrl:
        found = _FORM.fullmatch(url)
        if found is None:
            raise _unreadable()
        login, hosts, path = unquote((found["user_info"] or "").partition(":")[0]), found["hosts"], found["path"]
        try:
            query = dict(parse_qsl(found["query"], strict_parsing=True)) if found["query"] else {}
            # Without user and password: no message can hold them, and beside a user the host may be left out.
            servers = MultiHostUrl(f"postgresql://{_hosts(hosts, query)}{path}")
        except ValidationError as error:
            raise _unreadable(error.errors()[0]["msg"].rpartition(", ")[2]) from None
        except ValueError:
            raise _unreadable("after a ? stands key=value") from None
        require_supported(query)
        user = login or query.get("user")
        name = unquote(path[1:]) or query.get("dbname") or query.get("database") or user or ""
        named = query.get("host", "/")
        where = hosts or ("local socket" if named.startswith("/") else named)
        return DatabaseUrl(
            f"{f'{login}@' if login else ''}{where}{path}",
            (self.kind, ",".join(sorted(_servers(servers))), name),
            user=user,
        )


def _hosts(hosts: str, query: Mapping[str, str]) -> str:
    """Return the hosts with their ports as an authority has them; this machine where the URL names none."""
    if hosts:
        return f"localhost{hosts}" if hosts.startswith(":") else hosts
    named = quote(query.get("host", "localhost"), safe="[]:,").split(",")
    ports = query["port"].split(",") if "port" in query else [""]
    return ",".join(f"{host}:{port}" for host, port in zip(named, ports * len(named), strict=False))


def _servers(url: MultiHostUrl) -> Iterator[str]:
    for each in url.hosts():
        host = unquote(each["host"] or "")
        host = host if host.startswith("/") else host.lower()
        yield f"{'' if host in _THIS_MACHINE else host}:{each['port'] or _PORT}"


def _unreadable(reason: str = "") -> ConfigError:
    return ConfigError(
        f"that URL cannot be read{reason and ': '}{reason}",
        "Write postgresql://user@host:port/database; in a password use %40 for @, %2F for /, %23 for #, %3F for ?.",
    )
