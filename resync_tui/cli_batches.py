"""The commands about resyncs: list objects, plan, run, look back, cancel."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from resync_tui.cli_options import (
    all_option,
    alone_option,
    ask,
    config_option,
    district_option,
    json_option,
    objects_argument,
    read_settings,
    show,
    show_json,
    year_option,
)
from resync_tui.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from resync_tui.catalog import Catalog
    from resync_tui.config import Settings
    from resync_tui.control.store import Store
    from resync_tui.control.views import Batch, ErrorGroup, ErrorRecord
    from resync_tui.plan import Plan

INTERRUPTED = 130


@click.command("objects")
@district_option
@year_option
@json_option
@config_option
def list_objects(district: str | None, year: int | None, as_json: bool) -> None:
    """List the DIS objects with their last resync: the checklist."""
    from resync_tui import documents, reports

    settings = read_settings()
    one, of_year = _one_district(settings, district), year or settings.years.current
    catalog = settings.catalog_of_year(one, of_year)
    last = ask(settings, lambda store: store.last_resyncs(one, of_year))
    if as_json:
        show_json(documents.objects(catalog, last))
    else:
        show(reports.objects(catalog, last))


@click.command("plan")
@objects_argument
@all_option
@district_option
@alone_option
@year_option
@json_option
@config_option
def show_plan(objects: Sequence[str], everything: bool, district: str | None, alone: bool, year: int | None,
              as_json: bool) -> None:  # fmt: skip
    """Show what a resync of these objects would send, in order, and why."""
    from resync_tui import documents, reports

    settings = read_settings()
    one = _one_district(settings, district)
    made = _planned(settings.catalog_of_year(one, year or settings.years.current), objects, everything, alone,
                 year or settings.years.current)  # fmt: skip
    if as_json:
        show_json(documents.plan(made))
    else:
        show(reports.plan(made))


@click.command("run")
@objects_argument
@click.option("-d", "districts", multiple=True, metavar="ID", help="District; may be repeated.")
@all_option
@alone_option
@year_option
@click.option("--detach", is_flag=True, help="Do not wait for the end.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@json_option
@config_option
def send(objects: Sequence[str], districts: Sequence[str], everything: bool, alone: bool, year: int | None,
         detach: bool, yes: bool, as_json: bool) -> int:  # fmt: skip
    """Send these objects' records to the state again, and wait until all is accounted for."""
    from resync_tui import documents, outcome, reports, rights

    settings = read_settings()
    chosen = _some_districts(settings, districts)
    of_year = year or settings.years.current
    plans = [_planned(settings.catalog_of_year(one, of_year), objects, everything, alone, of_year) for one in chosen]
    if any(plan != plans[0] for plan in plans):
        raise UsageError(f"The districts have different objects for {of_year}", "Send them one by one.")
    user = rights.require(settings.control_url())
    if not yes and sys.stdin.isatty() and sys.stderr.isatty():
        _confirm(plans[0], chosen)
    from resync_tui import sending

    queued: list[Batch] = []
    try:
        found = sending.send(settings, chosen, plans[0], user, queued, detach=detach)
    except KeyboardInterrupt:
        if not queued:
            raise
        click.echo(f"Detached; the resync goes on. See: resync-tui history --batch {queued[0].batch}", err=True)
        return INTERRUPTED
    if as_json:
        for each in found:
            show_json(documents.batch(each))
    else:
        show(reports.batches(found) if detach else (line for each in found for line in reports.batch(each)))
    if detach:
        return 0
    show((line for each in found for line in reports.troubles(each)), err=True)
    return outcome.exit_code([each.status for each in found], sum(each.counts.errors for each in found))


@click.command()
@click.option("--batch", type=int, metavar="N", help="One batch, with its objects.")
@click.option("-d", "district", metavar="ID", help="One district's; left out: all.")
@json_option
@config_option
def history(batch: int | None, district: str | None, as_json: bool) -> None:
    """List the batches, newest first: DISBatchHistory."""
    from resync_tui import documents, reports

    settings = read_settings()
    one = settings.district_by_id(district).id if district else None
    if batch is not None:
        found = [ask(settings, lambda store: store.batch(batch))]
    else:
        found = ask(settings, lambda store: store.batches(district=one))
    if as_json:
        show_json([documents.batch(each) for each in found])
    else:
        show(reports.batches(found) if batch is None else reports.batch(found[0]))


@click.command()
@click.argument("batch", type=int, metavar="N")
@click.option("--object", "name", metavar="NAME", help="Only this object's.")
@json_option
@config_option
def errors(batch: int, name: str | None, as_json: bool) -> None:
    """List the records of a batch that did not reach the state, by their keys."""
    from resync_tui import documents, reports

    settings = read_settings()
    one = settings.load_catalog()[name].name if name else None

    async def read(store: "Store") -> "tuple[list[ErrorGroup], list[ErrorRecord]]":
        await store.batch(batch)
        return await store.error_groups(batch, one), await store.errors(batch, object=one)

    groups, records = ask(settings, read)
    if as_json:
        show_json([documents.error(each) for each in records])
    else:
        show(reports.errors(groups, records))


@click.command()
@click.argument("batch", type=int, required=False, metavar="N")
@click.option("--request", type=int, metavar="R", help="All batches of a request.")
@config_option
def cancel(batch: int | None, request: int | None) -> None:
    """Cancel a queued batch at once, a running one at its next chunk."""
    from resync_tui import rights

    if (batch is None) == (request is None):
        raise UsageError("Name one batch, or one request", "resync-tui cancel N, or resync-tui cancel --request R")
    settings = read_settings()
    user = rights.require(settings.control_url())
    if batch is not None:
        ask(settings, lambda store: store.cancel(batch, user))
    else:
        ask(settings, lambda store: store.cancel_request(request or 0, user))
    click.echo("Cancelled; what runs stops at its next chunk.")


def _one_district(settings: "Settings", district: str | None) -> str:
    return settings.district_by_id(district or settings.district[0].id).id


def _confirm(plan: "Plan", districts: Sequence[str]) -> None:
    """Ask before anything is sent, the whole plan in sight. Raises Cancelled."""
    from resync_tui import reports

    show(reports.plan(plan), err=True)
    if not click.confirm(f"Send {len(plan.objects)} objects of {', '.join(districts)} to the state?", err=True):
        raise Cancelled("Nothing was sent", "Run the command again to send.")


def _some_districts(settings: "Settings", named: Sequence[str]) -> list[str]:
    if not named and len(settings.district) > 1:
        raise UsageError(f"{len(settings.district)} districts are configured", "Say which: -d ID, once for each.")
    return list(dict.fromkeys(_one_district(settings, each) for each in named or [settings.district[0].id]))


def _planned(catalog: "Catalog", objects: Sequence[str], everything: bool, alone: bool, year: int) -> "Plan":
    from resync_tui.plan import make_plan

    if everything == bool(objects):
        raise UsageError("Name objects, or say --all", "See the names: resync-tui objects")
    names = [each.name for each in catalog.objects] if everything else objects
    return make_plan(catalog, names, year, check_dependencies=not alone)


commands = (list_objects, show_plan, send, history, errors, cancel)
