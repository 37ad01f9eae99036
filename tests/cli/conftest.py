"""A place for each test, and one in which all has been sent."""

import signal
from collections.abc import Iterator
from pathlib import Path
from shutil import copytree

import pytest

from tests.support.place import Place, build


@pytest.fixture(scope="session", autouse=True)
def ctrl_c() -> Iterator[None]:
    """Let Ctrl-C count in what the tests start, also where they run in the background, which ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def place(tmp_path: Path, agents_end: None) -> Place:
    """Abbott and Campus with ten persons each, two of them excluded, and a state with tables but no rows."""
    return build(tmp_path)


@pytest.fixture(scope="session")
def sent_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder to copy, where both districts have been sent and no agent is left."""
    made = build(tmp_path_factory.mktemp("sent"))
    assert made.run("run", "-d", "01", "-d", "02", "--all", "--yes").returncode == 1
    made.end_agents()
    return made.folder


@pytest.fixture
def sent(tmp_path: Path, sent_once: Path, agents_end: None) -> Place:
    """Both districts have been sent."""
    copytree(sent_once, tmp_path, dirs_exist_ok=True)
    return Place(tmp_path)
