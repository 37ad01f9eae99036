"""Authentication at a PostgreSQL server: only by methods that the URL allows, as libpq's `require_auth`.

By default all but the password in clear text. asyncpg answers whatever a server asks for; between that request and the
answer its one hook is the class of its protocol.
"""

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

import asyncpg
import asyncpg.protocol

from resync_tui.databases.postgres_parameters import CLEAR_TEXT, NO_LOGIN, allowed_methods
from resync_tui.errors import CannotRun

_OK = 0
_METHODS = {3: CLEAR_TEXT, 5: "md5", 7: "gss", 9: "sspi", 10: "scram-sha-256"}
"""Methods by the code of the server's request (AuthenticationRequest of the protocol)."""
_HEADER = struct.Struct("!cI")
_CODE = struct.Struct("!I")
_REFUSED = b"SFATAL\0VFATAL\0C28000\0Mrefused by the client\0\0"


@dataclass(slots=True)
class _Login:
    """One connection's authentication."""

    allowed: frozenset[str]
    refused: str | None = None
    """The method that the server asked for though it is not allowed."""


_login: ContextVar[_Login | None] = ContextVar("login", default=None)


@contextmanager
def only_allowed_methods(url: str, place: str) -> Iterator[None]:
    """Let connections made inside authenticate by the methods alone that `url` allows. Raises CannotRun."""
    login = _Login(allowed_methods(url))
    token = _login.set(login)
    try:
        yield
    except Exception as error:
        if login.refused is None:
            raise
        raise _refusal(login.refused, place) from error
    finally:
        _login.reset(token)


def _refusal(method: str, place: str) -> CannotRun:
    if method == CLEAR_TEXT:
        return CannotRun(
            f"{place} asks for the password in clear text: it was not sent",
            "Have the server use scram-sha-256; if it may see the password: require_auth=password in that url.",
        )
    asks = "lets anybody in" if method == NO_LOGIN else f"asks for {method}"
    return CannotRun(
        f"{place} {asks}, which require_auth in that url does not allow", "Mend that url, or pg_hba.conf there."
    )


class _WatchedProtocol(asyncpg.protocol.Protocol):  # type: ignore[misc]  # asyncpg has no types
    """Protocol of asyncpg that looks at each request for authentication before it is answered."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._login = _login.get()
        self._unread = b""
        self._skipped = 0
        self._asked = False
        if self._login is not None:
            # Hides the method of the class, until the server is ready for queries: after that each byte counts.
            self.data_received = self._look_first

    def _look_first(self, data: bytes) -> None:
        method, is_ready = self._look(data)
        if method is not None and self._login is not None:
            self._login.refused = method
            data = _HEADER.pack(b"E", len(_REFUSED) + 4) + _REFUSED
        if method is not None or is_ready:
            del self.data_received
        super().data_received(data)

    def _look(self, data: bytes) -> tuple[str | None, bool]:
        """Return a method that is asked for and not allowed, and whether the login is over."""
        unread, at = self._unread + data[self._skipped :], 0
        self._skipped = max(0, self._skipped - len(data))
        while len(unread) - at >= _HEADER.size:
            kind, length = _HEADER.unpack_from(unread, at)
            if kind == b"Z":
                return None, True
            if kind == b"R":
                if len(unread) - at < _HEADER.size + _CODE.size:
                    break
                if (method := self._refused(_CODE.unpack_from(unread, at + _HEADER.size)[0])) is not None:
                    return method, False
            at += 1 + length
        self._unread = unread[at:]
        self._skipped += max(0, at - len(unread))
        return None, False

    def _refused(self, code: int) -> str | None:
        """Return the method of a request if it is not allowed."""
        method = _METHODS.get(code)
        if code == _OK and not self._asked:
            method = NO_LOGIN
        self._asked = True
        return method if self._login is not None and method not in (None, *self._login.allowed) else None


asyncpg.protocol.Protocol = _WatchedProtocol
