"""Where the tests draw their chance from."""

import os
from random import Random

import pytest


@pytest.fixture
def random() -> Random:
    """Chance that is the same each time, unless the environment gives another seed."""
    return Random(int(os.environ.get("RESYNC_TUI_TEST_SEED", 20_261_122)))
