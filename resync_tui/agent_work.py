"""What the engine is given to do under a lease: the only place where agent, settings and engine meet."""

from datetime import datetime

from resync_tui.agent_batch import Work
from resync_tui.config import Settings
from resync_tui.control.progress import Lease
from resync_tui.engine.events import Report
from resync_tui.outcome import Status


def engine_work(settings: Settings, lease: Lease) -> Work:
    """Return what the engine does under a lease; secrets are read when it is done, not before."""
    from resync_tui.engine.batch import clear_stage, run_batch
    from resync_tui.engine.job import Job, Limits

    def job() -> Job:
        district, limits = settings.district_by_id(lease.district), settings.engine
        catalog = settings.load_catalog()
        return Job(
            source_url=settings.district_url(district.id),
            target_url=settings.state_url(),
            catalog=catalog,
            plan=lease.plan,
            tenant=district.id if catalog.tenant_column else None,
            batch=lease.batch,
            token=lease.token,
            limits=Limits(limits.concurrency, limits.max_records_per_second, limits.errors_kept, limits.extra_share),
            source_name=f"district {district.name} ({district.id})",
            target_name="the state",
            today=datetime.now().astimezone().date(),
            current_year=settings.years.current,
            purpose=lease.purpose,
        )

    async def run(report: Report) -> Status:
        return await run_batch(job(), report)

    async def clear() -> None:
        await clear_stage(job())

    return Work(run, clear)
