"""Checks of the control database: access, room, rights, agents, and what waits for them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from resync_tui import rights
from resync_tui.analysis.checks import ActionNeeded, Check, advice, passed, problem
from resync_tui.cli.doctor.configuration import due_resyncs
from resync_tui.clock import utc_now
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from resync_tui.databases.registry import place
from resync_tui.errors import ResyncError
from resync_tui.formatting import plural, when
from resync_tui.outcome import Status
from resync_tui.results import Agent, Batch, Present

LITTLE_ROOM = 256 * 2**20
"""Free bytes on the disk of a SQLite control database below which it is told."""


@dataclass
class ControlReport:
    """What was found in the control database."""

    checks: list[Check] = field(default_factory=list)
    agents: Sequence[Agent] = ()
    serves: bool = False
    """Whether an agent may run under this login."""


async def control_database(settings: Settings) -> ControlReport:
    """Return the checks of the control database; one that cannot be opened is a problem."""
    report = ControlReport()
    try:
        url = settings.control_url()
        rights.require(url)
        store = await Store.open(url, edition=rights.edition_of(settings))
        try:
            await _opened(settings, store, place(url), report)
        finally:
            await store.close()
    except ResyncError as error:
        report.checks.append(problem(error))
    return report


async def _opened(settings: Settings, store: Store, where: str, report: ControlReport) -> None:
    report.agents, report.serves = await store.agents(), store.rights.serve
    report.checks += await _access(settings, store, where)
    report.checks += map(_agent, report.agents)
    report.checks += unserved(await store.present())
    standings = await store.board(settings.years.current, [each.id for each in settings.district])
    report.checks += due_resyncs(settings, standings, utc_now().astimezone().date())


async def _access(settings: Settings, store: Store, where: str) -> list[Check]:
    """Check that what this login may, it can, and that others may no more than `resync.toml` says."""
    named, may = f"The control database ({where})", store.rights
    if may.write:
        await store.require_writable()
    checks = [passed(f"{named} can be {'read and written' if may.write else 'read; this login has no Write'}")]
    if (free := store.free_bytes()) is not None:
        told = f"{named} has {free / 2**20:,.0f} MB free on its disk"
        checks.append(passed(told) if free >= LITTLE_ROOM else advice(told, "Free some space there."))
    doubts = await store.doubtful_rights(settings.rights.read, settings.rights.write)
    return checks + (list(map(problem, doubts)) or [passed("Rights are what resync.toml says")])


def _agent(agent: Agent) -> Check:
    named = f"Agent {agent.host}:{agent.pid}"
    if agent.alive:
        return passed(f"{named} is alive")
    return advice(f"{named}: not heard of since {when(agent.seen)}")


def unserved(present: Present) -> Iterator[Check]:
    """Yield the check of batches that wait, or are said to run, though no agent that is alive serves their district."""
    served = {district for agent in present.agents if agent.alive for district in agent.districts}
    begun = [each for each in present.active if _may_begin(each, present.now)]
    left = [each for each in begun if each.district not in served]
    if left:
        one = len(left) == 1
        what = f"Batch #{left[0].batch} waits" if one else f"{len(left):,} batches wait"
        told = f"{what}, and no agent is alive to serve {'it' if one else 'them'}"
        yield problem(ActionNeeded(told, "Start one: resync-tui agent"))
    elif begun:
        yield passed(f"Agents serve {plural(len(begun), 'open batch', 'open batches')}")
    else:
        yield passed("No batch waits for an agent")


def _may_begin(batch: Batch, now: datetime) -> bool:
    return batch.status is Status.RUNNING or batch.not_before is None or batch.not_before <= now
