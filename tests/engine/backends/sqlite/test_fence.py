"""The fence and the stages beside a state are files of ours, whatever somebody has put in their place."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from resync_tui.engine.backends.base import End
from resync_tui.engine.backends.registry import open_target
from resync_tui.engine.backends.sqlite.stage_file import StageFile
from resync_tui.errors import UntrustedPath


@pytest.fixture
def end(tmp_path: Path) -> End:
    (tmp_path / "state.db").touch()
    (tmp_path / "notes").write_text("mine")
    return End(f"sqlite:///{tmp_path}/state.db", "the state", "01", 7)


async def claim(end: End) -> None:
    target = open_target(end)
    try:
        await target.claim()
    finally:
        await target.close()


def _link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def _hard_link(path: Path, other: Path) -> None:
    path.hardlink_to(other)


def _fifo(path: Path, other: Path) -> None:
    os.mkfifo(path)


@pytest.mark.parametrize("put", [_link, _hard_link, _fifo])
@pytest.mark.parametrize("name", ["fence", "stage"])
async def test_nothing_is_written_through_what_was_put_there(
    end: End, tmp_path: Path, put: Callable[[Path, Path], None], name: str
) -> None:
    path = StageFile(end).path if name == "stage" else tmp_path / "state.db.resync-fence"
    put(path, tmp_path / "notes")
    if name == "fence":
        with pytest.raises(UntrustedPath):
            await claim(end)
    else:
        await claim(end)  # old stages of the district are removed first, and so is what has their name
    assert (tmp_path / "notes").read_text() == "mine"


async def test_fence_and_stages_are_read_by_their_owner_alone(end: End) -> None:
    before = os.umask(0)
    try:
        target = open_target(end)
        await target.claim()
    finally:
        os.umask(before)
    stage = StageFile(end).path
    beside = [each for each in os.scandir(stage.parent) if ".resync-" in each.name]
    assert {each.name for each in beside} >= {stage.name, "state.db.resync-fence"}
    assert {stat.S_IMODE(each.stat().st_mode) for each in beside} == {0o600}
    await target.close()
