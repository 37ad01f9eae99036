"""Bursts of random keys, to every screen and every question: whatever they do, none of them breaks.

`RESYNC_TUI_TEST_BURSTS` is how many each gets, `RESYNC_TUI_TEST_SEED` which ones; the long run is
`python -m tests.support.screens.bursts`.
"""

import os
from pathlib import Path
from random import Random

import pytest

from tests.support.every_screen import pages
from tests.support.screens.bursts import SCREENS, SIZES, Tally, bursts, isolate
from tests.support.screens.console import Opener

BURSTS = int(os.environ.get("RESYNC_TUI_TEST_BURSTS", "1"))
SEED = int(os.environ.get("RESYNC_TUI_TEST_SEED", "2026"))


@pytest.mark.long
@pytest.mark.parametrize("size", SIZES)
async def test_no_burst_of_keys_breaks_a_screen(
    console: Opener, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    isolate(monkeypatch, tmp_path)
    tally = Tally()
    await bursts(console, size, BURSTS, Random(SEED), tally)
    assert tally.faults == []
    assert set(tally.bursts) == {(name, size) for name in SCREENS}
    assert {each.__name__ for each in pages()} - tally.kinds == {"FilteringPage", "MarkingPage", "SendingPage"}
