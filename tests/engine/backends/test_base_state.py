"""What is known of a state before anything is sent: whether it can be written, and which triggers run first."""

from pathlib import Path
from urllib.parse import urlsplit

import pytest

from resync_tui.engine.backends.base import End
from resync_tui.engine.backends.registry import open_target
from resync_tui.errors import CannotRun
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ROWS, SAME, SMALL, Database, pair

TRIGGERS = {
    "sqlite": """
        CREATE TRIGGER "AFTER" INSERT ON A BEGIN SELECT 1; END;
        CREATE TRIGGER IF NOT EXISTS main.second BEFORE UPDATE ON a BEGIN SELECT 1; END;
        CREATE TRIGGER third AFTER INSERT ON a BEGIN SELECT 1; END;
        CREATE TRIGGER fourth BEFORE INSERT ON d BEGIN SELECT 1; END;""",
    "postgresql": """
        CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
        CREATE TRIGGER "AFTER" BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER second BEFORE UPDATE ON a FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER third AFTER INSERT ON a FOR EACH ROW EXECUTE FUNCTION f();
        CREATE TRIGGER off BEFORE INSERT ON a FOR EACH ROW EXECUTE FUNCTION f(); ALTER TABLE a DISABLE TRIGGER off;
        CREATE TRIGGER fourth BEFORE INSERT ON d FOR EACH ROW EXECUTE FUNCTION f();""",
}


@pytest.mark.parametrize("ends", SAME)
async def test_triggers_that_run_before_a_write_are_known(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, "", TRIGGERS[ends[1]])
    target = open_target(End(here.state, "the state", "01", 1))
    try:
        found = await target.before_triggers({each: (await target.reflect(["a"]))["a"] for each in ["a"]})
    finally:
        await target.close()
    assert found == [("a", "AFTER"), ("a", "second")]


async def test_a_state_that_may_only_be_read_is_refused_at_once(database: Database) -> None:
    here = await pair(database, ("postgresql", "postgresql"), ROWS)
    name = urlsplit(here.state).path[1:]
    await run_script(here.state, f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    with pytest.raises(
        CannotRun, match=r"Cannot write: the state \(.*\) is read-only by default_transaction_read_only"
    ):
        await run(make_job(here.district, here.state, SMALL, "01"))


async def test_a_sqlite_state_that_is_not_there_is_named(database: Database, tmp_path: Path) -> None:
    here = await pair(database, ("sqlite", "sqlite"), ROWS)
    with pytest.raises(CannotRun, match=r"There is no state yet: .*/none\.db is not there") as refused:
        await run(make_job(here.district, f"sqlite:///{tmp_path}/none.db", SMALL, "01"))
    assert "state init" in refused.value.do
