"""A long search for worlds in which a green run is wrong.

It prints each world that is, by its seed, and in the end a tally.
"""

import argparse
import time
from collections.abc import Iterator

from tests.support.databases import own_postgres
from tests.support.soundness.campaign import Databases, Tally, make_world
from tests.support.soundness.invent import PAIRS
from tests.support.soundness.slips import RIGHT, SLIPS


def main() -> int:
    """Judge worlds until the time is over."""
    parser = argparse.ArgumentParser(prog="python -m tests.support.soundness", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=1, help="of the first world; the next ones count on")
    parser.add_argument("--worlds", type=int, help="so many, however long they take")
    parser.add_argument("--change", choices=[*SLIPS, *RIGHT], metavar="WHAT", help="the same slip in each world")
    parser.add_argument("--brief", action="store_true", help="fewer batches a world")
    parser.add_argument("--pair", choices=["-".join(pair) for pair in PAIRS])
    options = parser.parse_args()
    pair = dict(zip(map("-".join, PAIRS), PAIRS, strict=True)).get(options.pair)
    tally = Tally()
    with own_postgres() as server:
        databases = Databases(server.admin_url)
        for seed in _seeds(options):
            verdict = databases.judge(make_world(seed, options.change, pair, brief=options.brief))
            tally.add(verdict)
            if verdict.faults:
                print(f"{seed}: {verdict}", flush=True)
    print(tally)
    return int(tally.caught)


def _seeds(options: argparse.Namespace) -> Iterator[int]:
    end = time.monotonic() + options.minutes * 60
    seed = options.seed
    while seed - options.seed < options.worlds if options.worlds else time.monotonic() < end:
        yield seed
        seed += 1


raise SystemExit(main())
