"""Files that somebody else could have chosen or changed are neither read as configuration nor written."""

import os
import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from resync_tui.errors import ConfigError, UntrustedPath
from resync_tui.files import own
from resync_tui.processes import user_name

SOMEBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
APPEND = os.O_WRONLY | os.O_CREAT | os.O_APPEND


@pytest.fixture
def file(tmp_path: Path) -> Path:
    made = tmp_path / "mine" / "resync.toml"
    made.parent.mkdir()
    made.write_text("mine")
    return made


def refused(path: Path, match: str) -> str:
    """Require that a file is not read as configuration; return what to do."""
    with pytest.raises(UntrustedPath, match=match) as told:
        own.read_text(path)
    return told.value.do


def not_written(path: Path, match: str) -> None:
    """Require that nothing is written to what stands at a path."""
    with pytest.raises(UntrustedPath, match=match):
        own.open_private(path, APPEND)


def test_ones_own_file_is_read_also_below_a_folder_like_tmp(file: Path) -> None:
    file.parent.parent.chmod(0o1777)
    assert own.read_text(file) == "mine"


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_a_file_that_others_may_write_is_refused(file: Path, mode: int) -> None:
    file.chmod(mode)
    assert refused(file, "Others can write") == f"chmod go-w {file}"
    file.chmod(0o640)
    assert own.read_text(file) == "mine"


@pytest.mark.parametrize("mode", [0o777, 0o775, 0o1777])
def test_a_file_in_a_folder_that_others_may_write_is_refused(file: Path, mode: int) -> None:
    file.parent.chmod(mode)
    refused(file, f"Others can write {file.parent}")


def test_a_folder_on_the_way_that_others_may_write_is_refused(file: Path) -> None:
    file.parent.parent.chmod(0o777)
    refused(file, f"Others can write {file.parent.parent}")


@as_root
def test_a_file_of_somebody_else_is_refused_but_not_roots(file: Path) -> None:
    os.chown(file, SOMEBODY, SOMEBODY)
    assert refused(file, f"belongs to {user_name(SOMEBODY)}") == f"Give it to root: chown root {file}"


@as_root
@pytest.mark.parametrize("up", [0, 1])
def test_a_file_in_a_folder_of_somebody_else_is_refused(file: Path, up: int) -> None:
    folder = file.parents[up]
    os.chown(folder, SOMEBODY, SOMEBODY)
    try:
        refused(file, f"{folder} belongs to {user_name(SOMEBODY)}")
    finally:
        os.chown(folder, 0, 0)


@as_root
def test_a_link_that_somebody_else_made_is_not_followed(file: Path, tmp_path: Path) -> None:
    """Their folder chooses which of root's files count."""
    theirs = tmp_path / "districts"
    theirs.mkdir(mode=0o777)
    theirs.chmod(0o777)
    (theirs / "chosen.toml").symlink_to(file)
    os.lchown(theirs / "chosen.toml", SOMEBODY, SOMEBODY)
    refused(theirs / "chosen.toml", f"Others can write {theirs}")
    theirs.chmod(0o1777)
    refused(theirs / "chosen.toml", f"Others can write {theirs}")
    theirs.chmod(0o755)
    refused(theirs / "chosen.toml", f"chosen.toml belongs to {user_name(SOMEBODY)}")


def test_ones_own_links_are_followed_to_a_file_of_ones_own(file: Path, tmp_path: Path) -> None:
    (tmp_path / "to").symlink_to("mine")
    (tmp_path / "one").symlink_to("to/../mine/./resync.toml")
    (tmp_path / "two").symlink_to(tmp_path / "one")
    assert own.read_text(tmp_path / "two") == "mine"


def test_ones_own_link_to_a_file_that_others_may_write_is_refused(file: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(file)
    file.chmod(0o666)
    refused(tmp_path / "link", f"Others can write {file}")


def test_links_in_a_circle_end_in_words(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    refused(tmp_path / "a", "leads through too many links")


def test_a_device_a_fifo_and_a_folder_end_in_words(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "fifo", tmp_path / "folder", Path("/dev/zero")):
        refused(path, "is no regular file")


def test_a_file_without_an_end_ends_in_words(tmp_path: Path) -> None:
    with (tmp_path / "huge").open("wb") as huge:
        huge.truncate(1 << 40)
    with pytest.raises(ConfigError, match="is longer than 16 MB"):
        own.read_text(tmp_path / "huge")


def test_what_cannot_be_read_and_what_is_no_text_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file or directory"):
        own.read_text(tmp_path / "none" / "resync.toml")
    (tmp_path / "latin").write_bytes(b"\xe9")
    with pytest.raises(ConfigError, match="is not UTF-8"):
        own.read_text(tmp_path / "latin")


@pytest.fixture
def careless() -> Iterator[None]:
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.mark.usefixtures("careless")
def test_files_and_folders_are_closed_to_others_whatever_the_umask(tmp_path: Path) -> None:
    path = tmp_path / "state" / "resync-tui" / "agent.log"
    os.close(own.open_private(path, APPEND))
    modes = [stat.S_IMODE(each.stat().st_mode) for each in (path, path.parent, path.parent.parent)]
    assert modes == [0o600, 0o700, 0o700]


def _link(path: Path, other: Path) -> None:
    path.symlink_to(other)


def _dangling_link(path: Path, other: Path) -> None:
    path.symlink_to(other.with_name("nowhere"))


def _hard_link(path: Path, other: Path) -> None:
    path.hardlink_to(other)


def _fifo(path: Path, other: Path) -> None:
    os.mkfifo(path)


def _open_to_others(path: Path, other: Path) -> None:
    path.touch()
    path.chmod(0o666)


@pytest.mark.parametrize("put", [_link, _dangling_link, _hard_link, _fifo, _open_to_others])
def test_what_is_there_already_is_not_written_to(file: Path, put: Callable[[Path, Path], None]) -> None:
    path = file.with_name("agent.log")
    put(path, file)
    not_written(path, "is a link|another name|no regular file|Others can write")
    assert file.read_text() == "mine"
    assert not file.with_name("nowhere").exists()


@as_root
def test_a_file_of_somebody_else_is_not_written_to(file: Path) -> None:
    os.chown(file, SOMEBODY, SOMEBODY)
    not_written(file, f"belongs to {user_name(SOMEBODY)}")


def test_nothing_is_written_into_a_folder_that_others_may_write(file: Path) -> None:
    file.parent.chmod(0o777)
    not_written(file.with_name("agent.log"), f"Others can write {file.parent}")
