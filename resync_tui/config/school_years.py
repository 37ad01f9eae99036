"""School years: which districts lack a year, or objects of it; the one rule of screens, requests and agents."""

from collections.abc import Iterable, Sequence

from resync_tui.catalog import Catalog
from resync_tui.config.load import load_catalog
from resync_tui.config.settings import Settings
from resync_tui.errors import UsageError
from resync_tui.formatting import school_year
from resync_tui.plan import Allowed, Plan

SOME = 10
"""Objects of one district that are named; of more only the number is given."""


def require_plan(settings: Settings, districts: Sequence[str], plan: Plan) -> None:
    """Require that each district is configured for a plan's year and objects. Raises UsageError naming the others."""
    require_year(settings, districts, plan.year, plan.names)


def allowed_by(settings: Settings) -> Allowed:
    """Return the control database's check of a request before it is queued."""
    return lambda districts, plan: require_plan(settings, districts, plan)


def require_year(settings: Settings, districts: Sequence[str], year: int, objects: Iterable[str] = ()) -> None:
    """Require that each district is configured for a school year, and for objects of it.

    Raises UsageError naming all districts that are not.
    """
    names, whole = tuple(objects), load_catalog(settings)
    here = {each: settings.district_by_id(each) for each in districts}
    # Hundreds of districts are mostly configured alike.
    alike = {name: (each.previous, each.next) for name, each in here.items()}
    kinds = {alike[name]: each for name, each in here.items()}
    there = {kind: settings.of_year(whole, each, year) for kind, each in kinds.items()}
    without = [name for name in here if there[alike[name]] is None]
    absent = {name: _absent(there[alike[name]], names) for name in here}
    partly = [(name, lack) for name, lack in absent.items() if lack]
    if without or partly:
        raise _refusal(settings, year, without, partly)


def _absent(catalog: Catalog | None, names: Iterable[str]) -> list[str]:
    return [name for name in names if catalog is not None and name not in catalog]


def _refusal(settings: Settings, year: int, without: list[str], partly: list[tuple[str, list[str]]]) -> UsageError:
    told = []
    of_year = f"the school year {school_year(year)}"
    if without:
        told.append(f"{_districts(without)} not configured for {of_year}")
    for district, objects in partly:
        told.append(f"{_districts([district])} not configured for {_some(objects)} in {of_year}")
    if year == settings.years.current:
        return UsageError("; ".join(told), f"See [subscription] and [catalog] in {settings.path}.")
    return UsageError("; ".join(told), f"Leave it out, or name it under previous or next in {settings.path}.")


def _districts(names: list[str]) -> str:
    return f"District {names[0]} is" if len(names) == 1 else f"Districts {', '.join(names)} are"


def _some(names: list[str]) -> str:
    more = len(names) - SOME
    return ", ".join(names[:SOME]) + (f" and {more} more" if more > 0 else "")
