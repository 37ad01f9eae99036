"""The demo's consoles on a server: one of the state's and one of a district's, each with a role that sees its own."""

import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import anyio

from resync_tui.control.connection import ControlDatabase
from resync_tui.control.grants import enforce
from resync_tui.demo.server import execute, with_login, write_password
from resync_tui.demo.world import YEAR, World
from resync_tui.errors import CannotRun
from resync_tui.rights import Edition

CONSOLES = ("state", "district")
"""Folders beside the demo's resync.toml."""


@dataclass(frozen=True, slots=True)
class Console:
    """A console: its edition, the login of its user, and the districts that it lists."""

    edition: Edition
    role: str
    password: str
    districts: Sequence[World]

    async def let_in(self, control: str, owner: Sequence[str] = ()) -> None:
        """Give its role Read and Write in a control database; to be called with its owner's URL."""
        database = await ControlDatabase.open(control, edition=self.edition)
        try:
            roles = [*owner, self.role]
            await enforce(database, roles, roles)
        finally:
            await database.close()

    def write(self, folder: Path, control: str, state: str, urls: Mapping[str, str]) -> None:
        """Write its resync.toml and the file with its password; all URLs, by district's number too, have no login."""
        folder.mkdir(mode=0o700)
        write_password(folder / "password", self.password)
        url = with_login(control, f"{self.role}:${{file:password}}")
        tables = "".join(
            f'\n[[district]]\nid = "{each.number}"\nname = "{each.name}"\nurl = "{urls[each.number]}"\n'
            for each in self.districts
        )
        text = _CONFIG.format(edition=self.edition.kind, control=url, state=state, year=YEAR, before=YEAR - 1)
        (folder / "resync.toml").write_text(text + tables, "utf-8")
        (folder / "resync.toml").chmod(0o644)


@asynccontextmanager
async def consoles(admin_url: str, names: Mapping[str, str], worlds: Sequence[World]) -> AsyncIterator[list[Console]]:
    """Create the roles of both consoles, by the names of CONSOLES; they are dropped if the demo is not completed."""
    listed = "SELECT rolname FROM pg_roles WHERE rolname = ANY (:names)"
    if taken := await execute(admin_url, listed, list(names.values())):
        raise CannotRun(f"The server already has a role {taken[0]}", "Drop it, or build elsewhere: --dir FOLDER.")
    editions = Edition("state", ""), Edition("district", worlds[0].number)
    made = [
        Console(edition, names[name], secrets.token_hex(12), worlds if edition.kind == "state" else worlds[:1])
        for name, edition in zip(CONSOLES, editions, strict=True)
    ]
    try:
        for each in made:
            await execute(admin_url, f"CREATE ROLE \"{each.role}\" LOGIN PASSWORD '{each.password}'")
        yield made
    except BaseException:
        with anyio.CancelScope(shield=True):
            for each in made:
                await execute(admin_url, f'DROP ROLE IF EXISTS "{each.role}"')
        raise


_CONFIG = """\
# A console without any secret of a district or of the state: what it asks for, the agent of ../resync.toml carries out.

edition = "{edition}"

[control]
url = "{control}"

[state]
name = "NV"
url = "{state}"

[years]
current = {year}
opens = {before}-08-01
closes = {year}-06-30
"""
