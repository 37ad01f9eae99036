"""The sample set-up: resync.toml, districts and a state, as SQLite files or on a PostgreSQL server.

An existing one is used and never overwritten. All is built aside and moved into place at the end, so an interrupted
build leaves nothing half made.
"""

import hashlib
import re
import secrets
import tempfile
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import anyio

from resync_tui.catalog import load
from resync_tui.demo.consoles import CONSOLES, consoles
from resync_tui.demo.fill import create_districts, fill
from resync_tui.demo.server import close_to_public, database_url, execute, with_login, write_password
from resync_tui.demo.world import SMALLEST, YEAR, World
from resync_tui.errors import CannotRun
from resync_tui.files import own
from resync_tui.processes import user_name

DISTRICTS = ("Abbott", "Campus", "Delmar", "Elko", "Fallon", "Gerlach", "Hawthorne", "Ione")
CONFIG = "resync.toml"


@dataclass(frozen=True, slots=True)
class Place:
    """A database of the demo: its name, its URL while it is built, and its URL in resync.toml."""

    name: str
    url: str
    written: str


async def build(
    folder: Path, *, students: int = 1000, districts: int = 2, seed: int = 2026, admin_url: str | None = None
) -> Path:
    """Build a demo of `students` students in `districts` districts; return the path of its resync.toml.

    `admin_url`, the URL of a PostgreSQL superuser, puts all databases on that server. The same seed gives the same
    data. Raises CannotRun if something else is in the way.
    """
    config = folder / CONFIG
    if await anyio.Path(config).exists():
        return config
    size = max(SMALLEST, students // districts)
    worlds = [World(f"{n:02d}", district_name(n), size, seed) for n in range(1, districts + 1)]
    with _aside(folder) as building:
        if admin_url is None:
            await _build_files(building, worlds)
        else:
            await _build_databases(building, folder, worlds, admin_url)
        _put_in_place(building, folder)
    return config


def district_name(number: int) -> str:
    """Return a district's name by its number, from 1."""
    return DISTRICTS[number - 1] if number <= len(DISTRICTS) else f"District {number}"


@contextmanager
def _aside(folder: Path) -> Iterator[Path]:
    """Yield an empty folder beside `folder`; remove what is left of it."""
    taken = [each.name for each in folder.glob("*.db")] if folder.exists() else []
    if taken:
        raise CannotRun(
            f"{folder} holds {sorted(taken)[0]} but no {CONFIG}", "Move it away, or build elsewhere: --dir FOLDER."
        )
    try:
        own.make_folder(folder.parent, 0o755)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=f".{folder.name}-") as aside:
            building = Path(aside, "demo")
            building.mkdir(mode=0o700)
            yield building
    except OSError as error:
        raise CannotRun(f"Cannot build in {folder}: {error.strerror}", "Build elsewhere: --dir FOLDER.") from None


def _put_in_place(building: Path, folder: Path) -> None:
    """Move the build into place, resync.toml last: its existence makes the demo complete."""
    if not folder.exists():
        building.rename(folder)
        return
    for each in sorted(building.iterdir(), key=lambda file: file.name == CONFIG):
        each.rename(folder / each.name)


async def _build_files(building: Path, worlds: Sequence[World]) -> None:
    places = [_file(building, world.name) for world in worlds]
    state = _file(building, "State")
    for place in (*places, state):
        (building / f"{place.name}.db").touch()
    await create_districts([place.url for place in places])
    await fill([(world, place.url) for world, place in zip(worlds, places, strict=True)], state.url, load())
    _write_config(building, worlds, places, state, "sqlite:///control.db")


def _file(building: Path, name: str) -> Place:
    file = f"{_slug(name)}.db"
    return Place(_slug(name), f"sqlite:///{building / file}", f"sqlite:///{file}")


async def _build_databases(building: Path, folder: Path, worlds: Sequence[World], admin_url: str) -> None:
    password = _password_file(building, admin_url)
    names = [_database_name(folder, name) for name in (*(world.name for world in worlds), "State", "Control")]
    roles = {name: _database_name(folder, f"{name} console") for name in CONSOLES}
    taken = await execute(admin_url, "SELECT datname FROM pg_database WHERE datname = ANY (:names)", list(names))
    if taken:
        raise CannotRun(f"The server already has a database {taken[0]}", "Drop it, or build elsewhere: --dir FOLDER.")
    async with consoles(admin_url, roles, worlds) as made, _databases(admin_url, names) as urls:
        places = [Place(name, url, _written(admin_url, name, password)) for name, url in zip(names, urls, strict=True)]
        *districts, state, control = places
        await create_districts([place.url for place in districts])
        await fill([(world, place.url) for world, place in zip(worlds, districts, strict=True)], state.url, load())
        server = with_login(admin_url, "")
        of_districts = {
            world.number: database_url(server, place.name) for world, place in zip(worlds, districts, strict=True)
        }
        owner = unquote(urlsplit(admin_url).username or user_name())
        for console, folder_name in zip(made, CONSOLES, strict=True):
            await console.let_in(control.url, [owner] if console.edition.kind == "state" else [])
            console.write(
                building / folder_name,
                database_url(server, control.name),
                database_url(server, state.name),
                of_districts,
            )
        await close_to_public(admin_url, urls[-1], [each.role for each in made])
        rights = RIGHTS.format(roles=", ".join(f'"{each}"' for each in (owner, roles["state"])))
        _write_config(building, worlds, districts, state, control.written, rights=rights)


@asynccontextmanager
async def _databases(admin_url: str, names: Sequence[str]) -> AsyncIterator[list[str]]:
    """Create databases and yield their URLs; they are renamed at the end, or dropped if that is not reached."""
    aside = [f"building_{secrets.token_hex(6)}" for _ in names]
    try:
        for name in aside:
            await execute(admin_url, f'CREATE DATABASE "{name}"')
        yield [database_url(admin_url, name) for name in aside]
        for old, new in zip(aside, names, strict=True):
            await execute(admin_url, f'ALTER DATABASE "{old}" RENAME TO "{new}"')
    finally:
        with anyio.CancelScope(shield=True):
            for name in aside:
                await execute(admin_url, f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def _password_file(building: Path, admin_url: str) -> str | None:
    """Return the server's password file as resync.toml names it; None for a URL without a password."""
    password = urlsplit(admin_url).password
    if password is None:
        return None
    file = building / "password"
    write_password(file, unquote(password))
    return file.name


def _written(admin_url: str, database: str, password: str | None) -> str:
    """Return a URL as written in resync.toml: the password stays in its file."""
    url = database_url(admin_url, database)
    return url if password is None else with_login(url, f"{urlsplit(url).username}:${{file:{password}}}")


def _database_name(folder: Path, name: str) -> str:
    """Return a database name that no other demo on the same server has."""
    mark = hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:6]
    return f"{_slug(folder.name)[:30]}_{_slug(name)}_{mark}"


def _slug(name: str) -> str:
    return re.sub(r"\W+", "_", name.lower()).strip("_") or "demo"


def _write_config(
    building: Path, worlds: Sequence[World], districts: Sequence[Place], state: Place, control: str, rights: str = ""
) -> None:
    tables = "".join(
        f'\n[[district]]\nid = "{world.number}"{ID_COMMENT}\nname = "{world.name}"\nurl = "{place.written}"\n'
        f"{PREVIOUS if place is districts[0] else ''}"
        for world, place in zip(worlds, districts, strict=True)
    )
    text = CONFIG_TEXT.format(control=control, state=state.written, year=YEAR, before=YEAR - 1) + rights + tables
    (building / CONFIG).write_text(text, "utf-8")
    # Whatever this user's umask: an agent follows no configuration that others can write.
    (building / CONFIG).chmod(0o644)


ID_COMMENT = "                             # what its database says of itself; else nothing is written"
PREVIOUS = """\
previous = [                          # what may be sent for the school year before this one
    "Calendar", "CourseSection", "SchoolMonth", "ScheduleStructure", "TermSchedule", "PeriodSchedule", "Day",
    "StructureGradeLevel", "AttDayAggregation", "Enrollment", "AttendanceExactCount", "Graduation", "Roster",
]
"""
RIGHTS = """
[rights]                              # roles of the control database: who may look, and who may send and cancel
read = [{roles}]
write = [{roles}]
"""
CONFIG_TEXT = """\
# Sample data: made-up districts and a made-up state, built by `resync-tui demo`. Delete the folder to start again.
# Relative paths are relative to this file.

edition = "state"                     # all districts; "district" is the console of a single one

[control]                             # requests, history and alerts
url = "{control}"

[state]
name = "NV"                           # Nevada: decides which state-specific objects exist
url = "{state}"

[years]                               # a school year is written as the year it ends in
current = {year}
opens = {before}-08-01                    # around these two days a full resync is due
closes = {year}-06-30

# [[schedule]]                        # the weekly sync: take away the # of these four lines, then `resync-tui agent`
# name = "weekly"
# cron = "0 2 * * 0"                  # Sundays at two
# timezone = "America/Los_Angeles"
"""
