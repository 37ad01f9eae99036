"""A short campaign of the long one's kind: random breaks at random moments, on each kind of database."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.site.campaign import campaign

KILLS = 3


async def test_a_short_campaign(
    kind: str, tmp_path: Path, database: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    seed = int(os.environ.get("RESYNC_TUI_TEST_SEED", 20_261_122))
    print(f"RESYNC_TUI_TEST_SEED={seed}")
    tally = await campaign(tmp_path, kind, database, seed, KILLS)
    assert tally.broken.total() == KILLS
    assert tally.attempts >= tally.batches > 0
