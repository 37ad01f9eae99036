"""The notify command: run without a shell when a batch ends, with the summary as JSON on its standard input."""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process

from resync_tui.errors import UntrustedPath, one_line
from resync_tui.files import own
from resync_tui.processes import plain_environment

TIME_LIMIT = 30.0
"""Seconds after which the command and all its processes are killed."""
OUTPUT_LIMIT = 500
"""Bytes of its output that are kept."""


async def notify(command: Sequence[str], summary: Mapping[str, Any], *, time_limit: float = TIME_LIMIT) -> str:
    """Run the command; return a line about its end, with the beginning of its output; never raises.

    The summary has counts and names of objects, no records; so nothing else can get into the command's output. Nor do
    secrets of the agent's environment: it gets a plain one. A program that others could change is not run.
    """
    program, environment = command[0], plain_environment(os.environ)
    try:
        file = shutil.which(program, path=environment.get("PATH")) or program
        own.require_program(Path(file))
        process = await anyio.open_process(
            [file, *command[1:]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True, env=environment,
        )  # fmt: skip
    except OSError as error:
        return f"cannot run {program}: {error.strerror}"
    except UntrustedPath as error:
        return f"cannot run {program}: {one_line(error)}"
    output = b""
    try:
        with anyio.move_on_after(time_limit) as limit:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(_tell, process, json.dumps(summary).encode() + b"\n")
                output = await _heard(process)
            await process.wait()
    finally:
        # Also after its end: processes that it left running must not hold the agent.
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        with anyio.CancelScope(shield=True):
            await process.wait()
            await process.aclose()
    how = f"was killed after {time_limit:g} s" if limit.cancelled_caught else f"ended with {process.returncode}"
    return " ".join([f"{program} {how}", *output.decode(errors="replace").split()])


async def _tell(process: Process, line: bytes) -> None:
    """Write the summary to its standard input; the command need not read it."""
    assert process.stdin is not None
    with suppress(anyio.BrokenResourceError, anyio.ClosedResourceError, OSError):
        await process.stdin.send(line)
        await process.stdin.aclose()


async def _heard(process: Process) -> bytes:
    """Read its output to the end, so that it never waits for a reader; return the beginning."""
    assert process.stdout is not None
    kept = b""
    async for part in process.stdout:
        kept = (kept + part)[:OUTPUT_LIMIT]
    return kept
