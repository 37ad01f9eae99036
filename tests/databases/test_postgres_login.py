"""A password is told to no server that asks for it in clear text, unless the URL says so."""

import asyncio
import struct
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from sqlalchemy import text

from resync_tui.databases.registry import explained, open_engine
from resync_tui.errors import CannotRun
from tests.support.small import Database

SECRET = "rootsecret16742"


def message(kind: bytes, content: bytes) -> bytes:
    return kind + struct.pack("!I", len(content) + 4) + content


def request(code: int, content: bytes = b"") -> bytes:
    return message(b"R", struct.pack("!I", code) + content)


OK, CLEAR, MD5 = request(0), request(3), request(5, b"salt")
NOTICE = message(b"N", b"SNOTICE\0Mwelcome\0" + b"x" * 70_000 + b"\0\0")


@dataclass
class FakeServer:
    """A server that asks for what it likes, and keeps what it is told."""

    asks: Sequence[bytes]
    told: list[bytes] = field(default_factory=list)
    port: int = 0

    def url(self, query: str = "") -> str:
        return f"postgresql://jdoe:{SECRET}@127.0.0.1:{self.port}/control?sslmode=disable{query}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        length = struct.unpack("!I", await reader.readexactly(4))[0]
        await reader.readexactly(length - 4)
        for each in self.asks:
            writer.write(each)
            await writer.drain()
        self.told.append(await reader.read())
        writer.close()


@asynccontextmanager
async def serving(*asks: bytes) -> AsyncIterator[FakeServer]:
    fake = FakeServer(asks)
    server = await asyncio.start_server(fake.serve, "127.0.0.1", 0)
    fake.port = server.sockets[0].getsockname()[1]
    async with server:
        yield fake


async def refusal(fake: FakeServer, query: str = "") -> CannotRun:
    """Connect, and return why that failed."""
    url = fake.url(query)
    engine = open_engine(url)
    with pytest.raises(CannotRun) as told, explained("the control database", url):
        async with engine.connect():
            pass
    await engine.dispose()
    for _ in range(100):  # until the server has read to the end of what it was told
        await asyncio.sleep(0)
    return told.value


@pytest.mark.parametrize(
    "asks",
    [
        [CLEAR],
        [CLEAR[:3], CLEAR[3:7], CLEAR[7:]],
        [NOTICE + CLEAR],
        [NOTICE[:9], NOTICE[9:500], NOTICE[500:] + CLEAR[:8], CLEAR[8:]],
        [OK + CLEAR],
        [MD5, CLEAR],
    ],
    ids=["at once", "in pieces", "after a notice", "after one in pieces", "after letting in", "after another method"],
)
async def test_a_password_is_not_sent_in_clear_text(asks: Sequence[bytes]) -> None:
    async with serving(*asks) as fake:
        told = await refusal(fake)
        assert told.what == f"jdoe@127.0.0.1:{fake.port}/control asks for the password in clear text: it was not sent"
        assert "require_auth=password" in told.do
        assert SECRET.encode() not in b"".join(fake.told)


async def test_a_url_may_say_that_the_server_may_have_it() -> None:
    async with serving(CLEAR, message(b"E", b"SFATAL\0VFATAL\0C28P01\0Mno\0\0")) as fake:
        assert (await refusal(fake, "&require_auth=password")).what.startswith("Login refused by")
        assert SECRET.encode() in b"".join(fake.told)


@pytest.mark.parametrize(
    ("allowed", "asks", "told"),
    [
        ("scram-sha-256", MD5, "asks for md5, which require_auth in that url does not allow"),
        ("!md5", MD5, "asks for md5, which require_auth in that url does not allow"),
        ("md5,scram-sha-256", OK, "lets anybody in, which require_auth in that url does not allow"),
    ],
)
async def test_what_a_url_requires_is_held(allowed: str, asks: bytes, told: str) -> None:
    async with serving(asks) as fake:
        assert told in (await refusal(fake, f"&require_auth={allowed}")).what
        assert b"".join(fake.told) == b""


async def test_a_real_server_is_entered_by_what_it_asks_for(database: Database) -> None:
    url = database("postgresql")
    engine = open_engine(f"{url}?require_auth=scram-sha-256")
    async with engine.connect() as connection:
        assert await connection.scalar(text("SELECT 1")) == 1
    await engine.dispose()
