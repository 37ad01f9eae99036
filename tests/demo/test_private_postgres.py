"""The private PostgreSQL: it outlives whoever started it, keeps its password to itself, and ends when told."""

import os
import stat
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from shutil import rmtree
from urllib.parse import urlsplit

import asyncpg
import pytest
from anyio import run_process

from resync_tui.demo.private_postgres import PrivatePostgres
from resync_tui.errors import CannotRun


@pytest.fixture
def server() -> Iterator[PrivatePostgres]:
    folder = Path(tempfile.mkdtemp(prefix="resync-tui-own-"))
    folder.chmod(0o755)
    private = PrivatePostgres(folder / "pg")
    yield private
    private.stop("immediate")
    rmtree(folder)


async def test_server_outlives_its_starting_process_and_keeps_its_data(server: PrivatePostgres) -> None:
    code = (
        "import pathlib, sys; from resync_tui.demo.private_postgres import PrivatePostgres as P;"
        "P(pathlib.Path(sys.argv[1])).start()"
    )
    await run_process([sys.executable, "-c", code, str(server.folder)])
    connection = await asyncpg.connect(server.admin_url)
    await connection.execute("CREATE TABLE kept (n int)")
    await connection.close()
    assert server.stop()
    assert not server.running
    url = server.admin_url
    assert server.start() == url
    connection = await asyncpg.connect(url)
    assert await connection.fetchval("SELECT count(*) FROM kept") == 0
    await connection.close()


async def test_it_lets_nobody_in_without_the_password(server: PrivatePostgres) -> None:
    parts = urlsplit(server.start())
    password = server.folder / "password"
    assert stat.S_IMODE(password.stat().st_mode) == 0o600
    assert password.stat().st_uid == os.getuid()
    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(host="127.0.0.1", port=parts.port, user="resync", password="guess", database="postgres")


def test_a_folder_with_something_else_in_it_is_left_alone(server: PrivatePostgres) -> None:
    server.folder.mkdir()
    (server.folder / "diary").write_text("mine")
    with pytest.raises(CannotRun, match="holds something else"):
        server.start()
    assert (server.folder / "diary").read_text() == "mine"


def test_an_interrupted_set_up_starts_over(server: PrivatePostgres) -> None:
    server.folder.mkdir()
    (server.folder / "password.draft").write_text("half")
    (server.folder / "data").mkdir()
    server.start()
    assert server.running


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs it as another user")
def test_root_is_told_where_the_unprivileged_user_cannot_go(server: PrivatePostgres) -> None:
    server.folder.parent.chmod(0o700)
    with pytest.raises(CannotRun) as error:
        server.start()
    assert "nobody" in error.value.what
    assert "--dir" in error.value.do
    assert not server.folder.exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs it as another user")
def test_root_can_start_it_from_a_private_virtual_environment(
    server: PrivatePostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resync_tui.demo.private_postgres._runs", lambda *_: False)
    server.start()
    assert (server.folder / "programs").exists()


async def test_every_database_of_the_tests_is_fresh_and_its_own(database: Callable[[str], str]) -> None:
    first, second = database("postgresql"), database("postgresql")
    assert first != second
    connection = await asyncpg.connect(first)
    tables = "SELECT count(*) FROM information_schema.tables WHERE table_schema = 'public'"
    assert await connection.fetchval(tables) == 0
    await connection.close()
    assert database("sqlite").startswith("sqlite:////")
