"""Agents that log in under roles of their own push into one state."""

import secrets
from urllib.parse import urlsplit

from resync_tui.outcome import Status
from tests.support.databases import login, run_script
from tests.support.running import make_job, run
from tests.support.small import ROWS, SMALL, Database, pair


async def test_members_of_the_states_owner_role_share_its_stage(database: Database) -> None:
    here = await pair(database, ("sqlite", "postgresql"), ROWS)
    mark = secrets.token_hex(4)
    owner, *members = (f"{name}_{mark}" for name in ("state", "one", "two"))
    name = urlsplit(here.state).path[1:]
    await run_script(
        here.state,
        f"CREATE ROLE {owner}; ALTER DATABASE {name} OWNER TO {owner};"
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {owner};"
        + "".join(f"CREATE ROLE {each} LOGIN PASSWORD 'geheim' IN ROLE {owner};" for each in members),
    )
    try:
        for token, member in enumerate(members, 1):
            heard = await run(make_job(here.district, login(here.state, member), SMALL, "01", token=token))
            assert set(heard.statuses.values()) == {Status.COMPLETED}, heard.ended
        assert await here.held("SELECT count(*) FROM a") == [(2,)]
    finally:
        every = ", ".join((owner, *members))
        await run_script(
            here.state, f"REASSIGN OWNED BY {every} TO CURRENT_USER; DROP OWNED BY {every}; DROP ROLE {every}"
        )
