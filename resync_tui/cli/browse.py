"""The commands that only read: the checklist, a plan, history, errors."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import click

from resync_tui.cli.options import (
    BATCH_NUMBER,
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
from resync_tui.cli.selection import one_district, plan_of

if TYPE_CHECKING:
    from resync_tui.control.store import Store
    from resync_tui.results import Batch, ErrorGroup, ErrorRecord, FindingGroup, LastResync


@click.command("objects")
@district_option
@year_option
@json_option
@config_option
def list_objects(district: str | None, year: int | None, as_json: bool) -> None:
    """List the DIS objects with their last resync: the checklist."""
    from resync_tui import json_output
    from resync_tui.cli import text
    from resync_tui.config.load import catalog_of_year

    settings = read_settings()
    one, of_year = one_district(settings, district), year or settings.years.current
    catalog = catalog_of_year(settings, one, of_year)
    last = ask(settings, lambda store: store.last_resyncs(one, of_year))
    if as_json:
        show_json(json_output.objects(catalog, last))
    else:
        show(text.objects(catalog, last))


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
    from resync_tui import json_output
    from resync_tui.cli import text
    from resync_tui.config.load import load_catalog

    settings = read_settings()
    made = plan_of(settings, one_district(settings, district), objects, everything, year, alone=alone)
    if as_json:
        show_json(json_output.plan(made))
    else:
        show(text.plan(made, load_catalog(settings).hints(made.names)))


@click.command()
@click.option("--batch", type=BATCH_NUMBER, metavar="N", help="One batch, with its objects.")
@click.option("-d", "district", metavar="ID", help="One district's; left out: all.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="Only the newest N batches.")
@json_option
@config_option
def history(batch: int | None, district: str | None, limit: int | None, as_json: bool) -> None:
    """List the batches, newest first, one line a batch: DISBatchHistory."""
    from resync_tui import json_output
    from resync_tui.cli import text
    from resync_tui.previous_run import runs_before

    settings = read_settings()
    one = settings.district_by_id(district).id if district else None
    if batch is None:
        found = ask(settings, lambda store: store.batches(district=one, limit=limit))
        if as_json:
            show_json([json_output.batch(each) for each in found])
        else:
            show(text.batches(found, limit))
        return

    async def read(store: "Store") -> "tuple[Batch, Mapping[str, LastResync], list[FindingGroup], list[ErrorGroup]]":
        one = await store.batch(batch)
        before = {} if as_json else await runs_before(store, one)
        return one, before, await store.finding_groups(batch), await store.error_groups(batch)

    single, before, groups, refused = ask(settings, read)
    if as_json:
        show_json([json_output.batch(single)])
    else:
        show(text.batch(single, before, settings.state.word, groups, refused))


@click.command()
@click.argument("batch", type=BATCH_NUMBER, metavar="N")
@click.option("--object", "name", metavar="NAME", help="Only this object's.")
@click.option("--kind", type=click.Choice(["excluded", "rejected", "blocked"]), help="Only those of this kind.")
@click.option("--find", "part", default="", metavar="TEXT", help="Only those with this in table, reason or key.")
@click.option("--sql", "with_sql", is_flag=True, help="With the SELECT that finds each one in the district.")
@json_option
@config_option
def errors(batch: int, name: str | None, kind: str | None, part: str, with_sql: bool, as_json: bool) -> None:
    """List the records of a batch that did not reach the state, by their keys, and which are new.

    Under one that lacks its parent stand the parents up to the root cause.
    """
    from resync_tui import json_output
    from resync_tui.analysis.causes import Causes, Filter
    from resync_tui.cli import text
    from resync_tui.config.load import load_catalog
    from resync_tui.outcome import Kind
    from resync_tui.previous_run import PreviousErrors, refused_before

    settings = read_settings()
    wanted = Filter(load_catalog(settings)[name].name if name else None, Kind(kind) if kind else None, part)

    async def read(store: "Store") -> "tuple[list[ErrorGroup], list[ErrorRecord], PreviousErrors]":
        found = await store.batch(batch)
        before = PreviousErrors() if as_json else await refused_before(store, found, wanted.object)
        return await store.error_groups(batch), await store.errors(batch), before

    groups, records, before = ask(settings, read)
    shown = [each for each in records if wanted.admits(each)]
    if as_json:
        show_json([json_output.error(each) for each in shown])
    else:
        chosen = wanted.groups(groups, shown)
        show(text.errors(chosen, shown, before, Causes(records), narrowed=bool(part), with_sql=with_sql))


commands = (list_objects, show_plan, history, errors)
