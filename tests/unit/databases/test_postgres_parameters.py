"""Parameters of libpq in a URL work, or are refused by name when the configuration is read."""

import pytest

from resync_tui.databases import forms
from resync_tui.databases.postgres_parameters import METHODS, allowed_methods, connect_seconds, for_driver
from resync_tui.errors import ConfigError

URL = "postgresql://u:hunter2@db/state"


@pytest.mark.parametrize(
    ("written", "sent"),
    [
        ("", ""),
        ("?sslmode=prefer", "?sslmode=prefer"),
        ("?connect_timeout=5", ""),
        ("?channel_binding=prefer&sslmode=require&keepalives=1", "?sslmode=require"),
        ("?search_path=sis&channel%5Fbinding=Disable", "?search_path=sis"),
        ("?client_encoding=UTF8&gssencmode=disable&connect_timeout=-1", ""),
    ],
)
def test_what_concerns_the_client_alone_is_not_sent(written: str, sent: str) -> None:
    assert forms.parse(URL + written).place == "u@db/state"
    assert for_driver(URL + written) == URL + sent


@pytest.mark.parametrize(
    ("written", "told"),
    [
        ("channel_binding=require", "channel_binding in that URL asks for what"),
        ("hostaddr=10.0.0.1", "hostaddr in that URL asks for what"),
        ("client_encoding=LATIN1", "client_encoding in that URL asks for what"),
        ("replication=database", "replication in that URL asks for what"),
        ("require_auth=oauth", "require_auth in that URL names no methods"),
        ("require_auth=md5,!password", "require_auth in that URL names no methods"),
        ("connect_timeout=soon", "connect_timeout in that URL is no number"),
    ],
)
def test_what_the_driver_does_not_do_is_refused_by_name(written: str, told: str) -> None:
    with pytest.raises(ConfigError, match=told) as refused:
        forms.parse(f"{URL}?sslmode=prefer&{written}")
    assert "hunter2" not in f"{refused.value.what} {refused.value.do}"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("", 10), ("?connect_timeout=0", 10), ("?connect_timeout=1", 2), ("?a=b&connect_timeout=30", 30)],
)
def test_the_timeout_of_a_url_counts(written: str, seconds: float) -> None:
    assert connect_seconds(URL + written, 10) == seconds


@pytest.mark.parametrize(
    ("written", "allowed"),
    [
        ("", METHODS - {"password"}),
        ("?require_auth=password", {"password"}),
        ("?a=b&require_auth=scram-sha-256%2Cmd5", {"scram-sha-256", "md5"}),
        ("?require_auth=!none,!md5", METHODS - {"none", "md5"}),
    ],
)
def test_what_authentication_a_url_allows(written: str, allowed: set[str]) -> None:
    assert allowed_methods(URL + written) == allowed
    assert for_driver(URL + written) == URL + ("?a=b" if "a=b" in written else "")
