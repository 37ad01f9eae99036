"""`run` outlasts an outage of the control database, names its batch meanwhile, and ends as the batch does."""

from collections.abc import Callable
from urllib.parse import urlsplit

from tests.support.databases import execute
from tests.support.place import Place


def rename(admin: str, old: str, new: str) -> None:
    """Rename a database in use: sessions that open between the two statements would keep its name."""
    ended = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{old}'"
    execute(admin, f"ALTER DATABASE {old} CONNECTION LIMIT 0", ended, f"ALTER DATABASE {old} RENAME TO {new}")


def test_run_outlasts_an_outage_of_the_control_database(
    place: Place, control_database: Callable[[str], str], postgres_server: str
) -> None:
    url = control_database("postgresql")
    place.change("sqlite:///control.db", url)
    place.change("sqlite:///abbott.db", "${ABBOTT_URL}")
    name = urlsplit(url).path[1:]
    waiting = place.start("run", "-d", "02", "Person", "--ignore-excluded")
    assert waiting.stderr is not None
    assert waiting.stderr.readline().startswith("No agent is alive")
    assert waiting.stderr.readline().startswith("Start it: ")
    rename(postgres_server, name, f"{name}_away")
    try:
        assert waiting.stderr.readline().startswith("Batch #1: ")
    finally:
        execute(postgres_server, f"ALTER DATABASE {name}_away RENAME TO {name}")
    place.change("${ABBOTT_URL}", "sqlite:///abbott.db")
    assert place.run("agent", "--once").returncode == 0
    _, err = waiting.communicate()
    assert waiting.returncode == 0, err
    assert "Batch #1: the control database answers again." in err
