"""What the screens are measured under: a batch of 80 objects of which 20 get on ten times a second.

`python -m tests.bench.terminal_load CONFIG` is the agent of it, until it is ended.
"""

import os
import sys
from pathlib import Path

import anyio

from resync_tui.config.load import load_catalog, load_settings
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.progress import Progress
from resync_tui.control.queue import AgentIdentity, Queue
from resync_tui.control.store import Store
from resync_tui.outcome import Counts, Status
from resync_tui.plan import Request, make_plan
from resync_tui.results import ObjectResult
from tests.support.settings import one_district

OBJECTS, MOVING, TOTAL = 80, 20, 1_000_000
EVERY = 0.1
NAMES = tuple(f"Object{number:02}" for number in range(OBJECTS))


def build(folder: Path) -> Path:
    """Write a resync.toml with 80 objects, the first one above all others; return its path."""
    objects = [
        f'[[object]]\nname = "{name}"\ntables = ["{name}"]\nparents = {[NAMES[0]] if n else []}'
        for n, name in enumerate(NAMES)
    ]
    (folder / "objects.toml").write_text("\n".join(['name = "Eighty"', *objects]))
    file = folder / "resync.toml"
    file.write_text(one_district(catalog=True))
    file.chmod(0o600)
    return file


async def work(config: Path) -> None:
    """Send a batch, take it, and let its first objects get on, each at a pace of its own."""
    settings = load_settings(config)
    store = await Store.open(settings.control_url())
    await store.submit(
        Request(
            ["01"],
            make_plan(load_catalog(settings), NAMES, settings.years.current),
            initiator="state",
            requested_by=store.rights.user,
        )
    )
    database = await ControlDatabase.open(settings.control_url())
    queue = Queue(database, AgentIdentity(f"bench-{os.getpid()}", "bench", os.getpid(), ("01",)))
    await queue.register()
    lease = await queue.claim(["01"], 1)
    assert lease is not None
    begun, beat = anyio.current_time(), 0
    while True:
        beat += 1
        moved = [_moved(number, beat) for number in range(MOVING)]
        await queue.write(lease, Progress(tuple(moved), {}, ()))
        if beat % 50 == 0:
            await queue.renew([lease])
        await anyio.sleep_until(begun + beat * EVERY)


def _moved(number: int, beat: int) -> ObjectResult:
    done = min(TOTAL, beat * (97 + 13 * number))
    counts = Counts(processed=done, unchanged=done - beat, rejected=beat)
    return ObjectResult(NAMES[number], number + 1, Status.RUNNING, counts, TOTAL, TOTAL, "merging")


if __name__ == "__main__":
    anyio.run(work, Path(sys.argv[1]))
