"""Where the tests draw their chance from."""

import os
import secrets
from random import Random

import pytest


@pytest.fixture
def random() -> Random:
    """Chance from a fresh seed, which a failure prints and the environment may give."""
    seed = int(os.environ.get("RESYNC_TUI_TEST_SEED", secrets.randbits(32)))
    print(f"RESYNC_TUI_TEST_SEED={seed}")
    return Random(seed)
