"""Copies and lists are new files of ours, whatever stands in their place."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from resync_tui.screens.export import write_file

SOMEBODY = 65534
COPY = "resync-copy.txt"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def _open_to_all(path: Path, other: Path) -> None:
    path.touch()
    path.chmod(0o666)
    if os.geteuid() == 0:
        os.chown(path, SOMEBODY, SOMEBODY)


def _fifo(path: Path, other: Path) -> None:
    os.mkfifo(path)


def _link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def _hard_link(path: Path, other: Path) -> None:
    path.hardlink_to(other)


@pytest.mark.parametrize("put", [_open_to_all, _fifo, _link, _hard_link])
def test_a_copy_takes_the_place_of_what_is_there(here: Path, put: Callable[[Path, Path], None]) -> None:
    other = here.with_name("notes")
    other.write_text("notes")
    put(here / COPY, other)
    written = write_file(COPY, "copied", over=True)
    assert written.read_text() == "copied"
    state = written.lstat()
    assert (stat.S_IMODE(state.st_mode), state.st_uid, state.st_nlink) == (0o600, os.geteuid(), 1)
    assert stat.S_ISREG(state.st_mode)
    assert other.read_text() == "notes"
    assert [each.name for each in here.iterdir()] == [COPY]


def test_who_had_the_old_copy_open_reads_nothing_of_the_new(here: Path) -> None:
    _open_to_all(here / COPY, here)
    with (here / COPY).open() as held:
        assert write_file(COPY, "copied", over=True).read_text() == "copied"
        assert held.read() == ""


def test_a_list_never_takes_the_place_of_another_file(here: Path) -> None:
    (here / "resync-history.csv").symlink_to(here.with_name("nowhere"))
    written = [write_file("resync-history.csv", text) for text in ("one", "two")]
    assert [(each.name, each.read_text()) for each in written] == [
        ("resync-history-2.csv", "one"), ("resync-history-3.csv", "two"),
    ]  # fmt: skip
    assert not here.with_name("nowhere").exists()


@pytest.mark.parametrize(
    ("name", "file"),
    [
        ("resync-7-../../.ssh/x.csv", "resync-7-.._.._.ssh_x.csv"),
        ("resync-7-T[bold]\x1b]0;x\a\n.csv", "resync-7-T[bold]_]0_x_.csv"),
        (f"resync-7-{'T' * 500}.csv", f"resync-7-{'T' * 111}.csv"),
        ("resync-7-Sección.csv", "resync-7-Sección.csv"),
    ],
)
def test_a_name_leads_nowhere_else(here: Path, name: str, file: str) -> None:
    assert write_file(name, "") == here / file
