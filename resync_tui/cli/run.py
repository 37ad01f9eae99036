"""The commands that send, that follow what was sent, and that stop it: run, retry, attach, cancel."""

import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from shutil import get_terminal_size
from typing import TYPE_CHECKING

import click

from resync_tui.cli.options import (
    BATCH_NUMBER,
    INTERRUPTED,
    REQUEST_NUMBER,
    Submission,
    all_option,
    alone_option,
    ask,
    config_option,
    detach_option,
    drop_typed_ahead,
    is_terminal,
    json_option,
    objects_argument,
    or_detached,
    read_settings,
    show,
    show_json,
    year_option,
    yes_option,
)
from resync_tui.cli.selection import listed_districts, moment, planned, some_districts
from resync_tui.errors import Cancelled, CannotRun, UsageError

if TYPE_CHECKING:
    from resync_tui.config.settings import Settings
    from resync_tui.control.store import Store
    from resync_tui.plan import Plan
    from resync_tui.results import Batch, LastResync

SOME = 10
"""Districts named, and compared with their previous runs; of more only the number is given."""
SUMMARY_WIDTH = 100
"""Cells of a line of the paragraph at the end, on a wide terminal."""


@click.command("run", short_help="Send records again; without a terminal unasked.")
@objects_argument
@click.option("-d", "districts", multiple=True, metavar="ID", help="District; may be repeated.")
@click.option("--all-districts", is_flag=True, help="Every configured district, as one campaign.")
@click.option("--districts-file", type=click.Path(path_type=Path), metavar="F", help="A campaign: one id a line.")
@all_option
@alone_option
@year_option
@click.option("--at", "at", metavar="TIME", help="Not before 22:30, or 2026-07-01T02:00; within the window.")
@click.option("--reason", default="", metavar="TEXT", help="Why, for the history.")
@click.option("--ignore-excluded", is_flag=True, help="What rules exclude does not count for the exit code.")
@detach_option
@yes_option
@json_option
@config_option
def send(objects: Sequence[str], districts: Sequence[str], all_districts: bool, districts_file: Path | None,
         everything: bool, alone: bool, year: int | None, at: str | None, reason: str, ignore_excluded: bool,
         detach: bool, yes: bool, as_json: bool) -> int:  # fmt: skip
    """Send these objects' records to the state again; without a terminal unasked, on one after a question.

    It waits until all is accounted for; on a terminal with a bar, and a line a district of a campaign. Ctrl-C leaves
    the batch to its agent.

    [engine] max_records_per_second limits what is read and written; rows that are only compared are not paced.
    """
    from resync_tui import rights
    from resync_tui.campaign import Scenario
    from resync_tui.cli import text
    from resync_tui.clock import utc_now
    from resync_tui.config.load import load_catalog
    from resync_tui.plan import Request

    settings = read_settings()
    chosen = _chosen_districts(settings, districts, all_districts, districts_file)
    plan, full = _plan_of_all(settings, chosen, objects, everything, year, alone)
    not_before = moment(at, utc_now()) if at else None
    user = rights.require(settings.control_url())
    hints = load_catalog(settings).hints(plan.names)
    if not yes and is_terminal():
        _confirm(plan, hints, chosen, settings.state.word)
    else:
        show(text.hints(hints), err=True)
    from resync_tui.cli import wait

    why = reason or (Scenario.STATE_REQUEST.value if settings.edition == "state" else "")
    request = Request(
        chosen, plan, settings.edition, user, full=full, reason=why, not_before=not_before,
        campaign=all_districts or districts_file is not None,
    )  # fmt: skip
    return _carry_out(
        settings, lambda submission: wait.send(settings, request, submission, detach=detach),
        detach, as_json, ignore_excluded=ignore_excluded,
    )  # fmt: skip


_batch_argument = click.argument("batch", type=BATCH_NUMBER, required=False, metavar="N")
_request_option = click.option("--request", type=REQUEST_NUMBER, metavar="R", help="All batches of a request.")


def _one_of(command: str, batch: int | None, request: int | None) -> None:
    """Require either a batch or a request. Raises UsageError."""
    if (batch is None) == (request is None):
        ways = f"resync-tui {command} N, or resync-tui {command} --request R"
        raise UsageError("Name one batch, or one request", ways)


@click.command()
@_batch_argument
@_request_option
@click.option("--ignore-excluded", is_flag=True, help="What rules exclude does not count for the exit code.")
@detach_option
@json_option
@config_option
def retry(batch: int | None, request: int | None, ignore_excluded: bool, detach: bool, as_json: bool) -> int:
    """Send again what failed, was rejected, blocked, cancelled or skipped, as a request of its own."""
    from resync_tui import rights

    _one_of("retry", batch, request)
    settings = read_settings()
    user = rights.require(settings.control_url())
    from resync_tui.cli import wait

    def asked(submission: Submission) -> "list[Batch]":
        if batch is not None:
            return wait.retry(settings, batch, user, submission, detach=detach)
        return wait.retry_request(settings, request or 0, user, submission, detach=detach)

    return _carry_out(settings, asked, detach, as_json, ignore_excluded=ignore_excluded)


@click.command()
@click.argument("batch", type=BATCH_NUMBER, metavar="N")
@click.option("--ignore-excluded", is_flag=True, help="What rules exclude does not count for the exit code.")
@json_option
@config_option
def attach(batch: int, ignore_excluded: bool, as_json: bool) -> int:
    """Follow a batch to its end, whoever sent it; Ctrl-C leaves it to its agent."""
    from resync_tui import rights

    settings = read_settings()
    rights.require(settings.control_url())
    from resync_tui.cli import wait

    return _carry_out(
        settings, lambda submission: wait.follow(settings, batch, submission),
        False, as_json, ignore_excluded=ignore_excluded,
    )  # fmt: skip


@click.command()
@_batch_argument
@_request_option
@config_option
def cancel(batch: int | None, request: int | None) -> None:
    """Cancel a queued batch at once, a running one at its next chunk."""
    from resync_tui import rights

    _one_of("cancel", batch, request)
    settings = read_settings()
    user = rights.require(settings.control_url())
    if batch is None:
        ask(settings, lambda store: store.cancel_request(request or 0, user))
        show(["Cancelled: what waits at once, what runs at its next chunk."])
        return

    async def cancelled(store: "Store") -> bool:
        await store.cancel(batch, user)
        return (await store.batch(batch)).status.ended

    ended = ask(settings, cancelled)
    show([f"Batch #{batch} {'is cancelled' if ended else 'stops at its next chunk: what was merged stays'}."])


def _chosen_districts(settings: "Settings", named: Sequence[str], every: bool, file: Path | None) -> list[str]:
    if bool(named) + every + (file is not None) > 1:
        raise UsageError("-d, --all-districts and --districts-file exclude each other", "Keep one of them.")
    if every:
        return [each.id for each in settings.district]
    return some_districts(settings, listed_districts(file) if file else named)


def _plan_of_all(
    settings: "Settings",
    districts: Sequence[str],
    objects: Sequence[str],
    everything: bool,
    year: int | None,
    alone: bool,
) -> "tuple[Plan, bool]":
    """Return the one plan of all these districts, and whether it is a full one. Raises UsageError."""
    from resync_tui.config.load import catalog_of_year, load_catalog
    from resync_tui.config.school_years import require_year

    of_year = year or settings.years.current
    known = load_catalog(settings)
    require_year(settings, districts, of_year, [known[name].name for name in objects])
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
        catalog = catalog_of_year(settings, one, of_year)
        plan = planned(catalog, objects, everything, of_year, alone=alone)
        if found is not None and plan != found:
            raise UsageError(f"The districts have different objects for {of_year}", "Send them one by one.")
        found, full = plan, set(plan.names) == {each.name for each in catalog.objects}
    assert found is not None
    return found, full


def _confirm(plan: "Plan", hints: Mapping[str, str], districts: Sequence[str], receiver: str) -> None:
    """Ask before anything is sent, with the whole plan shown. Raises Cancelled."""
    from resync_tui.cli import text
    from resync_tui.formatting import plural

    show(text.plan(plan, hints), err=True)
    whom = ", ".join(districts) if len(districts) <= SOME else plural(len(districts), "district")
    drop_typed_ahead()
    if not click.confirm(f"Send {len(plan.objects)} objects of {whom} to the {receiver}?", err=True):
        raise Cancelled("Nothing was sent", "Run the command again to send.")


def _carry_out(
    settings: "Settings",
    carry_out: "Callable[[Submission], list[Batch]]",
    detach: bool,
    as_json: bool,
    *,
    ignore_excluded: bool,
) -> int:
    """Send, print the result, and return the exit code."""
    from resync_tui import json_output, outcome
    from resync_tui.cli import text

    found = or_detached(carry_out)
    if found is None:
        return INTERRUPTED
    if as_json:
        for each in found:
            show_json(json_output.batch(each))
    elif detach:
        show(text.batches(found))
    else:
        before = _before(settings, found)
        if sys.stdout.isatty():
            names = {each.id: each.name for each in settings.district}
            show(text.summary(found, names, before, min(SUMMARY_WIDTH, get_terminal_size().columns - 1)))
        else:
            show(line for each in found for line in text.batch(each, before.get(each.batch)))
    if detach:
        return 0
    show((line for each in found for line in text.troubles(each)), err=True)
    errors = sum(each.counts.failures if ignore_excluded else each.counts.errors for each in found)
    return outcome.exit_code([each.status for each in found], errors)


def _before(settings: "Settings", found: "Sequence[Batch]") -> "dict[int, Mapping[str, LastResync]]":
    """Return the previous runs of each batch; none for a large campaign, as the board is for that."""
    from resync_tui.previous_run import runs_before

    if len(found) > SOME:
        return {}

    async def read(store: "Store") -> "dict[int, Mapping[str, LastResync]]":
        return {each.batch: await runs_before(store, each) for each in found}

    # How the batch ended is what counts, also where nothing answers any more.
    with suppress(CannotRun):
        return ask(settings, read)
    return {}


commands = (send, retry, attach, cancel)
