"""Checks of the configuration, and of schedules and mandatory resyncs, which it asks for."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime

from resync_tui import campaign, catalog
from resync_tui.agent.start import logout_hint
from resync_tui.analysis.checks import ActionNeeded, Check, advice, passed, problem
from resync_tui.catalog import Catalog
from resync_tui.config.school_years import of_no_year
from resync_tui.config.settings import Settings
from resync_tui.errors import ConfigError, nearest
from resync_tui.formatting import plural, some, when
from resync_tui.results import Agent, DistrictStanding
from resync_tui.state_names import NAMES, is_state, state_code


def configuration(settings: Settings, objects: Catalog) -> Iterator[Check]:
    """Yield the checks of resync.toml and the catalog by themselves."""
    yield passed(
        f"{settings.path}: {plural(len(settings.district), 'district')}; "
        f"catalog {objects.name}: {plural(len(objects.objects), 'object')}"
    )
    yield _state_name(settings)
    if objects.identity is None:
        yield advice(
            "The catalog has no identity: nothing shows that a url is of the district that it stands under",
            'Name the column that says which district it is: identity = "Table.column"',
        )
    yield from map(problem, of_no_year(settings, objects))
    if (hint := logout_hint()) is not None:
        yield advice(hint.what, hint.do)


def _state_name(settings: Settings) -> Check:
    """Check the state's name, which decides which objects exist; the catalog may know other names than states'."""
    name, whole = settings.state.name, catalog.load(settings.catalog.file)
    known = {state_code(each) for named in whole.object for each in (*named.states, *named.not_states)}
    if is_state(name) or state_code(name) in known:
        return passed(f"The state is {name}")
    return problem(
        ConfigError(
            f"[state] name {name} is no state's{nearest(name, NAMES)}: objects of single states are left out",
            "Write its postal code or its full name, as NV or Nevada.",
        )
    )


def schedules(settings: Settings, agents: Sequence[Agent], now: datetime) -> Iterator[Check]:
    """Yield the checks of schedules: when each fires, whether its batches must wait, and who is there to fire it."""
    if not settings.schedule:
        return
    from resync_tui.schedule import upcoming

    window = settings.engine.window
    services = [f"{each.host}:{each.pid}" for each in agents if each.alive and each.service]
    for each in upcoming(settings, now):
        told = f"Schedule {each.schedule.name} fires next at {when(each.fires)}"
        if not services:
            yield problem(
                ActionNeeded(f"{told}, but no service is there to fire it", "Start one that stays: resync-tui agent")
            )
        if each.starts != each.fires:
            yield problem(
                ActionNeeded(
                    f"{told}, outside [engine] window {window}: its batches begin at {when(each.starts)}",
                    "Move the schedule or the window, unless that is what you want.",
                )
            )
        elif services:
            yield passed(f"{told}, by agent {some(services)}")


def due_resyncs(settings: Settings, board: Sequence[DistrictStanding], today: date) -> Iterator[Check]:
    """Yield the mandatory full resyncs of the current year that are due, with their districts."""
    owing: dict[campaign.Due, list[DistrictStanding]] = {}
    for each in board:
        owed = campaign.due(settings.years, today, each.last_full)
        if owed is not None:
            owing.setdefault(owed, []).append(each)
    for owed, found in owing.items():
        named = some([f"{each.district} ({_last(each, settings)})" for each in found])
        where = f"-d {found[0].district}" if len(found) == 1 else "--all-districts"
        yield problem(
            ActionNeeded(
                f"{owed.scenario}: {plural(len(found), 'district')} of {len(board)} without a full resync since "
                f"{owed.since}: {named}",
                f'Send it: resync-tui run {where} --all --reason "{owed.scenario}"; see: resync-tui board',
            )
        )
    if not owing:
        yield passed("No mandatory full resync is due")


def _last(standing: DistrictStanding, settings: Settings) -> str:
    """Return when a district's last full resync was; its own console does not see those that the state asked for."""
    here = "" if settings.edition == "state" else "asked for from here "
    if standing.last_full is None:
        return f"none {here}yet" if here else "never"
    return f"last {here}{standing.last_full.astimezone().date()}"
