"""What docs/rights.md says in SQL is what the program does, and is enough."""

import re
from pathlib import Path

import pytest

from resync_tui.control.grants import grants
from resync_tui.errors import NoRight
from resync_tui.plan import Request
from tests.support.plans import make_plan
from tests.support.roles import ABBOTT, Roles

DOCUMENT = (Path(__file__).parents[2] / "docs" / "rights.md").read_text("utf-8")
STATEMENTS = [
    " ".join(statement.split())
    for block in re.findall(r"```sql\n(.*?)```", DOCUMENT, re.S)
    for statement in re.sub(r"--.*", "", block).split(";")
    if statement.strip()
]


def test_the_documented_grants_are_those_that_an_agent_makes() -> None:
    assert [each.replace(" jdoe", ' "jdoe"') for each in STATEMENTS[1:]] == grants("jdoe", write=True)


async def test_following_the_document_lets_a_role_in(roles: Roles) -> None:
    stranger = roles.name("stranger")
    with pytest.raises(NoRight):
        await roles.store("stranger", ABBOTT)
    agent = await roles.connect("agent")
    for statement in STATEMENTS:
        await agent.execute(statement.replace("jdoe", stranger))
    store = await roles.store("stranger", ABBOTT)
    (batch,) = await store.submit(Request(["01"], make_plan("District"), initiator="district", requested_by="x"))
    assert batch.requested_by == stranger
    await store.cancel(batch.batch, "x")
    await agent.execute(f"""DELETE FROM "DISRight" WHERE "roleName" = '{stranger}'""")
    with pytest.raises(NoRight):
        await roles.store("stranger", ABBOTT)
    assert await (await roles.connect("stranger")).fetch('SELECT * FROM "DISBatch"') == []
