"""A green run is true: random worlds, judged from their two databases alone.

`python -m tests.support.soundness` judges as many as there is time for.
"""

from collections.abc import Iterator
from random import Random

import pytest

from tests.support.soundness.campaign import Databases, make_world
from tests.support.soundness.slips import RIGHT, SLIPS

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def databases(postgres_server: str) -> Iterator[Databases]:
    """Databases that all these worlds use one after another."""
    made = Databases(postgres_server)
    yield made
    made.drop()


@pytest.mark.parametrize("change", [*SLIPS, *RIGHT])
def test_green_is_true_and_nothing_sound_is_refused(databases: Databases, change: str) -> None:
    verdict = databases.judge(make_world(Random(change).getrandbits(32), change, brief=True))
    assert not verdict.faults, verdict
