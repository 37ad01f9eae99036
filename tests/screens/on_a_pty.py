"""The screens over the control database's twin, as a program: `python -m tests.screens.on_a_pty`."""

import sys

from resync_tui.app import ResyncApp
from resync_tui.terminal import block_endings, run
from tests.screens import twin


def main() -> int:
    """Run until somebody ends it."""
    block_endings()
    store = twin.MemoryStore(twin.Clock())

    async def open_store() -> twin.MemoryStore:
        return store

    app = ResyncApp(
        twin.settings(), twin.catalog(), open_store=open_store, start_agent=lambda: None, user="jdoe", clock=store.clock
    )
    return run(app)


if __name__ == "__main__":
    sys.exit(main())
