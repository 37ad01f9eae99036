"""The commands for the server's administrator: demo, agent, state init, doctor."""

import os
import shlex
import signal
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resync_tui.cli.console import open_screens
from resync_tui.cli.options import config_option, config_path, hint, json_option, read_settings, show, show_json
from resync_tui.errors import UsageError
from resync_tui.formatting import plural

if TYPE_CHECKING:
    from resync_tui.config.settings import Settings


FOLDER = "resync-demo"


@click.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path(FOLDER), metavar="D",
              help=f"Where it is built, or used again; default ./{FOLDER}.")  # fmt: skip
@click.option("--students", type=click.IntRange(1), default=1000, metavar="N", help="Students in all; default 1000.")
@click.option("--districts", type=click.IntRange(1), default=2, metavar="N", help="Districts; default 2.")
@click.option("--seed", type=int, default=2026, metavar="N", help="The same seed gives the same data.")
@click.option("--postgres", is_flag=True, help="On a private PostgreSQL server in D/pg.")
@click.option("--no-tui", is_flag=True, help="Build it and print the paths.")
@click.option("--stop", is_flag=True, help="Stop the private PostgreSQL server.")
def demo(folder: Path, students: int, districts: int, seed: int, postgres: bool, no_tui: bool, stop: bool) -> None:
    """Try everything on sample districts and a sample state."""
    import anyio

    from resync_tui.demo.private_postgres import PrivatePostgres
    from resync_tui.screens.terminal import why_no_terminal

    server = PrivatePostgres(folder.absolute() / "pg")
    if stop:
        show([f"Stopped: {server.folder}" if server.stop() else f"No server runs in {server.folder}"])
        return
    if postgres and not server.exists and (folder / "resync.toml").exists():
        raise UsageError(f"{folder} holds a demo without PostgreSQL", "Choose another --dir.")
    if not no_tui and (why := why_no_terminal()) is not None:
        raise UsageError(why.partition(". ")[0], "Build it and use commands: --no-tui")

    from resync_tui.demo.build import CONFIG, build

    on_server = postgres or server.exists
    if on_server:
        show([f"Starting PostgreSQL in {server.folder} …"], err=True)
    admin_url = server.start() if on_server else None
    if not (folder / CONFIG).exists():
        show([f"Building {plural(districts, 'district')} in {folder} …"], err=True)
    config = anyio.run(partial(build, folder, students=students, districts=districts, seed=seed, admin_url=admin_url))
    settings = read_settings(config)
    if no_tui:
        show([f"resync.toml  {settings.path}", *(f"{name:12} {place}" for name, place in _places(settings))])
    else:
        open_screens(settings)
    show(_what_next(folder, settings.path, on_server=on_server), err=not no_tui)


def _what_next(folder: Path, config: Path, *, on_server: bool) -> list[str]:
    """Return how to go on with a demo: its screens, its commands, its end."""
    from resync_tui.demo.consoles import CONSOLES

    where = "" if folder == Path(FOLDER) else f" --dir {shlex.quote(str(folder))}"
    again = hint(f"resync-tui demo{where}")
    there = f"resync-tui --config {shlex.quote(str(config))}"
    lines = ["", f"Its screens: {again}", f"A command: {there} plan Enrollment"]
    if not on_server:
        return lines
    state, district = (shlex.quote(str(config.parent / each / config.name)) for each in CONSOLES)
    return [
        *lines,
        f"The state's console, of a role of its own: {hint('resync-tui')} --config {state}",
        f"A district's console, of a role of its own: {hint('resync-tui')} --config {district}",
        f"What carries out what both ask for: {there} agent",
        f"Stop its server: {again} --stop",
    ]


def _places(settings: "Settings") -> list[tuple[str, str]]:
    from resync_tui.databases.registry import place

    found = [("control", settings.control_url()), ("state", settings.state_url())]
    found += [(f"district {each.id}", settings.district_url(each.id)) for each in settings.district]
    return [(name, place(url)) for name, url in found]


@click.command()
@click.option("--once", is_flag=True, help="End when nothing is queued.")
@click.option("--idle-seconds", type=click.FloatRange(0), metavar="S", help="End after so long without work.")
@config_option
def agent(once: bool, idle_seconds: float | None) -> None:
    """Carry out what is queued; runs for good, as a service."""
    import anyio

    from resync_tui import rights

    settings = read_settings()
    rights.require(settings.control_url())
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (signal.SIGHUP, signal.SIGTERM))
    from resync_tui.agent.garbage import collect_rarely
    from resync_tui.agent.service import run_agent

    collect_rarely()
    anyio.run(partial(run_agent, settings, once=once, idle_seconds=idle_seconds))


@click.group()
def state() -> None:
    """The state's database."""


@state.command("init")
@click.option("-d", "district", required=True, metavar="ID", help="District whose tables the state's are made from.")
@click.option("--sql", is_flag=True, help="Only print the statements.")
@config_option
def init(district: str, sql: bool) -> None:
    """Create the tables, indexes and keys that the state lacks, derived from a district's."""
    import anyio

    from resync_tui import rights
    from resync_tui.config.load import load_catalog
    from resync_tui.state_schema import derive

    settings = read_settings()
    source, target, catalog = settings.district_url(district), settings.state_url(), load_catalog(settings)
    left: list[str] = []
    if sql:
        statements = anyio.run(derive.derive, source, target, catalog, left.append)
        show(f"-- {line}" for line in left)
        show((line for each in statements for line in f"{each};".split("\n")), whole=True)
        return
    rights.require(settings.control_url())
    try:
        made = anyio.run(derive.apply, source, target, catalog, left.append)
    finally:
        show(left)
    nothing = "Nothing else is missing." if left else "Nothing is missing."
    show([f"{len(made)} statements made what was missing." if made else nothing])


@click.command()
@click.option("-d", "district", metavar="ID", help="Look at this district alone, with a line for each thing.")
@click.option("--verbose", is_flag=True, help="Show a line for each thing of all districts.")
@json_option
@config_option
def doctor(district: str | None, verbose: bool, as_json: bool) -> int:
    """Say what was looked at of the configuration, rights, databases and agents, what is wrong, and what to do."""
    from resync_tui import json_output
    from resync_tui.cli import text
    from resync_tui.cli.doctor.examination import examine
    from resync_tui.screens.widgets.glyphs import glyphs_for

    found = examine(config_path(), district)
    if as_json:
        show_json(json_output.doctor(found.agents, found.checks))
    else:
        in_one_line = {} if verbose or district is not None else found.districts
        show(text.doctor(found.checks, glyphs_for(os.environ), in_one_line))
    return found.exit_code


commands = (demo, agent, state, doctor)
