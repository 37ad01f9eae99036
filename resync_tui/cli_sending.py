"""The commands that ask an agent to do something: run, retry, verify, remove-extra, cancel."""

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resync_tui.cli_choice import listed_districts, moment, planned, some_districts, the_district
from resync_tui.cli_options import (
    all_option,
    alone_option,
    ask,
    config_option,
    detach_option,
    json_option,
    objects_argument,
    read_settings,
    show,
    show_json,
    year_option,
    yes_option,
)
from resync_tui.errors import Cancelled, UsageError

if TYPE_CHECKING:
    from resync_tui.config import Settings
    from resync_tui.control.store import Store
    from resync_tui.control.views import Batch, FindingGroup, FindingRecord
    from resync_tui.outcome import Purpose
    from resync_tui.plan import Plan

INTERRUPTED = 130

needed_district_option = click.option("-d", "district", metavar="ID", help="District; needed where there are several.")


@click.command("run")
@objects_argument
@click.option("-d", "districts", multiple=True, metavar="ID", help="District; may be repeated.")
@click.option("--all-districts", is_flag=True, help="Every configured district, as one campaign.")
@click.option("--districts-file", type=click.Path(path_type=Path), metavar="F", help="A campaign: one id a line.")
@all_option
@alone_option
@year_option
@click.option("--at", "at", metavar="TIME", help="Not before 22:30, or 2026-07-01T02:00; within the window.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.option("--ignore-excluded", is_flag=True, help="Excluded records do not count for the exit code.")
@detach_option
@yes_option
@json_option
@config_option
def send(objects: Sequence[str], districts: Sequence[str], all_districts: bool, districts_file: Path | None,
         everything: bool, alone: bool, year: int | None, at: str | None, reason: str, ignore_excluded: bool,
         detach: bool, yes: bool, as_json: bool) -> int:  # fmt: skip
    """Send these objects' records to the state again, and wait until all is accounted for."""
    from resync_tui import rights
    from resync_tui.clock import utc_now

    settings = read_settings()
    chosen = _chosen_districts(settings, districts, all_districts, districts_file)
    plan, full = _plan_of_all(settings, chosen, objects, everything, year, alone)
    not_before = moment(at, utc_now()) if at else None
    user = rights.require(settings.control_url())
    if not yes and _is_terminal():
        _confirm(plan, chosen)
    from resync_tui import sending

    request = sending.Request(
        chosen, plan, full=full, reason=reason, not_before=not_before,
        campaign=all_districts or districts_file is not None,
    )  # fmt: skip
    return _carry_out(
        lambda queued: sending.send(settings, request, user, queued, detach=detach),
        detach, as_json, ignore_excluded=ignore_excluded,
    )  # fmt: skip


@click.command()
@click.argument("request", type=int, metavar="R")
@click.option("--ignore-excluded", is_flag=True, help="Excluded records do not count for the exit code.")
@detach_option
@json_option
@config_option
def retry(request: int, ignore_excluded: bool, detach: bool, as_json: bool) -> int:
    """Send again what a request asked of those districts where it failed, as a request of its own."""
    from resync_tui import rights

    settings = read_settings()
    user = rights.require(settings.control_url())
    from resync_tui import sending

    return _carry_out(
        lambda queued: sending.send_again(settings, request, user, queued, detach=detach),
        detach, as_json, ignore_excluded=ignore_excluded,
    )  # fmt: skip


@click.command()
@objects_argument
@needed_district_option
@all_option
@year_option
@click.option("--keys", is_flag=True, help="Name the records that differ, by their keys.")
@json_option
@config_option
def verify(objects: Sequence[str], district: str | None, everything: bool, year: int | None, keys: bool,
           as_json: bool) -> int:  # fmt: skip
    """Compare what a resync of these objects would send with what the state has; changes nothing."""
    from resync_tui import documents, outcome, reports, reports_compared

    settings = read_settings()
    one, plan = _of_one(settings, district, objects, everything, year, alone=False)
    found = _ended(settings, one, plan, outcome.Purpose.VERIFY)
    if found is None:
        return INTERRUPTED
    records = _findings(settings, found.batch)[1] if keys else []
    if as_json:
        show_json(documents.verification(found, records if keys else None))
    else:
        show(reports_compared.verification(found, records))
    show(reports.troubles(found), err=True)
    counts = found.counts
    return outcome.exit_code([found.status], counts.inserted + counts.updated + counts.extra)


@click.command("remove-extra")
@objects_argument
@needed_district_option
@all_option
@year_option
@yes_option
@json_option
@config_option
def remove_extra(objects: Sequence[str], district: str | None, everything: bool, year: int | None, yes: bool,
                 as_json: bool) -> int:  # fmt: skip
    """Remove those of the state's records of a district that the district does not have, once you have seen them."""
    from resync_tui import documents, outcome, reports, reports_compared, rights

    settings = read_settings()
    one, plan = _of_one(settings, district, objects, everything, year, alone=True)
    rights.require(settings.control_url())
    if not yes and not _is_terminal():
        raise UsageError(
            "remove-extra asks before it removes, and this is no terminal",
            f"Look first: resync-tui verify -d {one} --all --keys; then say --yes",
        )
    seen = _ended(settings, one, plan, outcome.Purpose.VERIFY)
    if seen is None:
        return INTERRUPTED
    if seen.status is not outcome.Status.COMPLETED:
        show(reports.troubles(seen), err=True)
        return outcome.exit_code([seen.status], 0)
    groups, records = _findings(settings, seen.batch)
    show(reports_compared.extra_records(groups, records), err=as_json)
    if not seen.counts.extra:
        if as_json:
            show_json(documents.removal(seen))
        return 0
    if not yes:
        _confirm_removal(settings, one, seen.counts.extra)
    done = _ended(settings, one, plan, outcome.Purpose.REMOVE_EXTRA)
    if done is None:
        return INTERRUPTED
    if as_json:
        show_json(documents.removal(done))
    else:
        show(reports_compared.removal(done))
    show(reports.troubles(done), err=True)
    return outcome.exit_code([done.status], done.counts.errors)


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


def _chosen_districts(settings: "Settings", named: Sequence[str], every: bool, file: Path | None) -> list[str]:
    if bool(named) + every + (file is not None) > 1:
        raise UsageError("-d, --all-districts and --districts-file exclude each other", "Keep one of them.")
    if every:
        return [each.id for each in settings.district]
    return some_districts(settings, listed_districts(file) if file else named)


def _of_one(
    settings: "Settings",
    district: str | None,
    objects: Sequence[str],
    everything: bool,
    year: int | None,
    *,
    alone: bool,
) -> "tuple[str, Plan]":
    one, of_year = the_district(settings, district), year or settings.years.current
    return one, planned(settings.catalog_of_year(one, of_year), objects, everything, of_year, alone=alone)


def _plan_of_all(
    settings: "Settings",
    districts: Sequence[str],
    objects: Sequence[str],
    everything: bool,
    year: int | None,
    alone: bool,
) -> "tuple[Plan, bool]":
    """Return the plan that all these districts have in common, and whether it is a full one. Raises UsageError."""
    of_year = year or settings.years.current
    current = of_year == settings.years.current
    found: Plan | None = None
    full = False
    seen: set[object] = set()
    for one in districts:
        district = settings.district_by_id(one)
        # Hundreds of districts are mostly configured alike, and for the current year always.
        alike = None if current else (district.previous, district.next)
        if alike in seen:
            continue
        seen.add(alike)
        catalog = settings.catalog_of_year(one, of_year)
        plan = planned(catalog, objects, everything, of_year, alone=alone)
        if found is not None and plan != found:
            raise UsageError(f"The districts have different objects for {of_year}", "Send them one by one.")
        found, full = plan, set(plan.names) == {each.name for each in catalog.objects}
    assert found is not None
    return found, full


def _is_terminal() -> bool:
    return sys.stdin.isatty() and sys.stderr.isatty()


def _confirm(plan: "Plan", districts: Sequence[str]) -> None:
    """Ask before anything is sent, the whole plan in sight. Raises Cancelled."""
    from resync_tui import reports
    from resync_tui.words import plural

    show(reports.plan(plan), err=True)
    whom = ", ".join(districts) if len(districts) <= 10 else plural(len(districts), "district")
    if not click.confirm(f"Send {len(plan.objects)} objects of {whom} to the state?", err=True):
        raise Cancelled("Nothing was sent", "Run the command again to send.")


def _confirm_removal(settings: "Settings", district: str, count: int) -> None:
    """Have the district typed out before anything is removed. Raises Cancelled."""
    from resync_tui.words import plural

    name = settings.district_by_id(district).name
    asked = f"To remove {plural(count, 'record')} of {name} ({district}) from the state, type {district} or {name}"
    typed = click.prompt(asked, default="", show_default=False, err=True).strip()
    if typed.casefold() not in (district.casefold(), name.casefold()):
        raise Cancelled("Nothing was removed", "Run the command again and type the district's id or name.")


def _ended(settings: "Settings", district: str, plan: "Plan", purpose: "Purpose") -> "Batch | None":
    """Return the ended batch of a request for one district; None: interrupted, and told how to see it."""
    from resync_tui import rights, sending

    user = rights.require(settings.control_url())
    request = sending.Request([district], plan, purpose=purpose)
    found = _or_detached(lambda queued: sending.send(settings, request, user, queued))
    return found[0] if found else None


def _findings(settings: "Settings", batch: int) -> "tuple[list[FindingGroup], list[FindingRecord]]":
    async def read(store: "Store") -> "tuple[list[FindingGroup], list[FindingRecord]]":
        return await store.finding_groups(batch), await store.findings(batch)

    return ask(settings, read)


def _or_detached(carry_out: "Callable[[list[Batch]], list[Batch]]") -> "list[Batch] | None":
    """Return what was carried out, or None where it was left to go on by itself."""
    queued: list[Batch] = []
    try:
        return carry_out(queued)
    except KeyboardInterrupt:
        if not queued:
            raise
        click.echo(f"Detached; it goes on. See: resync-tui history --batch {queued[0].batch}", err=True)
        return None


def _carry_out(
    carry_out: "Callable[[list[Batch]], list[Batch]]", detach: bool, as_json: bool, *, ignore_excluded: bool
) -> int:
    """Send, print what came of it, and return the exit code."""
    from resync_tui import documents, outcome, reports

    found = _or_detached(carry_out)
    if found is None:
        return INTERRUPTED
    if as_json:
        for each in found:
            show_json(documents.batch(each))
    else:
        show(reports.batches(found) if detach else (line for each in found for line in reports.batch(each)))
    if detach:
        return 0
    show((line for each in found for line in reports.troubles(each)), err=True)
    errors = sum(each.counts.errors - (each.counts.excluded if ignore_excluded else 0) for each in found)
    return outcome.exit_code([each.status for each in found], errors)


commands = (send, retry, verify, remove_extra, cancel)
