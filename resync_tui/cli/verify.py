"""The commands that compare, and that remove extra records: verify, remove-extra."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from resync_tui.cli.options import (
    INTERRUPTED,
    all_option,
    ask,
    config_option,
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
from resync_tui.cli.selection import plan_of, the_district
from resync_tui.errors import Cancelled, CannotRun, UsageError
from resync_tui.printable import clipped

if TYPE_CHECKING:
    from resync_tui.config.settings import Settings
    from resync_tui.control.store import Store
    from resync_tui.outcome import Purpose
    from resync_tui.plan import Plan
    from resync_tui.results import Batch, ErrorGroup, FindingGroup, FindingRecord

needed_district_option = click.option("-d", "district", metavar="ID", help="District; needed where there are several.")


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
    from resync_tui import json_output, outcome
    from resync_tui.cli import text

    settings = read_settings()
    one, plan = _of_one(settings, district, objects, everything, year, alone=False)
    found = _ended(settings, one, plan, outcome.Purpose.VERIFY, "the comparison goes on")
    if found is None:
        return INTERRUPTED

    async def read(store: "Store") -> "tuple[list[FindingGroup], list[ErrorGroup]]":
        return await store.finding_groups(found.batch), await store.error_groups(found.batch)

    groups, errors = ask(settings, read)
    records = _findings(settings, found.batch)[1] if keys else []
    if as_json:
        show_json(json_output.verification(found, groups, records if keys else None))
    else:
        show(text.verification(found, groups, records, settings.state.word, errors))
    show(text.troubles(found), err=True)
    counts, moved = found.counts, sum(each.count for each in groups if each.finding is outcome.Finding.MOVED)
    return outcome.exit_code([found.status], counts.inserted + counts.updated + counts.extra + moved)


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
    from resync_tui import json_output, outcome, rights
    from resync_tui.cli import text

    settings = read_settings()
    one, plan = _of_one(settings, district, objects, everything, year, alone=True)
    rights.require(settings.control_url())
    if not yes and not is_terminal():
        raise UsageError(
            "remove-extra asks before it removes, and this is no terminal",
            f"Look first: resync-tui verify -d {one} --all --keys; then say --yes",
        )
    seen = _ended(settings, one, plan, outcome.Purpose.VERIFY, "the comparison goes on, and nothing is removed")
    if seen is None:
        return INTERRUPTED
    if seen.status is not outcome.Status.COMPLETED:
        show(text.troubles(seen), err=True)
        return outcome.exit_code([seen.status], 0)
    _preview(settings, seen, as_json)
    if not seen.counts.extra:
        if as_json:
            show_json(json_output.removal(seen))
        return 0
    if yes:
        show([f"Only what batch #{seen.batch} shows may go."], err=as_json)
    else:
        _confirm_removal(settings, one, seen.counts.extra)
    done = _ended(settings, one, plan, outcome.Purpose.REMOVE_EXTRA, "the removal goes on", seen.batch)
    if done is None:
        return INTERRUPTED
    if done.status is outcome.Status.FAILED:
        groups, records = _findings(settings, done.batch)
        show(text.extra_records(groups, records, {}, settings.state.word) if groups else (), err=True)
    if as_json:
        show_json(json_output.removal(done))
    else:
        show(text.removal(done))
    show(text.troubles(done), err=True)
    return outcome.exit_code([done.status], done.counts.errors)


def _of_one(
    settings: "Settings",
    district: str | None,
    objects: Sequence[str],
    everything: bool,
    year: int | None,
    *,
    alone: bool,
) -> "tuple[str, Plan]":
    one = the_district(settings, district)
    return one, plan_of(settings, one, objects, everything, year, alone=alone)


def _preview(settings: "Settings", seen: "Batch", as_json: bool) -> None:
    """Show the extra records of a comparison. Raises CannotRun if they may not be removed.

    One object with too many keeps all back, as the agent checks every object before it removes anything.
    """
    from resync_tui.cli import text
    from resync_tui.outcome import Finding
    from resync_tui.results import held_back

    groups, records = _findings(settings, seen.batch)
    share = settings.engine.extra_share
    held = {each.object: why for each in seen.objects if (why := held_back(each, share))}
    show(text.extra_records(groups, records, held, settings.state.word), err=as_json)
    show((f"{each.object}: {each.message}" for each in seen.objects if each.message), err=as_json)
    if held:
        raise CannotRun(
            f"Nothing was removed: too many would go of {', '.join(held)}",
            "Check the district's database, raise [engine] extra_share, or name only the other objects.",
        )
    shown = sum(each.finding is Finding.EXTRA for each in records)
    if 0 < shown < sum(each.count for each in groups if each.finding is Finding.EXTRA):
        raise CannotRun(
            "Nothing was removed: not all of these keys were kept, and only what was shown may go",
            "Raise [engine] errors_kept, or name fewer objects.",
        )


def _confirm_removal(settings: "Settings", district: str, count: int) -> None:
    """Ask for the district to be typed out before anything is removed. Raises Cancelled."""
    from resync_tui.formatting import plural

    name = settings.district_by_id(district).name
    whose = f"{name} ({district}) from the {settings.state.word}"
    asked = f"To remove {plural(count, 'record')} of {whose}, type {district} or {name}"
    drop_typed_ahead()
    typed = click.prompt(clipped(asked), default="", show_default=False, err=True).strip()
    if typed.casefold() not in (district.casefold(), name.casefold()):
        raise Cancelled("Nothing was removed", "Run the command again and type the district's id or name.")


def _ended(
    settings: "Settings", district: str, plan: "Plan", purpose: "Purpose", goes_on: str, preview: int | None = None
) -> "Batch | None":
    """Return the ended batch of a request for one district; None: interrupted, with a message that it goes on.

    `preview` is the comparison whose extra records a removal may take.
    """
    from resync_tui import rights
    from resync_tui.cli import wait
    from resync_tui.plan import Request

    user = rights.require(settings.control_url())
    request = Request([district], plan, settings.edition, user, purpose, preview=preview)
    found = or_detached(lambda submission: wait.send(settings, request, submission), goes_on)
    return found[0] if found else None


def _findings(settings: "Settings", batch: int) -> "tuple[list[FindingGroup], list[FindingRecord]]":
    async def read(store: "Store") -> "tuple[list[FindingGroup], list[FindingRecord]]":
        return await store.finding_groups(batch), await store.findings(batch)

    return ask(settings, read)


commands = (verify, remove_extra)
