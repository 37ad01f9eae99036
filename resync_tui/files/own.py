"""Files that nobody else can choose or change: configuration to read, logs and locks to write.

A path is walked from the root by descriptors, so that what was looked at is what is opened. On the way each folder must
be root's or this user's and closed to the writing of others. A folder that others may write but where nobody removes
another's file (sticky, as /tmp) is passed through, but holds neither the file itself nor a link to it.
"""

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from resync_tui.errors import ConfigError, UntrustedPath
from resync_tui.processes import user_name

LARGEST = 16_000_000
"""Bytes of the largest file that is read as configuration."""
_PART = 1 << 16
_LINKS = 40
"""Links followed on the way to a file, as many as the kernel follows."""
_FOLDER = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_FILE = os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_ROOT = 0


def read_text(path: Path) -> str:
    """Return the text of a file of configuration. Raises ConfigError, UntrustedPath."""
    try:
        with _opened(path) as descriptor:
            content = _content(descriptor)
    except OSError as error:
        raise ConfigError(f"Cannot read {path}: {error.strerror}", "Check that file and who may read it.") from None
    if len(content) > LARGEST:
        raise ConfigError(f"{path} is longer than {LARGEST // 1_000_000} MB", "Name the file that is meant.")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ConfigError(f"{path} is not UTF-8", "Save it as UTF-8.") from None


def _content(descriptor: int) -> bytearray:
    """Return what a file holds, or a little more than the most that is taken."""
    content = bytearray()
    while len(content) <= LARGEST and (part := os.read(descriptor, _PART)):
        content += part
    return content


def require_program(path: Path) -> None:
    """Require that a program, and each folder on the way to it, is closed to others. Raises UntrustedPath, OSError."""
    with _opened(path):
        pass


def require_folder_of(path: Path) -> None:
    """Require that others can neither make nor replace a file beside `path`. Raises UntrustedPath, OSError."""
    with _walked(path, follow=True):
        pass


def open_private(path: Path, flags: int) -> int:
    """Open a file of this program's own; return its descriptor. Raises UntrustedPath, OSError.

    With O_CREAT it is made, with mode 0600, and so are missing folders, with 0700. It must be this user's alone, and by
    no other name: neither a link, nor a FIFO, nor what another user has put there.
    """
    if flags & os.O_CREAT:
        make_folder(path.parent)
    with _walked(path, follow=False) as end:
        return _private(path, end, flags)


def open_private_beside(path: Path, flags: int) -> int:
    """Open a file of this program's own, as `open_private` does, beside a database of whatever folder."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return _private(path, _End(folder, path.name, str(path), _state(path.name, folder)), flags)
    finally:
        os.close(folder)


def _private(path: Path, end: "_End", flags: int) -> int:
    end.require_regular()
    descriptor = os.open(end.name, flags | _FILE, 0o600, dir_fd=end.folder)
    try:
        _require_private(os.fstat(descriptor), path)
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _require_private(state: os.stat_result, path: Path) -> None:
    _require_regular(state, str(path))
    _require_owner(state, str(path), path, (os.geteuid(),))
    _require_closed(state, str(path), path)
    if state.st_nlink > 1:
        raise UntrustedPath(f"{path} has another name (a hard link)", f"Remove it: rm {_quoted(path)}")


def make_folder(path: Path, mode: int = 0o700) -> None:
    """Make a folder and those above it that are missing, by default closed to all others."""
    for each in reversed(list(takewhile(lambda folder: not folder.exists(), (path, *path.parents)))):
        each.mkdir(mode=mode, exist_ok=True)


@dataclass(slots=True)
class _End:
    """The end of a walk: a name in an open folder."""

    folder: int
    name: str
    place: str
    """Path of the name, links on the way followed."""
    state: os.stat_result | None
    """What it is; None: it does not exist."""

    def require_regular(self) -> None:
        """Require a regular file before it is opened: opening a device may act on it."""
        if self.state is not None:
            _require_regular(self.state, self.place)


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """Open for reading what nobody else could have chosen or changed. Raises UntrustedPath, OSError."""
    with _walked(path, follow=True) as end:
        end.require_regular()
        descriptor = os.open(end.name, os.O_RDONLY | _FILE, dir_fd=end.folder)
        try:
            state = os.fstat(descriptor)
            _require_regular(state, end.place)
            _require_owner(state, end.place, path)
            _require_closed(state, end.place, path)
            yield descriptor
        finally:
            os.close(descriptor)


@contextmanager
def _walked(path: Path, *, follow: bool) -> Iterator[_End]:
    """Walk to a path; with `follow` also a link that stands there is followed."""
    names, place, links = _names(str(path.absolute())), "", 0
    folder = os.open("/", _FOLDER)
    try:
        while True:
            name = names.pop()
            state = _state(name, folder)
            is_link = state is not None and stat.S_ISLNK(state.st_mode)
            around = os.fstat(folder)
            _require_owner(around, place or "/", path)
            _require_closed(around, place or "/", path, sticky=bool(names) and not is_link)
            if state is not None and is_link:
                _require_owner(state, f"{place}/{name}", path)
                if not follow and not names:
                    raise UntrustedPath(f"{path} is a link", f"Remove it: rm {_quoted(path)}")
                links += 1
                if links > _LINKS:
                    raise UntrustedPath(f"{path} leads through too many links", "Name the file itself.")
                target = os.readlink(name, dir_fd=folder)
                names += _names(target)
                if target.startswith("/"):
                    folder, place = _into("/", folder), ""
            elif names:
                folder = _into(name, folder)
                place = place.rpartition("/")[0] if name == ".." else f"{place}/{name}"
            else:
                yield _End(folder, name, f"{place}/{name}", state)
                return
    finally:
        os.close(folder)


def _names(path: str) -> list[str]:
    """Return the names of a path, the last one first."""
    return [name for name in reversed(path.split("/")) if name not in ("", ".")] or ["."]


def _state(name: str, folder: int) -> os.stat_result | None:
    with suppress(FileNotFoundError):
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    return None


def _into(name: str, folder: int) -> int:
    """Return a descriptor of a folder in another one, which is closed."""
    inner = os.open(name, _FOLDER, dir_fd=folder)
    os.close(folder)
    return inner


def _require_regular(state: os.stat_result, place: str) -> None:
    if not stat.S_ISREG(state.st_mode):
        raise UntrustedPath(f"{place} is no regular file", "Name a file, or remove what stands there.")


def _require_owner(state: os.stat_result, place: str, path: Path, owners: tuple[int, ...] = ()) -> None:
    if state.st_uid in (owners or (_ROOT, os.geteuid())):
        return
    me = user_name(os.geteuid())
    give = me if owners or os.geteuid() == _ROOT else f"{me} or root"
    do = f"Give it to {give}: chown {me} {_quoted(place)}"
    if stat.S_ISDIR(state.st_mode):
        do = f"Keep {path.name} in a folder of your own."
    raise UntrustedPath(f"{place} belongs to {user_name(state.st_uid)}: {me} does not trust {_it(place, path)}", do)


def _require_closed(state: os.stat_result, place: str, path: Path, *, sticky: bool = False) -> None:
    """Require that others cannot write; with `sticky` a folder may be where they can remove only what is theirs."""
    others = state.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
    is_sticky = stat.S_ISDIR(state.st_mode) and bool(state.st_mode & stat.S_ISVTX)
    if not others or (sticky and is_sticky) or (others == stat.S_IWGRP and _is_private(state.st_gid)):
        return
    do = f"Keep {path.name} in a folder of your own." if is_sticky else f"chmod go-w {_quoted(place)}"
    raise UntrustedPath(f"Others can write {place}: {user_name(os.geteuid())} does not trust {_it(place, path)}", do)


def _it(place: str, path: Path) -> str:
    return "it" if place == str(path) else str(path)


def _is_private(group: int) -> bool:
    """Whether a group is this user's alone, as systems make one for each user; never root's."""
    me = os.geteuid()
    try:
        mine, members = pwd.getpwuid(me), grp.getgrgid(group).gr_mem
    except KeyError:
        return False
    alone = group != 0 and mine.pw_gid == group and set(members) <= {mine.pw_name}
    return alone and all(each.pw_uid == me or each.pw_gid != group for each in pwd.getpwall())


def _quoted(path: Path | str) -> str:
    return shlex.quote(str(path))
