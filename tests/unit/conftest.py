"""Unit tests: whatever opens a database, a process, a connection or a terminal here fails."""

import os
import pty
import socket
import sqlite3
import subprocess
from pathlib import Path
from typing import NoReturn

import croniter  # noqa: F401  # asks the system by a process when it is first imported
import pytest

FOLDER = Path(__file__).parent
OPENERS = (
    (sqlite3, "connect"),
    (socket.socket, "connect"),
    (socket.socket, "connect_ex"),
    (socket.socket, "bind"),
    (subprocess, "Popen"),
    (os, "fork"),
    (os, "forkpty"),
    (os, "posix_spawn"),
    (os, "openpty"),
    (pty, "fork"),
    (pty, "openpty"),
)


@pytest.fixture(autouse=True)
def nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test that opens what a unit test does without."""
    for owner, name in OPENERS:
        monkeypatch.setattr(owner, name, _refuse(f"{owner.__name__}.{name}"))


def _refuse(what: str) -> object:
    def refuse(*_: object, **__: object) -> NoReturn:
        pytest.fail(f"A unit test called {what}: its place is outside tests/unit", pytrace=True)

    return refuse


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what stands here, so that `pytest -m unit` answers within seconds."""
    for item in items:
        if item.path.is_relative_to(FOLDER):
            item.add_marker("unit")
