"""How databases are opened."""

import socket
from collections.abc import Callable

from resync_tui.database import GONE_AFTER, connect_postgres, open_engine


async def test_a_connection_asks_whether_its_server_is_still_there(database: Callable[[str], str]) -> None:
    """Tried once, at half the last of these times, with a network cut in mid-statement: it broke after 62 seconds."""
    url = database("postgresql")
    alone = await connect_postgres(url, {})
    engine = open_engine(url)
    try:
        async with engine.connect() as connection:
            pooled = (await connection.get_raw_connection()).driver_connection
            for each in (alone, pooled):
                line = each._transport.get_extra_info("socket")  # type: ignore[union-attr]
                assert line.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE) == 1
                known = {name: value for name, value in GONE_AFTER.items() if hasattr(socket, name)}
                assert {name: line.getsockopt(socket.IPPROTO_TCP, getattr(socket, name)) for name in known} == known
    finally:
        await engine.dispose()
        await alone.close()
