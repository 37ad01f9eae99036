"""The commands for many districts and recurring work: the board, Process Alerts, schedules."""

from datetime import date, datetime, time, timedelta
from typing import TYPE_CHECKING

import click

from resync_tui.cli.options import ask, config_option, json_option, read_settings, show, show_json, year_option
from resync_tui.errors import UsageError

if TYPE_CHECKING:
    from resync_tui.config.settings import YearSettings
    from resync_tui.control.store import Store
    from resync_tui.results import Agent, Alert, Batch

_DAY = click.DateTime(["%Y-%m-%d"])


@click.command()
@year_option
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV.")
@json_option
@config_option
def board(year: int | None, as_csv: bool, as_json: bool) -> None:
    """Show where each district stands, and which lack a full resync of the year since it opened or closed."""
    from resync_tui import campaign, json_output
    from resync_tui.cli import text

    if as_csv and as_json:
        raise UsageError("--csv and --json exclude each other", "Keep one of them.")
    settings = read_settings()
    of_year = year or settings.years.current
    standings = ask(settings, lambda store: store.board(of_year, [each.id for each in settings.district]))
    days = _days(settings.years, of_year)
    found = [
        json_output.standing(district, each, days.get("opened"), days.get("closed"))
        for district, each in zip(settings.district, standings, strict=True)
    ]
    if as_json:
        show_json(found)
    elif as_csv:
        from resync_tui.formatting import csv_text

        click.echo(csv_text(list(found[0]), (list(each.values()) for each in found)), nl=False)
    else:
        named = [(district.name, each) for district, each in zip(settings.district, standings, strict=True)]
        lacking = {what: campaign.lacking(standings, day) for what, day in days.items()}
        show(text.board(named, of_year, days, lacking))


def _days(years: "YearSettings", year: int) -> dict[str, date]:
    """Return the past days since which the current year demands a full resync."""
    configured = {"opened": years.opens, "closed": years.closes} if year == years.current else {}
    today = datetime.now().astimezone().date()
    return {what: day for what, day in configured.items() if day is not None and day <= today}


@click.command()
@click.option("--since", type=_DAY, metavar="DATE", help="Posted on that day or later.")
@click.option("--until", type=_DAY, metavar="DATE", help="Posted on that day or earlier.")
@click.option("--process", metavar="TEXT", help="Only of this process.")
@click.option("--unread", is_flag=True, help="Only those not read.")
@click.option("--read", type=int, multiple=True, metavar="N", help="Mark an alert as read.")
@click.option("--delete", type=int, multiple=True, metavar="N", help="Take an alert out of your list.")
@json_option
@config_option
def alerts(since: datetime | None, until: datetime | None, process: str | None, unread: bool, read: tuple[int, ...],
           delete: tuple[int, ...], as_json: bool) -> None:  # fmt: skip
    """List your Process Alerts, newest first, or mark some as read or delete them."""
    from resync_tui import json_output
    from resync_tui.cli import text

    settings = read_settings()

    async def answered(store: "Store") -> "list[Alert]":
        if read or delete:
            there = {each.alert for each in await store.alerts.posted()}
            for number in (*read, *delete):
                if number not in there:
                    raise UsageError(f"There is no alert {number}", "See: resync-tui alerts")
            await store.alerts.mark_read(read)
            await store.alerts.delete(delete)
        return await store.alerts.posted(
            since=_midnight(since), until=_midnight(until, days=1), process=process, unread=unread
        )

    found = ask(settings, answered)
    if as_json:
        show_json([json_output.alert(each) for each in found])
    else:
        show(text.alerts(found))


def _midnight(day: datetime | None, days: int = 0) -> datetime | None:
    """Return local midnight of a day, or of one that many days later."""
    return datetime.combine(day.date() + timedelta(days), time()).astimezone() if day else None


@click.command()
@json_option
@config_option
def schedule(as_json: bool) -> None:
    """List the schedules with their next and their last run; an agent that runs as a service fires them."""
    from resync_tui import json_output
    from resync_tui.cli import text
    from resync_tui.clock import utc_now

    settings = read_settings()
    if not settings.schedule:
        if as_json:
            show_json([])
        else:
            show([text.NO_SCHEDULES])
        return
    from resync_tui.schedule import upcoming

    async def answered(store: "Store") -> "tuple[dict[str, Batch], list[Agent]]":
        return await store.last_scheduled(settings.edition), await store.agents()

    last, agents = ask(settings, answered)
    found = [(each, last.get(each.schedule.name)) for each in upcoming(settings, utc_now())]
    if as_json:
        show_json([json_output.schedule(each.schedule, each.fires, each.starts, last) for each, last in found])
    else:
        show(text.schedules(found, served=any(each.alive and each.service for each in agents)))


commands = (board, alerts, schedule)
