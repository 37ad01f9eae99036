"""What the engine must know to run a batch, and the two databases that it runs between."""

from dataclasses import dataclass
from datetime import date
from enum import StrEnum

from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import Catalog
from resync_tui.databases.registry import dialect_of, explain
from resync_tui.engine import ownership
from resync_tui.engine.backends.base import End, Source, Target
from resync_tui.errors import CannotRun
from resync_tui.outcome import Consent, Purpose
from resync_tui.plan import Plan


class Hashing(StrEnum):
    """How two databases can compare rows without moving them."""

    NATIVE = "native"
    TEXT = "text"
    OFF = "off"


@dataclass(frozen=True, slots=True)
class Limits:
    """How much of the databases a batch may take."""

    concurrency: int = 2
    """Objects at a time."""
    max_records_per_second: int = 0
    """At each end; 0: no limit."""
    errors_kept: int = 10_000
    """Keys kept per object and reason."""
    extra_share: float = 0.05
    """The largest share of a table's records that may be removed as extra."""
    snapshot_minutes: float = 0
    """How long one snapshot of the district may be held; 0: no limit."""


@dataclass(frozen=True, slots=True)
class Job:
    """All that the engine must know to run a batch."""

    source_url: str
    target_url: str
    catalog: Catalog
    plan: Plan
    district: str
    tenant: str | None
    """The same where the catalog has a tenant_column; else None, and the state is that one district's copy."""
    batch: int
    token: int
    limits: Limits
    source_name: str
    target_name: str
    today: date
    current_year: int | None = None
    """None: the plan's."""
    purpose: Purpose = Purpose.RESYNC
    consent: Consent | None = None
    """Which extra records may be removed; None: nobody was asked."""
    trusts_source_policies: bool = False
    trusts_target_policies: bool = False
    hashing: Hashing | None = None
    """None: whatever both ends are proven to have in common."""

    @property
    def source(self) -> End:
        """The district."""
        return End(self.source_url, self.source_name, self.tenant or "", self.token, self.trusts_source_policies)

    @property
    def target(self) -> End:
        """The state."""
        return End(self.target_url, self.target_name, self.tenant or "", self.token, self.trusts_target_policies)


async def require_identity(job: Job, source: Source) -> None:
    """Make sure that the source is the district that it is configured as. Raises CannotRun."""
    identity, district = job.catalog.identity, job.district
    if identity is None:
        return
    try:
        found = await source.says_district(identity)
    except DBAPIError as error:
        silent = CannotRun(
            f"{job.source_name} does not say which district it is: it has no {identity}", "Check its url."
        )
        raise explain(error, job.source_name, job.source_url) or silent from None
    if found != {district}:
        says = ", ".join(sorted(found)) or "nothing"
        raise CannotRun(
            f"{job.source_name} says that it is district {says}, not {district}: nothing was written",
            f"Mend url or id of [[district]] {district} in resync.toml.",
        )


async def require_own_copy(job: Job, target: Target) -> None:
    """Make sure that a state without a tenant's column is no other district's copy. Raises CannotRun."""
    if job.tenant is None:
        ownership.require(await target.owner(), job.district, dialect_of(job.target_url))


async def require_known_copy(job: Job, target: Target) -> None:
    """Make sure that a state without a tenant's column says whose copy it is. Raises CannotRun."""
    if job.tenant is None and await target.owner() is None:
        raise CannotRun(
            "The state does not say whose copy it is yet: nothing was removed",
            f"Send district {job.district} once, so that it does; then compare again.",
        )


async def own_copy(job: Job, target: Target) -> None:
    """Write down that a state without a tenant's column is this district's copy. Raises CannotRun, LeaseLost."""
    if job.tenant is None:
        ownership.require(await target.own(job.district), job.district, dialect_of(job.target_url))
