"""Examination: all checks of what a configuration names, the districts side by side."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio

from resync_tui import rights
from resync_tui.analysis.checks import Check, Mark, of_districts, problem
from resync_tui.catalog import Catalog
from resync_tui.cli.doctor.configuration import configuration, schedules
from resync_tui.cli.doctor.control import control_database
from resync_tui.cli.doctor.district import one_district
from resync_tui.cli.doctor.ends import Site
from resync_tui.cli.doctor.state import the_state
from resync_tui.cli.options import read_settings
from resync_tui.clock import utc_now
from resync_tui.config.load import load_catalog
from resync_tui.config.settings import DistrictSettings, Settings
from resync_tui.errors import ResyncError
from resync_tui.results import Agent

AT_A_TIME = 8
"""Districts examined concurrently."""


@dataclass(frozen=True)
class Diagnosis:
    """Report of `doctor`."""

    checks: Sequence[Check]
    agents: Sequence[Agent] = ()
    districts: Mapping[str, str] = field(default_factory=dict)
    """Names of the districts by their ids."""

    @property
    def problems(self) -> list[Check]:
        """The checks that found a problem."""
        return [each for each in self.checks if each.mark is Mark.PROBLEM]

    @property
    def exit_code(self) -> int:
        """Exit code of the worst problem; 0: there is none."""
        return max((each.exit_code for each in self.checks), default=0)


def examine(path: Path | None, district: str | None = None) -> Diagnosis:
    """Examine what the configuration names, of the districts by default all; raises nothing that a user can cause."""
    try:
        settings = read_settings(path)
        catalog = load_catalog(settings)
        districts = settings.district if district is None else (settings.district_by_id(district),)
    except ResyncError as error:
        return Diagnosis([problem(error)])
    return anyio.run(_examine, settings, catalog, districts)


async def _examine(settings: Settings, catalog: Catalog, districts: Sequence[DistrictSettings]) -> Diagnosis:
    control = await control_database(settings)
    site = Site(settings, catalog, control.serves)
    of_state, state = await the_state(site)
    limit = anyio.CapacityLimiter(AT_A_TIME)
    found: dict[str, list[Check]] = {each.id: [] for each in districts}

    async def one(district: DistrictSettings) -> None:
        async with limit:
            found[district.id] = await one_district(site, district, state)

    async with anyio.create_task_group() as group:
        for district in districts:
            group.start_soon(one, district)
    checks = [
        *configuration(settings, catalog),
        *control.checks,
        *schedules(settings, control.agents, utc_now()),
        *of_state,
        *of_districts(found),
    ]
    say = rights.edition_of(settings).says
    said = [replace(each, what=say(each.what), do=say(each.do)) for each in checks]
    return Diagnosis(said, control.agents, {each.id: each.name for each in districts})
