"""Garbage of batches: rarely collected while they run, and once when one has ended that left much."""

import gc
import sys

GROWTH = 1.1
"""Growth of the allocated blocks since the last collection from which another one pays."""
_least = 0
"""Blocks left by the last collection."""


def collect_rarely() -> None:
    """Make garbage collection rare, and leave out what is there: a batch makes few cycles, a command soon ends."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def collect_if_grown() -> None:
    """Collect what an ended batch has left: tables of many columns are cycles, and rare collections leave them."""
    global _least
    if sys.getallocatedblocks() > GROWTH * _least:
        gc.collect()
        _least = sys.getallocatedblocks()
