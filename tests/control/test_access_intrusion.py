"""Random statements of every role at a control database in use; `tests/support/intrusion.py` goes on for longer."""

from pathlib import Path
from random import Random

from tests.support.intrusion import Siege
from tests.support.roles import Roles


async def test_random_statements_stop_nobody_and_tell_nothing(roles: Roles, tmp_path: Path, random: Random) -> None:
    siege = Siege(roles, tmp_path, random)
    await siege.prepare()
    await siege.round(25)
    done = sum(each.tally["done"] for each in siege.intruders)
    refused = sum(each.tally.total() for each in siege.intruders) - done
    assert done
    assert refused
