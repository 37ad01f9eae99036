"""A server takes what a URL says, or the parameter that it does not know is named."""

import pytest
from sqlalchemy import text

from resync_tui.databases.registry import explained, open_engine
from resync_tui.errors import CannotRun
from tests.support.small import Database


async def _asked(url: str, setting: str) -> object:
    engine = open_engine(url, read_only=True)
    try:
        with explained("the state", url):
            async with engine.connect() as connection:
                return await connection.scalar(text(f"SHOW {setting}"))
    finally:
        await engine.dispose()


async def test_settings_of_a_url_reach_the_session(database: Database) -> None:
    url = database("postgresql")
    assert await _asked(f"{url}?connect_timeout=20&channel_binding=prefer&search_path=sis", "search_path") == "sis"


async def test_a_parameter_that_no_server_knows_is_named(database: Database) -> None:
    url = database("postgresql")
    with pytest.raises(CannotRun, match="knows no parameter conect_timeout") as refused:
        await _asked(f"{url}?conect_timeout=5", "search_path")
    assert refused.value.do == "Take it out of that url."
