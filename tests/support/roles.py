"""A control database on PostgreSQL with roles of every kind, and a plain connection for each."""

import secrets
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from resync_tui.config.load import load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.grants import enforce
from resync_tui.control.store import Store
from resync_tui.rights import Edition
from tests.support.databases import create_database, execute, finish

STATE, ABBOTT, CAMPUS = Edition("state"), Edition("district", "01"), Edition("district", "02")
GROUPS = ("dis_state", "dis_abbott", "dis_campus")
MEMBERS = {"governor": "dis_state", "jdoe": "dis_abbott", "kim": "dis_campus"}
OTHERS = ("agent", "agent_too", "reader", "writer", "stranger")


@dataclass
class Roles:
    """Logins on one control database; each role's name is the server's own, as other tests run beside this one."""

    url: str
    mark: str = field(default_factory=lambda: secrets.token_hex(4))
    opened: list[asyncpg.Connection | Store] = field(default_factory=list)
    """Closed when the test ends."""

    @property
    def database(self) -> str:
        """The server's name of the control database."""
        return urlsplit(self.url).path[1:]

    def memberships(self) -> list[str]:
        """Return what puts each member into its group, also once more."""
        return [f"GRANT {self.name(group)} TO {self.name(member)}" for member, group in MEMBERS.items()]

    def name(self, role: str) -> str:
        """Return the server's name of a role."""
        return f"{role}_{self.mark}"

    def login(self, role: str) -> str:
        """Return the control database's URL for a role."""
        parts = urlsplit(self.url)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit(parts._replace(netloc=f"{self.name(role)}:geheim@{host}"))

    async def connect(self, role: str) -> asyncpg.Connection:
        """Log in past the program."""
        self.opened.append(connection := await asyncpg.connect(self.login(role)))
        return connection

    async def store(self, role: str, edition: Edition | None) -> Store:
        """Open the control database as the program does."""
        self.opened.append(store := await Store.open(self.login(role), edition=edition))
        return store

    async def administrator(self) -> asyncpg.Connection:
        """Log in as the server's administrator, whom no policy holds."""
        self.opened.append(connection := await asyncpg.connect(self.url))
        return connection

    async def apply_grants(self, edition: Edition, *, read: tuple[str, ...], write: tuple[str, ...]) -> list[str]:
        """Do what an agent does at its start with [rights]."""
        database = await ControlDatabase.open(self.login("agent"), edition=edition)
        try:
            return await enforce(database, [self.name(each) for each in read], [self.name(each) for each in write])
        finally:
            await database.close()

    async def run(self, *statements: str) -> None:
        """Run statements as the server's administrator."""
        admin = await asyncpg.connect(self.url)
        try:
            for statement in statements:
                await admin.execute(statement)
        finally:
            await admin.close()


@pytest.fixture(scope="session")
def granted(postgres_server: str) -> Iterator[Roles]:
    """The roles of all these tests, and a control database that knows them: a template for others."""
    made = Roles(create_database(postgres_server, f"template_{secrets.token_hex(6)}"))
    finish(grant_all(made))
    yield made
    every = ", ".join(made.name(each) for each in (*GROUPS, *MEMBERS, *OTHERS))
    execute(postgres_server, f"DROP DATABASE {made.database} WITH (FORCE)", f"DROP ROLE {every}")


async def grant_all(made: Roles) -> None:
    """Make the roles of these tests on a control database that is made, too."""
    await made.run(
        *(f"CREATE ROLE {made.name(group)}" for group in GROUPS),
        *(f"CREATE ROLE {made.name(each)} LOGIN PASSWORD 'geheim'" for each in (*MEMBERS, *OTHERS)),
        *made.memberships(),
        f"GRANT {made.name('agent')} TO {made.name('agent_too')}",
        f"ALTER DATABASE {made.database} OWNER TO {made.name('agent')}",
        f"GRANT CREATE ON SCHEMA public TO {made.name('agent')}",
    )
    await made.apply_grants(STATE, read=("dis_state",), write=("dis_state",))
    await made.apply_grants(ABBOTT, read=("dis_abbott", "reader"), write=("dis_abbott", "writer"))
    await made.apply_grants(CAMPUS, read=("dis_campus",), write=("dis_campus",))


@pytest.fixture
async def roles(granted: Roles, postgres_server: str) -> AsyncIterator[Roles]:
    """An agent that owns the tables, groups with members, a reader, one who may only write, and a stranger."""
    url = create_database(postgres_server, f"test_{secrets.token_hex(6)}", granted.database)
    made = Roles(url, granted.mark)
    await made.run(f"ALTER DATABASE {made.database} OWNER TO {made.name('agent')}")
    yield made
    for each in made.opened:
        await each.close()
    execute(postgres_server, f"DROP DATABASE {made.database} WITH (FORCE)", *made.memberships())


def write_settings(folder: Path, control: str, edition: Edition, **rights: Sequence[str]) -> Settings:
    """Write the resync.toml of an edition, whose districts' work is faked, and read it."""
    districts = (edition.district,) if edition.own_only else ("01", "02", "03")
    lines = [f'edition = "{edition.kind}"', f'[control]\nurl = "{control}"']
    lines += ['[state]\nname = "NV"\nurl = "sqlite:///state.db"', "[years]\ncurrent = 2026", "[rights]"]
    lines += [f"{right} = {list(names)}" for right, names in rights.items()]
    lines += [f'[[district]]\nid = "{each}"\nname = "D{each}"\nurl = "sqlite:///{each}.db"' for each in districts]
    folder.mkdir(exist_ok=True)
    file = folder / "resync.toml"
    file.write_text("\n".join(lines))
    return load_settings(file)
