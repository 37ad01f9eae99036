"""Two editions, two agents, one PostgreSQL control database: a state's request from beginning to end."""

import json
import os
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from resync_tui.control.alerts import REQUESTED, VERTICAL
from resync_tui.results import Alert
from tests.support.forks import Popen
from tests.support.place import CATALOG, DISTRICT, of_the_state
from tests.support.roles import ABBOTT, CAMPUS, STATE, Roles

NAMES = {"01": "Abbott", "02": "Campus", "03": "Carson"}


@dataclass
class Machine:
    """A machine of its own: its resync.toml, whoever works there, and what the program writes there."""

    folder: Path
    roles: Roles
    edition: str
    districts: Sequence[str]
    started: "list[subprocess.Popen[str]]" = field(default_factory=list)

    def __post_init__(self) -> None:
        data = self.folder.parent / "data"
        tables = "".join(
            f'[[district]]\nid = "{each}"\nname = "{NAMES[each]}"\nurl = "sqlite:///{data}/{each}.db"\n'
            for each in self.districts
        )
        scope = "dis_state" if self.edition == "state" else "dis_abbott"
        role = self.roles.name(scope)
        self.folder.mkdir()
        (self.folder / "resync.toml").write_text(
            f'edition = "{self.edition}"\n[control]\nurl = "${{CONTROL}}"\n[state]\nname = "NV"\n'
            f'url = "sqlite:///{data}/state.db"\n[years]\ncurrent = 2026\n[catalog]\nfile = "{data}/objects.toml"\n'
            f'[rights]\nread = ["{role}"]\nwrite = ["{role}"]\n{tables}'
        )

    def start(self, role: str, *arguments: str) -> "subprocess.Popen[str]":
        """Start a command of somebody's."""
        here = {"RESYNC_TUI_CONFIG": str(self.folder / "resync.toml"), "CONTROL": self.roles.login(role)}
        homes = {name: str(self.folder / "home" / role) for name in ("XDG_STATE_HOME", "HOME", "XDG_CACHE_HOME")}
        process = Popen[str](
            [sys.executable, "-m", "resync_tui", *arguments],
            env={**os.environ, **here, **homes},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        self.started.append(process)
        return process

    def run(self, role: str, *arguments: str, code: int = 0) -> str:
        """Run a command to its end, and return what it printed."""
        process = self.start(role, *arguments)
        out, err = process.communicate(timeout=120)
        assert process.returncode == code, err
        return out + err

    def json(self, role: str, *arguments: str) -> Any:
        """Run a command that prints JSON."""
        return json.loads(self.run(role, *arguments, "--json"))

    def written(self) -> str:
        """Return all that the program has written on this machine."""
        return "\n".join(
            each.read_text(errors="replace") for each in (self.folder / "home").rglob("*") if each.is_file()
        )


@pytest.fixture
def machines(tmp_path: Path, roles: Roles) -> tuple[Machine, Machine, Machine]:
    """The state's console, the state's agent, which reaches all but Abbott, and Abbott's own machine."""
    data = tmp_path / "data"
    data.mkdir()
    (data / "objects.toml").write_text(CATALOG)
    for number in NAMES:
        fill(data / f"{number}.db", DISTRICT, f"INSERT INTO District VALUES ('{number}', '{NAMES[number]}')",
             f"INSERT INTO School VALUES (1, '{number}', 'A'), (2, '{number}', 'B')")  # fmt: skip
    fill(data / "state.db", of_the_state(DISTRICT))
    return (
        Machine(tmp_path / "console", roles, "state", ["01", "02", "03"]),
        Machine(tmp_path / "server", roles, "state", ["02", "03"]),
        Machine(tmp_path / "abbott", roles, "district", ["01"]),
    )


def fill(file: Path, *scripts: str) -> None:
    """Run scripts in a SQLite file."""
    with closing(sqlite3.connect(file)) as connection:
        for script in scripts:
            connection.executescript(script)


async def told(roles: Roles, role: str, edition: Any) -> dict[str, Alert]:
    """Return a user's alerts by name."""
    store = await roles.store(role, edition)
    return {each.name: each for each in await store.alerts.posted()}


async def test_states_request_runs_hiding_its_objects_from_districts(
    machines: tuple[Machine, Machine, Machine], roles: Roles
) -> None:
    console, server, abbott = machines
    asked = console.run("governor", "run", "-d", "01", "-d", "02", "School", "--detach", "--yes", "--json")
    first, campus = (json.loads(line) for line in asked.splitlines() if line.startswith("{"))
    assert (first["initiator"], first["requested_by"]) == ("state", roles.name("governor"))
    meanwhile = abbott.run("jdoe", "run", "District", "--detach", "--yes", "--json")
    own = json.loads(meanwhile.splitlines()[0])
    assert (own["initiator"], own["requested_by"]) == ("district", roles.name("jdoe"))

    agents = [server.start("agent", "agent", "--once"), abbott.start("agent_too", "agent", "--once")]
    for agent in agents:
        _, err = agent.communicate(timeout=120)
        assert agent.returncode == 0, err

    by_number = {each["batch"]: each for each in console.json("governor", "history")}
    assert {number: each["status"] for number, each in by_number.items()} == dict.fromkeys(
        (first["batch"], campus["batch"], own["batch"]), "completed"
    )
    ended = [each["finished"] for each in by_number[first["batch"]]["objects"]]
    assert by_number[own["batch"]]["objects"][0]["started"] >= max(ended)
    with closing(sqlite3.connect(console.folder.parent / "data" / "state.db")) as state:
        schools = state.execute("SELECT districtNumber, count(*) FROM School GROUP BY 1 ORDER BY 1").fetchall()
    assert schools == [("01", 2), ("02", 2)]

    for role, edition in (("jdoe", ABBOTT), ("kim", CAMPUS), ("governor", STATE)):
        alerts = await told(roles, role, edition)
        requested = alerts[REQUESTED]
        assert (requested.process, requested.district) == (VERTICAL, edition.district or None)
        assert requested.due is None, "it was not asked for at a time"
        assert "Resync Completed" in alerts, role
        if edition is not STATE:
            assert not [each for each in alerts.values() if "School" in each.name + each.message]

    hidden_from_abbott(abbott, first["batch"], own["batch"])


def hidden_from_abbott(abbott: Machine, state: int, own: int) -> None:
    """Of what the state asked for there is nothing on Abbott's machine, in no command's output and in no file."""
    listed = {each["object"]: each for each in abbott.json("jdoe", "objects")}
    assert listed["School"]["last_resync"] is None
    assert listed["District"]["last_resync"] is not None
    assert [each["batch"] for each in abbott.json("jdoe", "history")] == [own]
    for command in (("history", "--batch", str(state)), ("errors", str(state)), ("cancel", str(state))):
        assert abbott.run("jdoe", *command, code=2).startswith(f"There is no batch #{state}\n"), command
        assert abbott.run("agent", *command, code=2).startswith(f"There is no batch #{state}\n"), command
    assert "School" not in abbott.run("jdoe", "history")
    written = abbott.written()
    assert "the state's request begins" in written
    assert "the state's request ends" in written
    assert "School" not in written
    assert not [each for each in abbott.started if "School" in str(each.args)]
