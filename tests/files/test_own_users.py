"""What one user of the machine wrote, another one reads or refuses; by processes of theirs."""

import grp
import os
import pwd
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support import forks

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

AS_USER = """
import os, sys
from pathlib import Path
from resync_tui.errors import UntrustedPath
from resync_tui.files import own
own.read_text(Path(sys.argv[3]))  # imports what whoever it becomes may not be able to read
os.setgroups([])
os.setgid(int(sys.argv[2]))
os.setuid(int(sys.argv[1]))
for file in sys.argv[4:]:
    try:
        print(own.read_text(Path(file)))
    except UntrustedPath as error:
        print(error.what)
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of root's that others may enter; pytest closes its own to them."""
    with tempfile.TemporaryDirectory(prefix="resync-tui-open-") as made:
        os.chmod(made, 0o755)
        yield Path(made)


@pytest.fixture
def users() -> tuple[pwd.struct_passwd, pwd.struct_passwd]:
    """Two ordinary users, the first of them with a group that is nobody else's."""
    known = [each for each in pwd.getpwall() if each.pw_uid]
    groups = [each.pw_gid for each in pwd.getpwall()]
    for user in known:
        try:
            alone = set(grp.getgrgid(user.pw_gid).gr_mem) <= {user.pw_name} and groups.count(user.pw_gid) == 1
        except KeyError:
            continue
        others = [each for each in known if each.pw_gid != user.pw_gid]
        if alone and user.pw_gid and others:
            return user, others[-1]
    pytest.skip("this system has no two users")


def read(user: pwd.struct_passwd, *files: Path) -> list[str]:
    """Return what each file says to a user, or why it is refused."""
    roots = write(files[0].with_name("first"), None, 0o644)
    done = forks.run([sys.executable, "-c", AS_USER, str(user.pw_uid), str(user.pw_gid), *map(str, (roots, *files))])
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def write(file: Path, user: pwd.struct_passwd | None, mode: int, group: int | None = None) -> Path:
    file.write_text(file.name)
    file.chmod(mode)
    if user is not None:
        os.chown(file, user.pw_uid, user.pw_gid if group is None else group)
    return file


def test_each_follows_root_and_itself_alone(folder: Path, users: tuple[pwd.struct_passwd, pwd.struct_passwd]) -> None:
    user, other = users
    roots, theirs, others = (
        write(folder / name, owner, 0o644) for name, owner in (("roots", None), ("theirs", user), ("others", other))
    )
    refused = f"{others} belongs to {other.pw_name}: {user.pw_name} does not trust it"
    assert read(user, roots, theirs, others) == ["roots", "theirs", refused]


def test_a_group_that_is_ones_own_counts_as_oneself(
    folder: Path, users: tuple[pwd.struct_passwd, pwd.struct_passwd]
) -> None:
    """As where the umask is 002 and each user has a group of the same name."""
    user, other = users
    private = write(folder / "private", user, 0o664)
    shared = write(folder / "shared", user, 0o664, group=other.pw_gid)
    roots = write(folder / "roots", user, 0o664, group=0)
    refused = [f"Others can write {each}: {user.pw_name} does not trust it" for each in (shared, roots)]
    assert read(user, private, shared, roots) == ["private", *refused]
