"""The command that is told when a batch ends."""

import json
import os
import sys
from pathlib import Path

import pytest

from resync_tui.agent.notify import notify
from tests.support.processes import is_over
from tests.support.waiting import until

SUMMARY = {"batch": 7, "status": "completed"}


async def python(code: str, *arguments: str, time_limit: float = 20) -> str:
    line = await notify([sys.executable, "-c", code, *arguments], SUMMARY, time_limit=time_limit)
    return line.removeprefix(sys.executable).strip()


async def test_it_gets_the_summary_as_json_and_what_it_says_is_kept(tmp_path: Path) -> None:
    told = tmp_path / "told"
    code = "import sys; open(sys.argv[1], 'w').write(sys.stdin.read()); print('posted'); print('well', file=sys.stderr)"
    said = await python(code, str(told))
    assert said.startswith("ended with 0 ")
    assert {"posted", "well"} <= set(said.split())
    assert json.loads(told.read_text()) == SUMMARY


async def test_it_is_no_shell(tmp_path: Path) -> None:
    code = "import sys; print(sys.argv[1:])"
    assert await python(code, "$HOME;", f"> {tmp_path}/x") == f"ended with 0 ['$HOME;', '> {tmp_path}/x']"


async def test_how_it_failed_is_said() -> None:
    assert await python("import sys; sys.exit(3)") == "ended with 3"
    assert await notify(["/no/such/command"], SUMMARY) == "cannot run /no/such/command: No such file or directory"


async def test_one_that_does_not_end_is_killed_with_all_it_started(tmp_path: Path) -> None:
    file = tmp_path / "pid"
    code = """import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open(sys.argv[1], "w").write(str(child.pid))
time.sleep(600)"""
    for limit in (1, 4, 16, 64):
        assert await python(code, str(file), time_limit=limit) == f"was killed after {limit} s"
        if file.exists() and file.read_text():
            break
    child = int(file.read_text())

    async def gone() -> bool:
        return is_over(child)

    await until(gone)


@pytest.mark.parametrize("code", ["import os; os.close(0)", "print('x' * 5_000_000)"])
async def test_one_that_does_not_read_or_says_too_much_hurts_nobody(code: str) -> None:
    line = await notify([sys.executable, "-c", code], {"objects": ["x" * 1000] * 1000})
    assert "ended with 0" in line
    assert len(line) < 700


async def test_it_knows_no_secret_of_the_agents(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AGPW", "hunter2")
    monkeypatch.setenv("PGPASSWORD", "hunter2")
    monkeypatch.setenv("TZ", "UTC")
    said = await python("import os; print(*sorted(os.environ))")
    assert {"PATH", "TZ"} <= set(said.split())
    assert not {"AGPW", "PGPASSWORD"} & set(said.split())


def write_program(file: Path) -> None:
    file.write_text("#!/bin/sh\necho posted\n")
    file.chmod(0o755)


@pytest.mark.parametrize("by_name", [False, True], ids=["by its path", "found in PATH"])
async def test_a_program_that_others_could_change_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, by_name: bool
) -> None:
    program = tmp_path / "post"
    write_program(program)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    word = "post" if by_name else str(program)
    assert await notify([word], SUMMARY) == f"{word} ended with 0 posted"
    os.chmod(program, 0o777)
    assert f"cannot run {word}: Others can write {program}" in await notify([word], SUMMARY)
    os.chmod(program, 0o755)
    os.chmod(tmp_path, 0o777)
    assert f"cannot run {word}: Others can write {tmp_path}" in await notify([word], SUMMARY)
