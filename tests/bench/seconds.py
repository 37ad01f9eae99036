"""What each work of the benchmark took, and the table of their ratios."""

import statistics
from collections import defaultdict
from collections.abc import Awaitable, Iterable, Iterator

from tests.bench.ours import Ran


class Seconds:
    """A list of seconds a work; each is printed when it is known."""

    def __init__(self, verbose: bool) -> None:
        self._taken: dict[str, list[float]] = defaultdict(list)
        self._verbose = verbose

    async def ours(self, work: str, running: Awaitable[Ran]) -> Ran:
        """Note what a batch took, and return what became of its records."""
        ran = await running
        self._note(work, ran.seconds)
        if self._verbose:
            for at, text in ran.notes:
                print(f"    {at:7.2f} {text}")
            print(f"    {ran.counts}")
        return ran

    async def peer(self, work: str, running: Awaitable[float]) -> None:
        """Note what a peer took."""
        self._note(work, await running)

    def _note(self, work: str, seconds: float) -> None:
        self._taken[work].append(seconds)
        print(f"{seconds:8.2f} s  {work}", flush=True)

    def table(self, ratios: Iterable[tuple[str, str, float | None]]) -> str:
        """Return the medians and their ratios, in Markdown."""
        return "\n".join(self._lines(ratios))

    def _lines(self, ratios: Iterable[tuple[str, str, float | None]]) -> Iterator[str]:
        yield "| work | s | against | s | ratio | aim |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for ours, theirs, most in ratios:
            if ours in self._taken and theirs in self._taken:
                mine, other = (statistics.median(self._taken[work]) for work in (ours, theirs))
                aim = "" if most is None else f"{most:.3g}"
                yield f"| {ours} | {mine:.2f} | {theirs} | {other:.2f} | {mine / other:.3g} | {aim} |"
