"""A SQLite control database is one file of one user; whatever is wrong with it is told in two lines."""

import os
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from sqlalchemy import TextClause, text

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.store import Store
from resync_tui.errors import CannotRun, NoRight, UntrustedPath
from resync_tui.plan import Plan
from tests.support import forks
from tests.support.plans import send

OPEN_AS_NOBODY = """
import asyncio, os, sys
from resync_tui.control.store import Store
from resync_tui.errors import NoRight
os.setuid(65534)
try:
    asyncio.run(Store.open(sys.argv[1]))
except NoRight as error:
    print(error.exit_code, error.what, error.do, sep="|")
"""


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Callable[[int], Path]]:
    """Mount a disk of so many kB; only where this machine allows it."""
    folder = tmp_path / "disk"
    folder.mkdir()

    def mount(size: int) -> Path:
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size}k,mode=0700", "tmpfs", folder], capture_output=True
        )
        if done.returncode:
            pytest.skip("this machine mounts no disks")
        return folder

    yield mount
    subprocess.run(["umount", folder], capture_output=True)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "control.db"


def said_to_nobody(file: Path) -> list[str]:
    """Open it as another user, who may reach the folder."""
    for folder in file.parents:
        if folder == Path(tempfile.gettempdir()):
            break
        folder.chmod(0o755)
    command = [sys.executable, "-c", OPEN_AS_NOBODY, f"sqlite:///{file}"]
    return forks.run(command).stdout.strip().split("|")


def write_diary(file: Path) -> None:
    file.write_bytes(b"Dear diary, " * 500)


def fill(file: Path) -> None:
    """Write until the disk is full."""
    with file.open("wb", buffering=0) as endless, suppress(OSError):
        while True:
            endless.write(b"x" * 4096)


async def opened(file: Path) -> Store:
    return await Store.open(f"sqlite:///{file}")


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


async def test_only_the_owner_can_read_the_control_file_and_its_wal(file: Path, plan: Plan) -> None:
    store = await opened(file)
    await send(store, plan, "01")
    assert {each.name: mode(each) for each in file.parent.iterdir()} == {
        "control.db": 0o600,
        "control.db-shm": 0o600,
        "control.db-wal": 0o600,
    }
    await store.close()


async def test_a_file_that_others_could_read_is_closed_to_them(file: Path) -> None:
    os.close(os.open(file, os.O_CREAT))
    os.chmod(file, 0o644)
    await (await opened(file)).close()
    assert mode(file) == 0o600


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_another_user_has_no_right(file: Path) -> None:
    await (await opened(file)).close()
    assert said_to_nobody(file) == [
        "5",
        f"You may not use the control database ({file}): it belongs to another user",
        "Ask its owner, or run this as its owner.",
    ]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
async def test_not_even_root_uses_another_users(file: Path) -> None:
    os.close(os.open(file, os.O_CREAT, 0o600))
    os.chown(file, 65534, 65534)
    with pytest.raises(NoRight):
        await opened(file)


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
async def test_a_folder_that_others_may_write_is_refused(file: Path, mode: int) -> None:
    """A `-wal` that somebody puts there would replace what the file holds."""
    await (await opened(file)).close()
    os.chmod(file.parent, mode)
    with pytest.raises(UntrustedPath, match=f"Others can write {file.parent}"):
        await opened(file)
    os.chmod(file.parent, 0o700)
    await (await opened(file)).close()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
@pytest.mark.parametrize("kind", ["wal", "shm", "journal"])
async def test_a_file_of_another_user_beside_it_is_refused(file: Path, kind: str) -> None:
    await (await opened(file)).close()
    planted = file.with_name(f"{file.name}-{kind}")
    planted.touch()
    os.chown(planted, 65534, 65534)
    with pytest.raises(NoRight):
        await opened(file)


async def test_a_file_of_another_program_keeps_its_mode(file: Path) -> None:
    write_diary(file)
    os.chmod(file, 0o644)
    with pytest.raises(CannotRun, match="Not a SQLite file"):
        await opened(file)
    assert mode(file) == 0o644


async def test_commits_survive_a_power_cut_and_readers_do_not_wait(file: Path, plan: Plan) -> None:
    database = await ControlDatabase.open(f"sqlite:///{file}")
    async with database.read() as connection:
        assert await connection.scalar(_pragma("journal_mode")) == "wal"
        assert await connection.scalar(_pragma("synchronous")) == 2
        assert await connection.scalar(_pragma("foreign_keys")) == 1
        assert await connection.scalar(_pragma("busy_timeout")) >= 10_000
    async with database.write() as connection:
        await connection.exec_driver_sql('UPDATE "DISGate" SET changes = 41')
        store = await opened(file)
        assert await store.changes() == 0
        await store.close()
    await database.close()


async def test_a_missing_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CannotRun, match="no folder for the control database") as told:
        await opened(tmp_path / "nowhere" / "control.db")
    assert told.value.do == "Make the folder, or mend [control] url."


async def test_a_file_that_is_no_database_is_told(file: Path) -> None:
    write_diary(file)
    with pytest.raises(CannotRun, match="Not a SQLite file"):
        await opened(file)


async def test_a_locked_database_is_told_in_time(file: Path, plan: Plan) -> None:
    await (await opened(file)).close()
    database = await ControlDatabase.open(f"sqlite:///{file}", patience=1)
    with closing(sqlite3.connect(file, isolation_level=None)) as holder:
        holder.execute("BEGIN IMMEDIATE")
        with pytest.raises(CannotRun, match=r"the control database .* is locked"):
            await send(Store(database), plan, "01")
        holder.execute("ROLLBACK")
    await send(Store(database), plan, "01")
    assert len(await Store(database).batches()) == 1
    await database.close()


@pytest.mark.skipif(os.geteuid() != 0 or shutil.which("mount") is None, reason="only root can mount a small disk")
async def test_a_full_disk_is_told_and_nothing_is_half_written(small_disk: Callable[[int], Path], plan: Plan) -> None:
    folder = small_disk(400)
    store = await opened(folder / "control.db")
    (first,) = await send(store, plan, "01")
    filler = folder / "filler"
    fill(filler)

    async def send_on() -> None:
        for _ in range(200):
            await send(store, plan, "01", "02", "03", "04")

    with pytest.raises(CannotRun, match="The disk is full: the control database"):
        await send_on()
    filler.unlink()
    batches = await store.batches()
    assert first in [each.batch for each in batches]
    assert all(len(each.objects) == 2 for each in batches)
    assert (len(batches) - 1) % 4 == 0
    await send(store, plan, "01")
    await store.close()


def _pragma(name: str) -> TextClause:
    return text(f"PRAGMA {name}")
