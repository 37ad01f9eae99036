"""The commands: parse, call, print. The only place that wires everything together.

Nothing here imports a database or a screen before a command needs it: `--help` and `plan` answer at once.
"""

import os
import signal
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from resync_tui import cli_batches, cli_campaigns, cli_comparing, cli_sending
from resync_tui.cli_options import config_option, config_path, json_option, read_settings, show, show_json
from resync_tui.errors import ResyncError, UsageError

if TYPE_CHECKING:
    from resync_tui.config import Settings
    from resync_tui.control.store import Store

INTERRUPTED = 130
BROKEN_PIPE = 141


def main() -> None:
    """Run the command line of this process and leave with its exit code, at once.

    Taking apart what was imported would cost a tenth of a second; and SQLite's driver keeps the thread of a connection
    that was interrupted while it opened, for which Python would wait.
    """
    os._exit(answer(sys.argv[1:]))


def answer(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; whatever goes wrong becomes two lines on standard error."""
    try:
        with commands.make_context("resync-tui", list(arguments)) as context:
            code = commands.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        context_of = getattr(error, "ctx", None)
        path = context_of.command_path if context_of else "resync-tui"
        return _say(UsageError(error.format_message(), f"See: {path} --help"))
    except ResyncError as error:
        return _say(error)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001
        from resync_tui.crash import crashed

        return _say(crashed(error))
    return code or 0


def _say(error: ResyncError) -> int:
    click.echo(f"{error.what}\n{error.do}", err=True)
    return error.exit_code


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@config_option
@click.version_option(package_name="resync-tui")
@click.pass_context
def commands(context: click.Context) -> int | None:
    """Push a school district's records to the state again. Without a command: the terminal screens."""
    return None if context.invoked_subcommand else _open_screens(read_settings())


@commands.command()
@click.option("--dir", "folder", type=click.Path(path_type=Path), default=Path("resync-demo"), metavar="D",
              help="Where it is built, or used again; default ./resync-demo.")  # fmt: skip
@click.option("--students", type=click.IntRange(1), default=1000, metavar="N", help="Students in all; default 1000.")
@click.option("--districts", type=click.IntRange(1), default=2, metavar="N", help="Districts; default 2.")
@click.option("--seed", type=int, default=2026, metavar="N", help="The same seed gives the same data.")
@click.option("--postgres", is_flag=True, help="On a private PostgreSQL server in D/pg.")
@click.option("--no-tui", is_flag=True, help="Build it and print the paths.")
@click.option("--stop", is_flag=True, help="Stop the private PostgreSQL server.")
def demo(folder: Path, students: int, districts: int, seed: int, postgres: bool, no_tui: bool, stop: bool) -> None:
    """Try everything on sample districts and a sample state."""
    import anyio

    from resync_tui.private_postgres import PrivatePostgres
    from resync_tui.terminal import why_no_terminal

    server = PrivatePostgres(folder.absolute() / "pg")
    if stop:
        click.echo(f"Stopped: {server.folder}" if server.stop() else f"No server runs in {server.folder}")
        return
    if postgres and not server.exists and (folder / "resync.toml").exists():
        raise UsageError(f"{folder} holds a demo without PostgreSQL", "Choose another --dir.")
    if not no_tui and (why := why_no_terminal()) is not None:
        raise UsageError(why.partition(". ")[0], "Build it and use commands: --no-tui")

    from resync_tui.demo import build

    admin_url = server.start() if postgres or server.exists else None
    config = anyio.run(partial(build, folder, students=students, districts=districts, seed=seed, admin_url=admin_url))
    settings = read_settings(config)
    if not no_tui:
        _open_screens(settings)
        return
    show([f"resync.toml  {settings.path}", *(f"{name:12} {place}" for name, place in _places(settings))])


def _places(settings: "Settings") -> list[tuple[str, str]]:
    from resync_tui.database import place

    found = [("control", settings.control_url()), ("state", settings.state_url())]
    found += [(f"district {each.id}", settings.district_url(each.id)) for each in settings.district]
    return [(name, place(url)) for name, url in found]


for command in (*cli_batches.commands, *cli_sending.commands, *cli_comparing.commands, *cli_campaigns.commands):
    commands.add_command(command)


@commands.command()
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
    from resync_tui.agent.service import collect_rarely, run_agent

    collect_rarely()
    anyio.run(partial(run_agent, settings, once=once, idle_seconds=idle_seconds))


@commands.group()
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
    from resync_tui.engine import derive

    settings = read_settings()
    source, target, catalog = settings.district_url(district), settings.state_url(), settings.load_catalog()
    left: list[str] = []
    if sql:
        statements = anyio.run(derive.derive, source, target, catalog, left.append)
        show([*(f"-- {line}" for line in left), *(f"{statement};" for statement in statements)])
        return
    rights.require(settings.control_url())
    made = anyio.run(derive.apply, source, target, catalog, left.append)
    show(left)
    nothing = "Nothing else is missing." if left else "Nothing is missing."
    click.echo(f"{len(made)} statements made what was missing." if made else nothing)


@commands.command()
@json_option
@config_option
def doctor(as_json: bool) -> int:
    """Say what is wrong with the configuration, rights, databases, schemas and agents, and what to do."""
    from resync_tui import json_output, reports
    from resync_tui.doctor import examine

    agents, problems = examine(config_path())
    if as_json:
        show_json(json_output.doctor(agents, problems))
    else:
        show(reports.doctor(agents, problems))
    return max((each.exit_code for each in problems), default=0)


def _open_screens(settings: "Settings") -> int:
    from resync_tui import rights, terminal

    if (why := terminal.why_no_terminal()) is not None:
        what, _, do = why.partition(". ")
        raise UsageError(what, do)
    terminal.block_endings()
    url, catalog = settings.control_url(), settings.load_catalog()
    user = rights.require(url)

    from resync_tui.app import ResyncApp

    async def open_store() -> "Store":
        from resync_tui.control.store import Store
        from resync_tui.school_years import allowed_by

        return await Store.open(url, viewpoint=rights.viewpoint_of(settings), allowed=allowed_by(settings))

    def start_agent() -> str | None:
        from resync_tui import sending

        return sending.start_agent(settings)

    app = ResyncApp(settings, catalog, open_store=open_store, start_agent=start_agent, user=user)
    return terminal.run(app)
