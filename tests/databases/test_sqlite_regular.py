"""A district, or the state, whose file is none: told when it is opened, before SQLite would wait there."""

import os
from pathlib import Path

import pytest

from resync_tui.databases.registry import open_engine
from resync_tui.errors import CannotRun


@pytest.mark.parametrize("read_only", [True, False], ids=["district", "state"])
def test_what_is_no_file_is_told(tmp_path: Path, read_only: bool) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    made = {
        tmp_path: "a folder",
        tmp_path / "fifo": "a FIFO",
        tmp_path / "link": "a FIFO",
        Path("/dev/zero"): "a device",
    }
    for path, kind in made.items():
        with pytest.raises(CannotRun, match=f"^{path.resolve()} is {kind}, not a SQLite file$"):
            open_engine(f"sqlite:///{path}", read_only=read_only)
