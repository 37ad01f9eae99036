"""Periodic work of an agent beside its batches: schedules, alerts of unclaimed requests, notification, retention."""

import logging
from datetime import UTC, datetime, timedelta

import anyio
from sqlalchemy import true

from resync_tui import json_output
from resync_tui.agent.log import AgentLog, about
from resync_tui.agent.notify import notify
from resync_tui.clock import Clock, utc_now
from resync_tui.config.load import load_catalog
from resync_tui.config.settings import ScheduleSettings, Settings
from resync_tui.control.alerts import alert_unclaimed
from resync_tui.control.batches import one_batch
from resync_tui.control.connection import ControlDatabase
from resync_tui.control.grants import enforce
from resync_tui.control.retention import prune
from resync_tui.control.schedules import Firing, fire
from resync_tui.errors import ResyncError, UsageError, one_line
from resync_tui.plan import make_plan
from resync_tui.schedule import last_due, next_run

_log = logging.getLogger(__name__)

UNCLAIMED_EVERY = timedelta(minutes=1)
AGAIN = timedelta(minutes=10)
"""Time until a schedule that could not fire is tried again."""
PRUNE_SECONDS = 24 * 60 * 60.0
_LONG_AGO = datetime.min.replace(tzinfo=UTC)


class Housekeeping:
    """One agent's periodic work; `clock` says when to look, the control database's time what is due."""

    def __init__(self, settings: Settings, database: ControlDatabase, log: AgentLog, clock: Clock = utc_now) -> None:
        self._settings = settings
        self._database = database
        self._log = log
        self._clock = clock
        self._look: dict[str, datetime] = {}
        self._look_for_unclaimed = _LONG_AGO

    async def reload(self, settings: Settings) -> None:
        """Apply new settings: check all schedules again, apply changed [rights]. Raises CannotRun."""
        rights = self._settings.rights
        self._settings = settings
        self._look.clear()
        if settings.rights != rights:
            await self.apply_grants()

    async def apply_grants(self) -> None:
        """Apply the GRANTs for the roles under [rights]; log roles that do not exist. Raises CannotRun, NoRight."""
        for line in await enforce(self._database, self._settings.rights.read, self._settings.rights.write):
            _log.info(line)

    async def run_due(self) -> None:
        """Fire due schedules and alert of unclaimed requests; cheap if nothing is due. Raises CannotRun."""
        now = self._clock()
        for schedule in self._settings.schedule:
            if now >= self._look.get(schedule.name, _LONG_AGO):
                await self._fire(schedule, now)
        if now >= self._look_for_unclaimed:
            self._look_for_unclaimed = now + UNCLAIMED_EVERY
            await alert_unclaimed(self._database)

    async def _fire(self, schedule: ScheduleSettings, now: datetime) -> None:
        with about(f"schedule {schedule.name}"):
            await self._fire_schedule(schedule, now)

    async def _fire_schedule(self, schedule: ScheduleSettings, now: datetime) -> None:
        settings = self._settings
        try:
            catalog = load_catalog(settings)
            full = isinstance(schedule.objects, str)
            names = [each.name for each in catalog.objects] if full else schedule.objects
            plan = make_plan(catalog, names, settings.years.current)
        except UsageError as error:
            _log.warning(one_line(error))
            self._look[schedule.name] = now + AGAIN
            return
        every = isinstance(schedule.districts, str)
        districts = [each.id for each in settings.district] if every else schedule.districts
        fired = await fire(self._database, lambda moment: self._firing(schedule, moment), districts, plan, full=full)
        if fired.request is not None:
            _log.info("fired: request %d, %d districts", fired.request, len(districts))
        self._look[schedule.name] = next_run(schedule, fired.at)

    def _firing(self, schedule: ScheduleSettings, moment: datetime) -> Firing:
        edition = self._settings.edition
        owner = "state" if edition == "state" else self._settings.district[0].id
        local = last_due(schedule, moment)
        return Firing(owner, edition, schedule.name, local, schedule.cron, schedule.timezone)

    async def notify(self, number: int) -> None:
        """Run the notify command for an ended batch; any failure is one line in the log."""
        with about(f"batch {number}", "notify"):
            try:
                command = self._settings.notify_command()
                if command:
                    async with self._database.read() as connection:
                        batch = await one_batch(connection, number, true())
                    _log.info(await notify(command, json_output.batch(batch)))
            except ResyncError as error:
                _log.warning(one_line(error))

    async def prune_for_ever(self) -> None:
        """Apply the retention once a day, if one is configured."""
        while True:
            retention = self._settings.retention
            try:
                self._log.forget(retention.logs)
                gone = await prune(self._database, errors_days=retention.errors, history_days=retention.history)
                if gone:
                    _log.info("retention: %d rows forgotten", gone)
            except ResyncError as error:
                _log.warning("retention  %s", one_line(error))
            await anyio.sleep(PRUNE_SECONDS)
