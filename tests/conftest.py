"""What all tests share: homes of their own, the fixtures of tests/support, and the order."""

import gc
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.support.processes import ended

pytest_plugins = (
    "tests.support.chance",
    "tests.support.comparison",
    "tests.support.demo_site",
    "tests.support.forks",
    "tests.support.roles",
    "tests.support.servers",
)


def pytest_xdist_auto_num_workers() -> int:
    """Return how many tests go at a time by `-n auto`: some of them wait for other processes."""
    return len(os.sched_getaffinity(0)) + 2 if hasattr(os, "sched_getaffinity") else (os.cpu_count() or 1) + 2


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Import for `-m unit` nothing but unit tests."""
    others = config.getoption("markexpr") == "unit" and collection_path.parent == Path(__file__).parent
    return True if others and collection_path.name != "unit" else None


def pytest_collection_finish() -> None:
    """Look through what is imported and collected no more, as an agent does: a tenth of the tests' time."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long tests first."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Keep the tests, and the processes that they start, away from what the user has configured."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            patch.setenv(name, str(tmp_path_factory.mktemp("home")))
        patch.delenv("RESYNC_TUI_CONFIG", raising=False)
        # An agent refuses a resync.toml that a group can write.
        before = os.umask(0o022)
        yield
        os.umask(before)


@pytest.fixture
def agents_end(tmp_path: Path) -> Iterator[None]:
    """End the agents that start themselves for a resync.toml in this test's folder."""
    yield
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            words = process.cmdline()
            if "agent" in words and any(word.startswith(str(tmp_path)) for word in words):
                process.kill()
                ended(process.pid)
