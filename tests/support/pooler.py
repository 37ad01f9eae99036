"""A pooler before a PostgreSQL server: it drops startup parameters, or lends a session for one transaction only."""

import asyncio
import struct
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import urlsplit, urlunsplit

_TLS_REQUEST = 80877103
_IDLE = b"I"
_ALWAYS_PASSED = ("user", "database")


@dataclass(eq=False)
class _Session:
    """A session at the server, and the client that has it."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    client: asyncio.StreamWriter | None = None


@dataclass
class _Pooler:
    host: str
    port: int
    by_transaction: bool
    rewritten: Mapping[bytes, bytes]
    free: list[_Session] = field(default_factory=list)
    freed: asyncio.Condition = field(default_factory=asyncio.Condition)
    lines: list[asyncio.StreamWriter] = field(default_factory=list)
    relays: list[asyncio.Task[None]] = field(default_factory=list)

    async def serve(self, reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> None:
        """Serve a client until it goes."""
        held: _Session | None = None
        self.lines.append(client)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            held = await self._started(await _startup(reader, client), client)
            while True:
                kind, body = await _message(reader)
                if held is None or held.client is not client:
                    held = await self._taken(client)
                if kind == b"X":
                    break
                for old, new in self.rewritten.items():
                    body = body.replace(old, new)
                held.writer.write(kind + struct.pack("!i", len(body) + 4) + body)
                await held.writer.drain()
        client.close()
        if held is not None and not self.by_transaction:
            held.writer.close()
        elif held is not None and held.client is client:
            await self._give_back(held)

    async def _started(self, parameters: dict[str, str], client: asyncio.StreamWriter) -> _Session:
        """Open a session with none but the parameters that name it; the client's own login goes through."""
        session = _Session(*await asyncio.open_connection(self.host, self.port), client)
        words = [word for name in _ALWAYS_PASSED if name in parameters for word in (name, parameters[name])]
        body = struct.pack("!i", 196608) + b"".join(word.encode() + b"\0" for word in words) + b"\0"
        session.writer.write(struct.pack("!i", len(body) + 4) + body)
        self.lines.append(session.writer)
        self.relays.append(asyncio.create_task(self._relay(session)))
        return session

    async def close(self) -> None:
        """Close all connections."""
        for line in self.lines:
            line.close()
        for line in self.lines:
            with suppress(ConnectionError):
                await line.wait_closed()
        await asyncio.gather(*self.relays)

    async def _relay(self, session: _Session) -> None:
        """Pass on what the server says, and free the session at the end of each transaction."""
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                kind, body = await _message(session.reader)
                if session.client is not None:
                    session.client.write(kind + struct.pack("!i", len(body) + 4) + body)
                if self.by_transaction and kind == b"Z" and body == _IDLE:
                    await self._give_back(session)
        if session.client is not None:
            session.client.close()

    async def _give_back(self, session: _Session) -> None:
        async with self.freed:
            session.client = None
            self.free.append(session)
            self.freed.notify()

    async def _taken(self, client: asyncio.StreamWriter) -> _Session:
        async with self.freed:
            await self.freed.wait_for(lambda: self.free)
            session = self.free.pop()
            session.client = client
            return session


async def _startup(reader: asyncio.StreamReader, client: asyncio.StreamWriter) -> dict[str, str]:
    """Return what a client asks for as it starts; TLS is declined."""
    while True:
        (size,) = struct.unpack("!i", await reader.readexactly(4))
        body = await reader.readexactly(size - 4)
        if struct.unpack("!i", body[:4])[0] != _TLS_REQUEST:
            break
        client.write(b"N")
    words = body[4:].decode().split("\0")
    return dict(zip(words[::2], words[1::2], strict=False))


async def _message(reader: asyncio.StreamReader) -> tuple[bytes, bytes]:
    kind = await reader.readexactly(1)
    (size,) = struct.unpack("!i", await reader.readexactly(4))
    return kind, await reader.readexactly(size - 4)


@contextmanager
def pooler(url: str, *, by_transaction: bool = False, rewritten: Mapping[bytes, bytes] | None = None) -> Iterator[str]:
    """Run a pooler before a server, in a thread; yield the URL by which it is reached.

    `rewritten` are texts of a client's messages that reach the server as others of the same length.
    """
    there = urlsplit(url)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    async def start() -> tuple[_Pooler, asyncio.Server]:
        served = _Pooler(there.hostname or "localhost", there.port or 5432, by_transaction, rewritten or {})
        return served, await asyncio.start_server(served.serve, "127.0.0.1", 0)

    async def stop() -> None:
        server.close()
        await served.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    served, server = asyncio.run_coroutine_threadsafe(start(), loop).result()
    try:
        port = server.sockets[0].getsockname()[1]
        login = there.netloc.rpartition("@")[0]
        yield urlunsplit(there._replace(netloc=f"{login and f'{login}@'}127.0.0.1:{port}"))
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
