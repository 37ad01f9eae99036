"""Shared parts of the commands: options, settings, a query of the control database, lines of output."""

import json
import re
import shlex
import sys
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import click

from resync_tui.printable import clipped, printable

if TYPE_CHECKING:
    from resync_tui.config.settings import Settings
    from resync_tui.control.store import Store
    from resync_tui.results import Batch


T = TypeVar("T")

INTERRUPTED = 130
"""Exit code after Ctrl-C."""


def _remember_config(context: click.Context, _parameter: click.Parameter, value: Path | None) -> None:
    if value is not None:
        context.find_root().obj = value


config_option = click.option(
    "--config", type=click.Path(path_type=Path), expose_value=False, callback=_remember_config, metavar="FILE",
    help="resync.toml to use; else $RESYNC_TUI_CONFIG, ./resync.toml, the user's, the system's.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
district_option = click.option("-d", "district", metavar="ID", help="District; left out: the first one.")


class Number(click.IntRange):
    """Integers of a range; what is none is told as for an integer."""

    name = "integer"


BATCH_NUMBER = Number(0, 2**31 - 1)
REQUEST_NUMBER = Number(0, 2**63 - 1)
"""Numbers that the control database can hold, and so be asked for."""

year_option = click.option("--year", type=Number(0, 9999), metavar="YEAR", help="School year, by the year it ends in.")
all_option = click.option("--all", "everything", is_flag=True, help="Every object.")
alone_option = click.option("--no-check-dependencies", "alone", is_flag=True, help="Only the named objects.")
detach_option = click.option("--detach", is_flag=True, help="Do not wait for the end.")
yes_option = click.option("--yes", is_flag=True, help="Do not ask.")
objects_argument = click.argument("objects", nargs=-1, metavar="OBJECT…")


def config_path() -> Path | None:
    """Return the path given by --config, before the command or after it."""
    path: Path | None = click.get_current_context().find_root().obj
    return path


def hint(text: str, context: click.Context | None = None) -> str:
    """Return a text with the --config that was given in each command that it names, so that it can be pasted.

    `context` is by default that of the running command.
    """
    context = context or click.get_current_context(silent=True)
    root = context.find_root() if context else None
    if root is None or root.obj is None or not isinstance(root.command, click.Group):
        return text
    given = f"resync-tui --config {shlex.quote(str(root.obj))}"
    known = "|".join(root.command.commands)
    return re.sub(rf"\bresync-tui(?= (?:{known})\b(?! --config))", lambda _: given, text)


def read_settings(path: Path | None = None) -> "Settings":
    """Return the settings of `path`, by default of the file given by --config. Raises ConfigError.

    Before that, have this process log as it should.
    """
    from resync_tui import logs
    from resync_tui.config.load import load_settings

    logs.level()  # told before anything is queued for an agent that would end at once
    logs.keep_of_libraries()
    return load_settings(path or config_path())


def ask(settings: "Settings", question: "Callable[[Store], Awaitable[T]]") -> T:
    """Return the control database's answer, for a user with Read."""
    from resync_tui import rights
    from resync_tui.control.store import Store

    url = settings.control_url()
    rights.require(url)

    async def asked() -> T:
        store = await Store.open(url, edition=rights.edition_of(settings))
        try:
            return await question(store)
        finally:
            await store.close()

    return run_interruptibly(asked)


def run_interruptibly(ask: "Callable[[], Awaitable[T]]") -> T:
    """Run a coroutine in an event loop of its own, from the main thread. Raises KeyboardInterrupt after Ctrl-C.

    Shielded work goes on to its end; an event loop's own way with Ctrl-C ignores shields. A background job, for which
    the shell has Ctrl-C ignored, goes on ignoring it.
    """
    import asyncio
    import signal

    import anyio

    before = signal.getsignal(signal.SIGINT)

    async def asked() -> list[T]:
        with anyio.CancelScope() as scope:
            if before is not signal.SIG_IGN:
                asyncio.get_running_loop().add_signal_handler(signal.SIGINT, scope.cancel)
            return [await ask()]
        return []

    try:
        answer = anyio.run(asked)
    finally:
        signal.signal(signal.SIGINT, before)
    if not answer:
        raise KeyboardInterrupt
    return answer[0]


def show_json(document: object) -> None:
    """Print one JSON document on one line, in ASCII: what a terminal would obey is escaped."""
    click.echo(json.dumps(document).replace("\x7f", "\\u007f"))


def show(lines: Iterable[str], *, err: bool = False, whole: bool = False) -> None:
    """Print lines, each as it may be shown and, but for `whole`, not longer than a value that is shown."""
    for line in lines:
        click.echo(printable(line) if whole else clipped(line), err=err)


def is_terminal() -> bool:
    """Whether a user can answer a question on this terminal."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def drop_typed_ahead() -> None:
    """Drop what was typed before a question was seen: it answers something else, or nothing."""
    import termios

    with suppress(termios.error, OSError, ValueError):  # no terminal: what is piped in is meant
        termios.tcflush(sys.stdin.fileno(), termios.TCIFLUSH)


@dataclass(slots=True)
class Submission:
    """Batches queued by a command so far; after Ctrl-C they go on by themselves."""

    batches: "list[Batch]" = field(default_factory=list)


def or_detached(carry_out: "Callable[[Submission], list[Batch]]", goes_on: str = "it goes on") -> "list[Batch] | None":
    """Return the batches; None after Ctrl-C, which leaves them to go on, with a message how to see them."""
    submission = Submission()
    try:
        return carry_out(submission)
    except KeyboardInterrupt:
        if not submission.batches:
            raise
        see = _how_to_see(submission.batches)
        show([f"Detached; {goes_on}. {see}"], err=True)
        return None


def _how_to_see(batches: "list[Batch]") -> str:
    """Return how to see, and how to stop, what goes on."""
    first, number = batches[0].request, batches[0].batch
    if len(batches) > 1:
        return hint(f"See: resync-tui history; stop: resync-tui cancel --request {first}")
    return hint(f"See: resync-tui history --batch {number}; stop: resync-tui cancel {number}")
