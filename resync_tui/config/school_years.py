"""School years: which districts lack a year, or objects of it; the one rule of screens, requests and agents."""

from collections.abc import Iterable, Sequence
from itertools import chain

from resync_tui.catalog import Catalog
from resync_tui.config.load import load_catalog
from resync_tui.config.settings import Settings
from resync_tui.errors import ConfigError, UsageError
from resync_tui.formatting import school_year, some
from resync_tui.plan import Allowed, Plan


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
        raise _refusal(settings, year, without, partly, whole)


def of_no_year(settings: Settings, whole: Catalog) -> list[ConfigError]:
    """Return the objects under previous or next that are not tied to a school year: naming them sends nothing."""
    named: dict[tuple[str, str], list[str]] = {}
    for district in settings.district:
        for key, names in (("previous", district.previous), ("next", district.next)):
            for name in names:
                if name in whole and not whole[name].school_year:
                    named.setdefault((key, whole[name].name), []).append(district.id)
    return [
        ConfigError(
            f"{key} of district{'s' * (len(ids) > 1)} {some(ids)} names {name}, which is not tied to a school year",
            "Take it out: it goes with the current year alone.",
        )
        for (key, name), ids in named.items()
    ]


def _absent(catalog: Catalog | None, names: Iterable[str]) -> list[str]:
    return [name for name in names if catalog is not None and name not in catalog]


def _refusal(
    settings: Settings, year: int, without: list[str], partly: list[tuple[str, list[str]]], whole: Catalog
) -> UsageError:
    told = []
    of_year = f"the school year {school_year(year)}"
    if without:
        told.append(f"{_districts(without)} not configured for {of_year}")
    for district, objects in partly:
        told.append(f"{_districts([district])} not configured for {some(objects)} in {of_year}")
    if year == settings.years.current:
        return UsageError("; ".join(told), f"See [subscription] and [catalog] in {settings.path}.")
    never = [name for name in dict.fromkeys(chain(*(names for _, names in partly))) if not whole[name].school_year]
    do = f"Leave it out, or name it under previous or next in {settings.path}."
    return UsageError(
        "; ".join(told),
        f"{some(never)}: not tied to a school year, so it goes with the current one alone. {do}" if never else do,
    )


def _districts(names: list[str]) -> str:
    return f"District {names[0]} is" if len(names) == 1 else f"Districts {', '.join(names)} are"
