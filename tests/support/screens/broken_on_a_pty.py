"""The screens with a fault, as a program: `python -m tests.support.screens.broken_on_a_pty`."""

import os

import pytest

from resync_tui.cli.main import answer
from resync_tui.screens.terminal import block_endings
from resync_tui.screens.widgets.rows import Rows
from tests.support.screens import on_a_pty


def broken(_: object, name: str = "Ann Smith") -> None:
    """Fail as a widget may, with a record's value at hand."""
    raise ValueError(name)


def main() -> int:
    """Run the command line over screens that cannot draw a row."""
    block_endings()
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr("resync_tui.cli.main.read_settings", lambda: None)
        patched.setattr("resync_tui.cli.main.open_screens", lambda _: on_a_pty.main())
        patched.setattr(Rows, "render_line", broken)
        return answer([])


if __name__ == "__main__":
    os._exit(main())  # as the command line itself ends: what the terminal did not take is not tried again
