"""Job: the parameters of a batch and the checks of its two databases."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy.exc import DBAPIError

from resync_tui.catalog import Catalog
from resync_tui.databases.registry import explain
from resync_tui.engine import ownership
from resync_tui.engine.backends.base import End, Source, Target
from resync_tui.engine.hashing import Hashing
from resync_tui.engine.years import FROM_JULY, YearStart
from resync_tui.errors import CannotRun
from resync_tui.outcome import Consent, Purpose
from resync_tui.plan import Plan


@dataclass(frozen=True, slots=True)
class Limits:
    """Resource limits of a batch."""

    concurrency: int = 2
    """Object runs at a time."""
    max_records_per_second: int = 0
    """Rate limit at each end; 0: none."""
    errors_kept: int = 10_000
    """Maximum number of keys kept per table, kind and reason."""
    extra_share: float = 0.05
    """Maximum share (0 to 1) of a table's records that may be removed as extra."""
    snapshot_minutes: float = 0
    """Maximum duration of a district snapshot; 0: no limit."""


@dataclass(frozen=True, slots=True)
class Job:
    """Parameters of a batch."""

    source_url: str
    target_url: str
    catalog: Catalog
    plan: Plan
    district: str
    tenant: str | None
    """The district's id if the catalog has a tenant_column; None: the state holds this district alone."""
    batch: int
    token: int
    limits: Limits
    source_name: str
    target_name: str
    today: date
    current_year: int | None = None
    """None: the plan's year."""
    year_start: YearStart = FROM_JULY
    """By which dates are read as school years."""
    purpose: Purpose = Purpose.RESYNC
    consent: Consent | None = None
    """Extra records approved for removal; None: approval was not requested."""
    trusts_source_policies: bool = False
    trusts_target_policies: bool = False
    tenants: tuple[str, ...] = ()
    """Ids of all configured districts: the state must tell them apart."""
    mark: str = ""
    """Keyed hash of the district for the names of connections; empty: a plain one."""
    hashing: Hashing | None = None
    """None: the fastest form that both ends are proven to share."""
    direct: bool = True
    """Whether small new tables may be loaded without a stage, where both ends can."""

    @property
    def source(self) -> End:
        """End of the district."""
        trusted = self.trusts_source_policies
        return End(self.source_url, self.source_name, self.tenant or "", self.token, trusted, self.mark)

    @property
    def target(self) -> End:
        """End of the state."""
        trusted = self.trusts_target_policies
        return End(self.target_url, self.target_name, self.tenant or "", self.token, trusted, self.mark)


async def require_identity(job: Job, source: Source) -> None:
    """Require that the source identifies itself as the configured district. Raises CannotRun."""
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
    """Require that a state without a tenant column is no other district's copy. Raises CannotRun."""
    if job.tenant is None:
        ownership.require(await target.owner(), job.district, target.dialect.ownership)


async def require_known_copy(job: Job, target: Target) -> None:
    """Require that a state without a tenant column has a recorded owner. Raises CannotRun."""
    if job.tenant is None and await target.owner() is None:
        raise CannotRun(
            "The state does not say whose copy it is yet: nothing was removed",
            f"Send district {job.district} once, so that it does; then compare again.",
        )


async def own_copy(job: Job, target: Target) -> None:
    """Record this district as the owner of a state without a tenant column. Raises CannotRun, LeaseLost."""
    if job.tenant is None:
        ownership.require(await target.own(job.district), job.district, target.dialect.ownership)
