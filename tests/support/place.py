"""A place: two districts and a state in files, and the command line to try on it."""

import json
import os
import select
import signal
import sqlite3
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.command_line import looked
from tests.support.forks import Popen
from tests.support.json_schemas import printed
from tests.support.processes import ended
from tests.support.templates import control_file
from tests.support.waiting import DEADLINE

LOOKING = ("alerts", "board", "doctor", "errors", "history", "objects", "plan", "schedule")
"""These change nothing and wait for nobody."""
CATALOG = """
name = "Small"
tenant_column = "districtNumber"
identity = "District.number"

[[object]]
name = "District"
tables = ["District"]

[[object]]
name = "School"
tables = ["School"]
parents = ["District"]

[[object]]
name = "Person"
tables = ["Person"]
parents = ["School"]
school_year = true
[[object.rule]]
id = "excluded"
table = "Person"
when = 't."stateExclude"'
reason = "State-excluded person"
"""

DISTRICT = """
CREATE TABLE "District" ("number" TEXT PRIMARY KEY, "name" TEXT NOT NULL);
CREATE TABLE "School" ("schoolID" INTEGER PRIMARY KEY, "number" TEXT NOT NULL REFERENCES "District", "name" TEXT);
CREATE TABLE "Person" ("personID" INTEGER PRIMARY KEY, "schoolID" INTEGER NOT NULL REFERENCES "School" ("schoolID"),
                       "stateExclude" BOOLEAN NOT NULL DEFAULT 0);
"""

CONFIG = """
[control]
url = "sqlite:///control.db"
[state]
name = "NV"
url = "sqlite:///state.db"
[years]
current = 2026
[catalog]
file = "objects.toml"
[[district]]
id = "01"
name = "Abbott"
url = "sqlite:///abbott.db"
[[district]]
id = "02"
name = "Campus"
url = "sqlite:///campus.db"
"""


@dataclass(frozen=True)
class Place:
    """A folder with resync.toml, a catalog and databases."""

    folder: Path

    def start(self, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
        """Start the real command."""
        environment = {**os.environ, "RESYNC_TUI_CONFIG": str(self.folder / "resync.toml")}
        streams = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
        command = [sys.executable, "-m", "resync_tui", *arguments]
        return Popen(command, text=True, env=environment, cwd=self.folder, **streams)

    def run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a command to its end: in a process, as users do, unless it only looks.

        JSON must be as its schema says.
        """
        done = self._run(*arguments)
        if "--json" in arguments:
            printed(arguments[0], done.stdout)
        return done

    def _run(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        if arguments[0] in LOOKING:
            return looked(self.folder / "resync.toml", arguments)
        process = self.start(*arguments)
        out, err = process.communicate(timeout=DEADLINE)
        return subprocess.CompletedProcess(process.args, process.returncode, out, err)

    def change(self, old: str, new: str) -> None:
        """Change resync.toml."""
        path = self.folder / "resync.toml"
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new, 1))

    def sql(self, name: str, statements: str) -> list[tuple[object, ...]]:
        """Run statements in one of the databases, and return the rows of a single one."""
        connection = sqlite3.connect(self.folder / f"{name}.db")
        try:
            if ";" in statements:
                connection.executescript(statements)
                return []
            with connection:
                return connection.execute(statements).fetchall()
        finally:
            connection.close()

    def end_agents(self) -> None:
        """End the agents that commands have started here."""
        for each in json.loads(self.run("doctor", "--json").stdout)["agents"]:
            if each["alive"]:
                os.kill(each["pid"], signal.SIGTERM)
                ended(each["pid"])


def build(folder: Path) -> Place:
    """Make the files of a place."""
    made = Place(folder)
    (folder / "resync.toml").write_text(CONFIG)
    (folder / "objects.toml").write_text(CATALOG)
    for name, number in (("abbott", "01"), ("campus", "02")):
        made.sql(name, DISTRICT)
        made.sql(
            name, f"INSERT INTO District VALUES ('{number}', '{name}'); INSERT INTO School VALUES (1, '{number}', 'A');"
        )
        persons = ", ".join(f"({person}, 1, {int(person > 8)})" for person in range(1, 11))
        made.sql(name, f"INSERT INTO Person VALUES {persons};")
    made.sql("state", of_the_state(DISTRICT))
    control_file(folder / "control.db")
    return made


def of_the_state(tables: str) -> str:
    """Put the tenant's column at the head of every key."""
    return (
        tables.replace('("number" TEXT PRIMARY KEY', '("districtNumber" TEXT, "number" TEXT')
        .replace('"name" TEXT NOT NULL)', '"name" TEXT NOT NULL, PRIMARY KEY ("districtNumber", "number"))')
        .replace('("schoolID" INTEGER PRIMARY KEY', '("districtNumber" TEXT, "schoolID" INTEGER')
        .replace(' REFERENCES "District", "name" TEXT)', ', "name" TEXT, PRIMARY KEY ("districtNumber", "schoolID"))')
        .replace('("personID" INTEGER PRIMARY KEY', '("districtNumber" TEXT, "personID" INTEGER')
        .replace(' REFERENCES "School" ("schoolID")', "")
        .replace("DEFAULT 0)", 'DEFAULT 0, PRIMARY KEY ("districtNumber", "personID"))')
    )


def read_all(terminal: int) -> str:
    """Read from a pseudo-terminal until nobody has it open any more; return all that was written."""
    shown, deadline = b"", time.monotonic() + DEADLINE
    while True:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 1)[0]:
            try:
                shown += os.read(terminal, 4096)
            except OSError:  # nobody is left at the other side
                return shown.decode()


def read_until(terminal: int, part: str) -> str:
    """Read from a pseudo-terminal until something has been written; return all that was."""
    shown, deadline = b"", time.monotonic() + DEADLINE
    while part.encode() not in shown:
        assert time.monotonic() < deadline, shown
        if select.select([terminal], [], [], 1)[0]:
            shown += os.read(terminal, 4096)
    return shown.decode()
