"""SQLite files of this program's own, as a control database: one user's, with nothing of another program in it.

They have mode 0600, WAL so that screens read while an agent writes, and synchronous FULL, as an acknowledged request
must survive a power cut (NORMAL may lose the last commits).
"""

import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from anyio import to_thread
from sqlalchemy import event
from sqlalchemy.ext.asyncio import AsyncEngine

from resync_tui.databases.registry import open_engine
from resync_tui.databases.sqlite import real_path, require_regular, sqlite_path, table_names
from resync_tui.errors import CannotRun, NoRight
from resync_tui.files import own


async def open_own(url: str, where: str, patience: float, mark: str) -> AsyncEngine:
    """Return the engine of the file, made if need be, which waits `patience` seconds for locks.

    `where` names it in messages; a table `mark` tells it from other programs' files. Raises UntrustedPath and NoRight
    for a file or folder of others, CannotRun for what is none of ours; none of these is changed.
    """
    _make(sqlite_path(url), where)
    file = real_path(url)
    require_regular(file)
    if any(each.st_size for each in _states(file)):
        names = await to_thread.run_sync(table_names, file, patience)
        if names and mark not in names:
            raise CannotRun(
                f"{where[0].upper()}{where[1:]} holds tables of another program, such as {min(names)}",
                "Give [control] url a file of its own: the database of a district or of the state is none.",
            )
    engine = open_engine(url, pooled=True)

    @event.listens_for(engine.sync_engine, "connect")
    def durable(connection: Any, _record: object) -> None:
        cursor = connection.cursor()
        cursor.execute(f"PRAGMA busy_timeout = {patience * 1000:.0f}")
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.close()

    return engine


def close_to_others(file: Path) -> None:
    """Take the rights of others from a file, once it is known to be ours, and from what lies beside it."""
    for each in _files(file):
        with suppress(FileNotFoundError):
            if each.stat().st_mode & 0o077:
                each.chmod(0o600)


def _make(path: Path, where: str) -> None:
    """Ensure that the file exists and is this user's, as all that SQLite keeps beside it. Raises UntrustedPath."""
    with suppress(OSError):  # what cannot be entered is told below
        own.require_folder_of(path)
    try:
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        pass
    except FileNotFoundError:
        raise CannotRun(f"There is no folder for {where}", "Make the folder, or mend [control] url.") from None
    except OSError as error:
        raise CannotRun(f"Cannot make {where}: {error.strerror}", "Check the folder's mode and its disk.") from None
    try:
        if any(each.st_uid != os.geteuid() for each in _states(Path(os.path.realpath(path)))):
            raise _no_right(where)
    except PermissionError:
        raise _no_right(where) from None


def _states(file: Path) -> list[os.stat_result]:
    found = []
    for each in _files(file):
        with suppress(FileNotFoundError):
            found.append(each.stat())
    return found


def _files(file: Path) -> list[Path]:
    """Return a SQLite file and what it may keep beside it; the latter it removes at the last close."""
    return [file, *(file.with_name(f"{file.name}-{kind}") for kind in ("wal", "shm", "journal"))]


def _no_right(where: str) -> NoRight:
    return NoRight(f"You may not use {where}: it belongs to another user", "Ask its owner, or run this as its owner.")
