"""The screens over a fake of the control database, as a program: `python -m tests.support.screens.on_a_pty`."""

import os

from resync_tui.screens.app import ResyncApp
from resync_tui.screens.terminal import block_endings, run
from tests.support.screens import fake_store


def main() -> int:
    """Run until somebody ends it."""
    block_endings()
    store = fake_store.MemoryStore(fake_store.Clock())

    async def open_store() -> fake_store.MemoryStore:
        return store

    app = ResyncApp(
        fake_store.settings(),
        fake_store.catalog(),
        open_store=open_store,
        start_agent=lambda: None,
        user="jdoe",
        clock=store.clock,
    )
    return run(app)


if __name__ == "__main__":
    os._exit(main())  # as the command line itself ends: what the terminal did not take is not tried again
