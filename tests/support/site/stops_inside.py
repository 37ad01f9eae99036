"""The agent itself, but it is stopped in its first transaction that writes progress, whose lock it then keeps."""

import os
import signal
import sys
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from sqlalchemy import Engine, event

from resync_tui.agent.service import run_agent
from resync_tui.config.load import load_settings


def main() -> None:
    """Serve the queue of a resync.toml."""

    @event.listens_for(Engine, "after_cursor_execute")
    def stop(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith('UPDATE "DISBatchHistory"'):
            os.kill(os.getpid(), signal.SIGSTOP)

    anyio.run(partial(run_agent, load_settings(Path(sys.argv[1])), once=False, idle_seconds=None))


if __name__ == "__main__":
    main()
