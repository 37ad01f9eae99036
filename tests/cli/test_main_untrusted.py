"""No command goes by a configuration that somebody else wrote or may write: nothing of it is used."""

import os
import sys
import tempfile
from pathlib import Path

import pytest

from resync_tui.processes import user_name
from tests.support import forks
from tests.support.command_line import looked
from tests.support.place import Place, build

SOMEBODY = 65534
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away, or become another user")
COMMANDS = (
    ("history",), ("board",), ("doctor",), ("objects",), ("plan", "School"), ("alerts",), ("schedule",),
    ("errors", "1"),
    ("fields", "School"), ("agent", "--once"), ("run", "-d", "01", "School"), ("verify", "-d", "01", "School"),
    ("retry", "1"), ("cancel", "1"), ("attach", "1"), ("state", "init", "-d", "01"),
)  # fmt: skip


@pytest.fixture
def place(tmp_path: Path) -> Place:
    folder = tmp_path / "theirs"
    folder.mkdir()
    return build(folder)


def files(folder: Path) -> dict[str, tuple[int, int, int]]:
    return {each.name: (each.stat().st_mode, each.stat().st_size, each.stat().st_mtime_ns) for each in folder.iterdir()}


def refused(place: Place, *command: str) -> str:
    """Require that a command refuses and leaves all as it is; return what it said."""
    before = files(place.folder)
    done = looked(place.folder / "resync.toml", command)
    assert done.returncode == 2, (command, done)
    assert files(place.folder) == before
    return done.stdout + done.stderr


@as_root
def test_no_command_follows_somebody_elses_configuration(place: Place) -> None:
    place.change("sqlite:///control.db", "sqlite:///new.db")
    os.chown(place.folder / "resync.toml", SOMEBODY, SOMEBODY)
    for command in COMMANDS:
        assert f"resync.toml belongs to {user_name(SOMEBODY)}: root does not trust it" in refused(place, *command)


@pytest.mark.parametrize("mode", [0o777, 0o1777])
def test_no_command_follows_one_in_a_folder_of_all(place: Place, mode: int) -> None:
    place.folder.chmod(mode)
    for command in COMMANDS:
        assert f"Others can write {place.folder}: " in refused(place, *command)


def test_what_it_includes_its_catalog_and_secrets_are_held_to_the_same(place: Place) -> None:
    place.change('[control]\nurl = "sqlite:///control.db"', '[control]\nurl = "sqlite:///${file:where}"')
    place.change("[control]", 'include = ["more.toml"]\n[control]')
    (place.folder / "where").write_text(f"{place.folder}/control.db\n")
    (place.folder / "more.toml").write_text('[[district]]\nid = "03"\nname = "C"\nurl = "sqlite:///c.db"\n')
    assert looked(place.folder / "resync.toml", ["history"]).returncode == 0
    for name, command in (("where", "history"), ("more.toml", "history"), ("objects.toml", "objects")):
        (place.folder / name).chmod(0o666)
        assert f"thers can write {place.folder / name}" in refused(place, command)
        (place.folder / name).chmod(0o600)


@as_root
def test_a_configuration_that_names_files_of_root_changes_none_of_them(place: Place, tmp_path: Path) -> None:
    victim = tmp_path / "passwd"
    victim.write_text("root:x:0:0\n" * 100)
    victim.chmod(0o644)
    place.change("sqlite:///control.db", f"sqlite:///{victim}")
    done = looked(place.folder / "resync.toml", ["history"])
    assert "Not a SQLite file" in done.stderr
    assert victim.stat().st_mode & 0o777 == 0o644


SWAPPING = """
import os, sys, time
from pathlib import Path
folder, victim = Path(sys.argv[1]), sys.argv[2]
os.setgid(65534); os.setuid(65534)
print("ready", flush=True)
while True:
    (folder / "link").symlink_to(victim)
    os.replace(folder / "link", folder / "resync.toml")
    (folder / "plain").write_text("[control]\\nurl = 'sqlite:///evil.db'\\n")
    os.replace(folder / "plain", folder / "resync.toml")
    time.sleep(0.001)
"""


@as_root
def test_one_that_is_swapped_for_a_link_while_it_is_read_is_refused(tmp_path: Path) -> None:
    for each in (tmp_path, *tmp_path.parents):
        if each == Path(tempfile.gettempdir()):
            break
        each.chmod(0o755)
    folder = tmp_path / "theirs"
    folder.mkdir()
    os.chown(folder, SOMEBODY, SOMEBODY)
    mine = tmp_path / "mine.toml"
    mine.write_text("root's own\n")
    with forks.Popen([sys.executable, "-c", SWAPPING, str(folder), str(mine)], stdout=-1, text=True) as swapping:
        try:
            assert swapping.stdout is not None
            assert swapping.stdout.readline() == "ready\n"
            for _ in range(10):
                done = looked(folder / "resync.toml", ["agent", "--once"])
                assert (done.returncode, "does not trust" in done.stderr) == (2, True), done
        finally:
            swapping.kill()
    assert not (folder / "evil.db").exists()
