"""Parameters of libpq in a URL that concern the client alone: the driver would send them to the server as settings."""

from collections.abc import Mapping
from urllib.parse import parse_qsl, unquote_plus

from resync_tui.errors import ConfigError

_CONNECT_TIMEOUT = "connect_timeout"
_LEAST_SECONDS = 2
_WITHOUT_EFFECT = frozenset(
    {
        "fallback_application_name",
        "keepalives",
        "keepalives_count",
        "keepalives_idle",
        "keepalives_interval",
        "max_protocol_version",
        "min_protocol_version",
        "sslcompression",
        "sslsni",
        "tcp_user_timeout",
    }
)
"""Parameters to which the program has its own answer, whatever they say."""
_TAKEN: Mapping[str, frozenset[str]] = {
    "channel_binding": frozenset({"prefer", "disable"}),
    "client_encoding": frozenset({"auto", "utf8", "utf-8"}),
    "gssdelegation": frozenset({"0"}),
    "gssencmode": frozenset({"prefer", "disable"}),
    "hostaddr": frozenset(),
    "load_balance_hosts": frozenset({"disable"}),
    "replication": frozenset({"false", "off", "no", "0"}),
    "requirepeer": frozenset(),
    "sslcertmode": frozenset({"allow"}),
    "sslcrldir": frozenset(),
}
"""Parameters that the driver does not know, and the values that ask for nothing that it does not do anyway."""
_REQUIRE_AUTH = "require_auth"
CLEAR_TEXT = "password"
NO_LOGIN = "none"
METHODS = frozenset({CLEAR_TEXT, NO_LOGIN, "gss", "md5", "scram-sha-256", "sspi"})
"""Methods of authentication, by the names that `require_auth` has for them; NO_LOGIN: the server asks for nothing."""
_OF_CLIENT = _WITHOUT_EFFECT | _TAKEN.keys() | {_CONNECT_TIMEOUT, _REQUIRE_AUTH}


def require_supported(query: Mapping[str, str]) -> None:
    """Raise ConfigError, by name, for a parameter that asks for what the driver does not do."""
    for name, value in query.items():
        if name == _CONNECT_TIMEOUT and not value.lstrip("-").isdecimal():
            raise ConfigError(f"{name} in that URL is no number", f"Write a number of seconds, as in {name}=5.")
        if name == _REQUIRE_AUTH and _methods(value) is None:
            raise ConfigError(
                f"{name} in that URL names no methods that this program's driver has",
                f"Write some of {', '.join(sorted(METHODS))}, parted by commas; or each with a ! before it.",
            )
        if name in _TAKEN and value.lower() not in _TAKEN[name]:
            taken = " or ".join(f"{name}={each}" for each in sorted(_TAKEN[name]))
            raise ConfigError(
                f"{name} in that URL asks for what this program's driver does not do",
                f"Leave it out{taken and f', or write {taken}'}.",
            )


def for_driver(url: str) -> str:
    """Return a URL without the parameters that concern the client alone."""
    start, mark, query = url.partition("?")
    kept = [each for each in query.split("&") if unquote_plus(each.partition("=")[0]) not in _OF_CLIENT]
    return f"{start}{mark}{'&'.join(kept)}" if kept and mark else start


def connect_seconds(url: str, otherwise: float) -> float:
    """Return a URL's `connect_timeout`, at least two as of libpq; `otherwise` if it has none."""
    seconds = int(dict(parse_qsl(url.partition("?")[2])).get(_CONNECT_TIMEOUT, "0"))
    return max(seconds, _LEAST_SECONDS) if seconds > 0 else otherwise


def allowed_methods(url: str) -> frozenset[str]:
    """Return the methods of authentication that a URL's `require_auth` allows; by default all but CLEAR_TEXT."""
    written = dict(parse_qsl(url.partition("?")[2])).get(_REQUIRE_AUTH)
    return (_methods(written) if written else None) or METHODS - {CLEAR_TEXT}


def _methods(written: str) -> frozenset[str] | None:
    """Return what a list of methods allows, as libpq reads it; None for one that is no such list."""
    named = [each.strip().lower() for each in written.split(",")]
    names = {each.removeprefix("!") for each in named}
    excluding = sum(each.startswith("!") for each in named)
    if not names <= METHODS or excluding not in (0, len(named)):
        return None
    return METHODS - names if excluding else frozenset(names)
