"""A site whose agents are real processes that move no records: their work is faked."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from resync_tui.agent.run import Timing
from resync_tui.outcome import Status
from resync_tui.plan import Plan
from resync_tui.results import Batch
from tests.support.fake_work import FakeWork
from tests.support.plans import make_plan
from tests.support.site.site import Site
from tests.support.waiting import until

DISTRICTS = ("01", "02", "03", "04")
QUICK = Timing(lease_seconds=600, flush_seconds=0.02, apart_seconds=0.01, retry_seconds=0.01)


@dataclass
class FakeSite(Site):
    """Four districts, and what the work of each is to do."""

    lease_seconds: float = 600
    initiator: str = "state"
    work: FakeWork = field(init=False)

    def __post_init__(self) -> None:
        super().__post_init__()
        self.work = FakeWork(self.folder)

    def agent(self, *options: str) -> tuple[str, ...]:
        """Return the module of an agent that fakes, with its options."""
        return "tests.support.fake_work", str(self.settings.path), *options

    def plan(self, objects: Sequence[str]) -> Plan:
        """Return the plan of a chain of objects."""
        return make_plan(*objects)

    async def send(self, *districts: str, objects: Sequence[str] = ("District", "School")) -> list[int]:
        """Queue a request; return the batches' numbers."""
        return await super().send(*districts, objects=objects)

    async def moving(self, number: int, chunks: int = 1) -> Batch:
        """Wait until some progress of a running batch can be seen."""

        async def seen() -> bool:
            batch = await self.store.batch(number)
            return batch.status is Status.RUNNING and batch.counts.processed >= chunks

        await until(seen)
        return await self.store.batch(number)
