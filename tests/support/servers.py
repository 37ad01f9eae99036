"""Fresh databases on real servers; nothing of them stays behind, however the tests end."""

import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from resync_tui.demo.private_postgres import PrivatePostgres
from tests.support.comparison import Comparison, readable_beside
from tests.support.databases import create_database, execute
from tests.support.templates import control_file, migrated_database

OWN_SERVER = "RESYNC_TUI_TEST_POSTGRES"
"""Names a server, by the URL of a superuser, instead of the private one."""

_FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_wal_size": "2GB",
    "max_connections": "200",
    "jit": "off",
    "autovacuum": "off",
}

_CLEAN_UP = """
import shutil, sys
from pathlib import Path
from resync_tui.demo.private_postgres import PrivatePostgres
sys.stdin.read()
folder = Path(sys.argv[1])
PrivatePostgres(folder, *sys.argv[2:]).stop("immediate")
shutil.rmtree(folder)
"""


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The admin URL of a PostgreSQL that any test may use; started by the first one that asks."""
    if OWN_SERVER in os.environ:
        yield os.environ[OWN_SERVER]
        return
    with _private_server() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_16() -> Iterator[str]:
    """The admin URL of an older PostgreSQL, for what must hold between two releases."""
    with _private_server("pginstall") as url:
        yield url


@contextmanager
def _private_server(*release: str) -> Iterator[str]:
    """Run a server; what cleans up waits for its standard input to end, so a killed pytest leaves nothing either."""
    folder = Path(tempfile.mkdtemp(prefix="resync-tui-pg-"))
    cleaner = subprocess.Popen(
        [sys.executable, "-c", _CLEAN_UP, str(folder), *release], stdin=subprocess.PIPE, start_new_session=True
    )
    assert cleaner.stdin is not None
    try:
        yield PrivatePostgres(folder, *release).start(_FAST)
    finally:
        cleaner.stdin.close()
        cleaner.wait()


_SERVERS = {"postgresql": "postgres_server", "postgresql-16": "postgres_16"}


@pytest.fixture(scope="session")
def control_template(postgres_server: str) -> Iterator[str]:
    """The name of a migrated control database of that server."""
    name = migrated_database(postgres_server)
    yield name
    execute(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def database(
    tmp_path: Path, request: pytest.FixtureRequest, comparison: Comparison | None
) -> Iterator[Callable[[str], str]]:
    """Give a fresh, empty database's URL: `database("postgresql")`, `"postgresql-16"` or `"sqlite"`."""
    made: list[tuple[str, str]] = []

    def make(kind: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        if kind == "sqlite":
            file = tmp_path / f"{name}.db"
            file.touch()
            url = f"sqlite:///{file}"
            if comparison is Comparison.BESIDE:
                readable_beside(url)
            return url
        admin: str = request.getfixturevalue(_SERVERS[kind])
        made.append((admin, name))
        return create_database(admin, name)

    yield make
    for admin in dict.fromkeys(admin for admin, _ in made):
        execute(admin, *(f"DROP DATABASE {name} WITH (FORCE)" for server, name in made if server == admin))


@pytest.fixture
def control_database(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Callable[[str], str]]:
    """Give a control database without a row, `"postgresql"` or `"sqlite"`, by its URL; migrations have been run."""
    made: list[str] = []

    def make(kind: str) -> str:
        name = f"control_{secrets.token_hex(6)}"
        if kind == "sqlite":
            return control_file(tmp_path / f"{name}.db")
        made.append(name)
        template: str = request.getfixturevalue("control_template")
        return create_database(request.getfixturevalue("postgres_server"), name, template)

    yield make
    if made:
        drops = (f"DROP DATABASE {name} WITH (FORCE)" for name in made)
        execute(request.getfixturevalue("postgres_server"), *drops)
