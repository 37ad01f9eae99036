"""One state has one fence, by whatever path it is named; a fence that is ahead is told."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from resync_tui.databases import sqlite
from resync_tui.databases.sqlite import sqlite_path
from resync_tui.engine.backends.base import LARGEST_TOKEN, Target
from resync_tui.engine.backends.registry import open_target
from resync_tui.errors import CannotRun, FenceAhead, LeaseLost
from resync_tui.outcome import Counts
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ENDS, ROWS, SMALL, Database, leftovers, pair

KINDS = ["sqlite", "postgresql"]


@asynccontextmanager
async def opened(url: str, token: int, tenant: str = "01") -> AsyncIterator[Target]:
    """Open a state for one claim."""
    target = open_target(make_job(url, url, SMALL, tenant, token=token).target)
    try:
        yield target
    finally:
        await target.close()


def via(link: Path, url: str) -> str:
    """Return the URL of a SQLite file by a symbolic link in another folder."""
    link.parent.mkdir()
    link.symlink_to(sqlite_path(url))
    return f"sqlite:///{link}"


async def test_a_symbolic_link_leads_to_the_same_fence(database: Database, tmp_path: Path) -> None:
    url = database("sqlite")
    await run_script(url, "CREATE TABLE a (id integer);")
    linked = via(tmp_path / "other" / "link.db", url)
    async with opened(url, 1) as older, opened(linked, 2) as newer:
        await older.claim()
        await newer.claim()
        with pytest.raises(LeaseLost):
            async with older.transaction():
                pass
        await newer.drop_stages()
    assert os.listdir(tmp_path / "other") == ["link.db"]
    assert await leftovers(url) == []


async def test_a_batch_by_a_link_sends_and_leaves_nothing(database: Database, tmp_path: Path) -> None:
    here = await pair(database, ENDS[0], ROWS)
    linked = via(tmp_path / "other" / "link.db", here.state)
    heard = await run(make_job(here.district, linked, SMALL, "01", ["A"]))
    assert heard.counts["A"] == Counts(processed=2, inserted=2)
    assert await leftovers(here.state) == []


async def test_a_state_with_a_hard_link_is_refused(database: Database, tmp_path: Path) -> None:
    here = await pair(database, ENDS[0], ROWS)
    (tmp_path / "second.db").hardlink_to(sqlite_path(here.state))
    for url in (here.state, f"sqlite:///{tmp_path / 'second.db'}"):
        with pytest.raises(CannotRun, match="has another name"):
            await run(make_job(here.district, url, SMALL, "01"))
    (tmp_path / "second.db").unlink()
    assert (await run(make_job(here.district, here.state, SMALL, "01"))).counts["A"].inserted == 2


async def test_a_file_mounted_alone_is_refused(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = database("sqlite")
    file = tmp_path / "my state.db"
    mounts = tmp_path / "mountinfo"
    escaped = str(file).replace(" ", "\\040")
    mounts.write_text(f"22 1 0:1 / / rw - overlay overlay rw\n36 22 8:1 /srv/s.db {escaped} rw - ext4 /dev/sda rw\n")
    monkeypatch.setattr(sqlite, "MOUNTS", mounts)
    with pytest.raises(CannotRun, match="is mounted alone"):
        open_target(make_job(url, f"sqlite:///{file}", SMALL, "01").target)
    open_target(make_job(url, url, SMALL, "01").target)


@pytest.mark.parametrize("kind", KINDS)
async def test_a_fence_ahead_names_both_tokens(database: Database, kind: str) -> None:
    url = database(kind)
    async with opened(url, 9_000_000_000_000) as other:
        await other.claim()
        await other.drop_stages()
    async with opened(url, 5) as late:
        with pytest.raises(FenceAhead) as told:
            await late.claim()
    assert told.value.token == 9_000_000_000_000
    assert "(token 9000000000000, this batch's is 5)" in told.value.what
    async with opened(url, told.value.token + 1) as after:
        await after.claim()
        await after.drop_stages()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_token_that_none_exceeds_says_how_to_reset(database: Database, kind: str) -> None:
    url = database(kind)
    async with opened(url, LARGEST_TOKEN + 1, "O'Hara") as other:
        await other.claim()
        await other.drop_stages()
    async with opened(url, 5, "O'Hara") as late:
        with pytest.raises(CannotRun, match="nothing can exceed it") as told:
            await late.claim()
        if kind == "sqlite":
            sqlite_path(url).with_name(f"{sqlite_path(url).name}.resync-fence").unlink()
        else:
            await run_script(url, told.value.do.partition("run there: ")[2].rstrip("."))
        await late.claim()
        await late.drop_stages()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_claim_overtaken_in_its_work_is_told(database: Database, kind: str) -> None:
    url = database(kind)
    async with opened(url, 1) as older, opened(url, 2) as newer:
        await older.claim()
        await newer.claim()
        with pytest.raises((LeaseLost, CannotRun)):
            async with older.transaction():
                pass
        await newer.drop_stages()
