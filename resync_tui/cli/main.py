"""The command line: parse, call, print. The only place that wires everything together.

Nothing here imports a database or a screen before a command needs it: `--help` and `plan` answer at once.
"""

import os
import sys
from collections.abc import Sequence

import click

from resync_tui.agent.garbage import collect_rarely
from resync_tui.cli import admin, browse, campaigns, fields, run, verify
from resync_tui.cli.console import open_screens
from resync_tui.cli.options import INTERRUPTED, config_option, hint, read_settings, show
from resync_tui.errors import ResyncError, UsageError

BROKEN_PIPE = 141
"""Exit code after a closed output pipe."""


def main() -> None:
    """Run the command line of this process and exit with its code, at once.

    Collections of garbage took a tenth of a command's start, and half of what it makes of many tables.
    Taking the imports down would cost a tenth of a second; and SQLite's driver keeps the thread of a connection that
    was interrupted while it opened, so Python would wait for it.
    """
    collect_rarely()
    os._exit(answer(sys.argv[1:]))


def answer(arguments: Sequence[str]) -> int:
    """Run one command and return its exit code; any error becomes two lines on standard error."""
    context: click.Context | None = None
    try:
        context = commands.make_context("resync-tui", list(arguments))
        with context:
            code = commands.invoke(context)
        sys.stdout.flush()
    except click.exceptions.Exit as done:
        return done.exit_code
    except click.ClickException as error:
        context_of = getattr(error, "ctx", None)
        path = context_of.command_path if context_of else "resync-tui"
        show([*error.format_message().split("\n"), f"See: {path} --help"], err=True)
        return UsageError.exit_code
    except ResyncError as error:
        return _say(error, context)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except (KeyboardInterrupt, click.Abort):
        click.echo(err=True)
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001
        from resync_tui.logs import crashed

        return _say(crashed(error))
    return code or 0


def _say(error: ResyncError, context: click.Context | None = None) -> int:
    show([error.what, hint(error.do, context)], err=True)
    return error.exit_code


@click.group(invoke_without_command=True, context_settings={"help_option_names": ["-h", "--help"]})
@config_option
@click.version_option(package_name="resync-tui")
@click.pass_context
def commands(context: click.Context) -> int | None:
    """Push a school district's records to the state again. Without a command: the terminal screens."""
    return None if context.invoked_subcommand else open_screens(read_settings())


for command in (
    *admin.commands,
    *browse.commands,
    *fields.commands,
    *run.commands,
    *verify.commands,
    *campaigns.commands,
):
    commands.add_command(command)
