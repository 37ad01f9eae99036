"""A wheel, installed far from the checkout, is the whole program."""

import json
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PARTS = ("pyproject.toml", "README.md", "LICENSE", "resync_tui", "schema")


def run(*command: str | Path, cwd: Path) -> str:
    done = subprocess.run(list(map(str, command)), cwd=cwd, capture_output=True, text=True, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.long
def test_a_wheel_installed_elsewhere_works(tmp_path: Path, agents_end: None) -> None:
    source = tmp_path / "source"
    source.mkdir()
    run("cp", "-r", *(ROOT / part for part in PARTS), source, cwd=tmp_path)
    run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", tmp_path, source, cwd=tmp_path)
    (wheel,) = tmp_path.glob("*.whl")
    run(sys.executable, "-m", "venv", "elsewhere", cwd=tmp_path)
    programs = tmp_path / "elsewhere" / "bin"
    run(programs / "python", "-m", "pip", "install", "-q", "--no-compile", wheel, cwd=tmp_path)
    run("rm", "-r", source, cwd=tmp_path)
    program = programs / "resync-tui"
    built = run(program, "demo", "--dir", "demo", "--students", "30", "--no-tui", cwd=tmp_path)
    (said,) = re.findall(r"^A command: resync-tui (.*)$", built, flags=re.MULTILINE)
    plan = json.loads(run(program, *shlex.split(said), "--json", cwd=tmp_path))
    assert plan["objects"][-1]["object"] == "Enrollment"
    subprocess.run([program, "run", "-d", "01", "School", "--yes"], cwd=tmp_path / "demo", check=False)
    listed = json.loads(run(program, "objects", "--json", cwd=tmp_path / "demo"))
    assert {"District": "completed", "School": "completed"}.items() <= {
        each["object"]: each["status"] for each in listed
    }.items()
