"""An SSH server on loopback whose log-in shell is a program of this project, as an administrator's would be."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import anyio
import asyncssh

from tests.support.screens.pseudo_terminal import Terminal, is_runnable, terminal

USER = "jdoe"


class Server:
    """Gives each log-in a terminal of its own and, like sshd, hangs up when the connection is gone."""

    def __init__(self, module: tuple[str, ...], environ: dict[str, str]) -> None:
        self._module = module
        self._environ = environ
        self.key = asyncssh.generate_private_key("ssh-ed25519")
        self.users_key = asyncssh.generate_private_key("ssh-ed25519")
        self.port = 0
        self.running: list[int] = []
        """Process ids of the programs, in the order of their start."""
        self.ended: list[int] = []
        """Exit codes of the programs, in the order of their end."""

    async def shell(self, process: "asyncssh.SSHServerProcess[bytes]") -> None:
        """Run the program in a pseudo-terminal between the client's lines and this machine."""
        assert process.term_type is not None, "no pty was requested"
        columns, rows = process.term_size[:2]
        environ = self._environ | {"TERM": process.term_type}
        with terminal(*self._module, size=(columns, rows), **environ) as inner:
            self.running.append(inner.process.pid)
            reading = asyncio.create_task(self._type(process, inner))
            try:
                await self._show(process, inner, reading)
            finally:
                reading.cancel()
                inner.close()
                self.ended.append(await asyncio.to_thread(inner.process.wait))
        process.exit(self.ended[-1])

    async def _type(self, process: "asyncssh.SSHServerProcess[bytes]", inner: Terminal) -> None:
        """Give the program the keys, until the connection is gone."""
        with suppress(OSError, asyncssh.Error):
            while keys := await process.stdin.read(4096):
                os.write(inner.fd, keys)

    async def _show(
        self, process: "asyncssh.SSHServerProcess[bytes]", inner: Terminal, reading: "asyncio.Task[None]"
    ) -> None:
        """Give the client what the program writes, until either is gone."""
        over = asyncio.Event()
        reading.add_done_callback(lambda _: over.set())

        def written() -> None:
            try:
                process.stdout.write(os.read(inner.fd, 65536))
            except OSError:
                over.set()

        loop = asyncio.get_running_loop()
        loop.add_reader(inner.fd, written)
        await over.wait()
        loop.remove_reader(inner.fd)


@asynccontextmanager
async def ssh_server(*module: str, **environ: str) -> AsyncIterator[Server]:
    """Listen on loopback for one user, who is known by a key."""
    server = Server(module, environ)
    known = asyncssh.import_authorized_keys(server.users_key.export_public_key().decode())
    listener = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[server.key],
        authorized_client_keys=known,
        process_factory=server.shell,
        encoding=None,
    )
    server.port = listener.get_port()
    try:
        yield server
    finally:
        listener.close()
        await listener.wait_closed()


class Login:
    """A client's session with a terminal."""

    def __init__(
        self, server: Server, connection: asyncssh.SSHClientConnection, process: "asyncssh.SSHClientProcess[bytes]"
    ) -> None:
        self._server = server
        self.connection = connection
        self._process = process
        self.output = b""
        self._pressed_at = 0

    def press(self, keys: str) -> None:
        """Press keys."""
        self._pressed_at = len(self.output)
        self._process.stdin.write(keys.encode())

    async def reads_until(self, part: bytes) -> None:
        """Read until something has come over the line since the last key."""
        while part not in self.output[self._pressed_at :]:
            came = await self._process.stdout.read(65536)
            assert came, self.output[-4000:]
            self.output += came

    async def settles(self) -> None:
        """Read until nothing more comes over the line, as somebody does who looks before the next key."""
        came = b"."
        while came or is_runnable(self._server.running[-1]):
            came = b""
            with anyio.move_on_after(0.3):
                came = await self._process.stdout.read(65536)
            self.output += came

    async def ends(self) -> int | None:
        """Wait until the program has ended, and return its exit code."""
        return (await self._process.wait()).exit_status


@asynccontextmanager
async def login(server: Server) -> AsyncIterator[Login]:
    """Log in with a key, know the server by its own, and ask for a terminal of 80x24."""
    host = asyncssh.import_known_hosts(f"[127.0.0.1]:{server.port} {server.key.export_public_key().decode()}")
    async with asyncssh.connect(
        "127.0.0.1", server.port, username=USER, client_keys=[server.users_key], known_hosts=host, config=None
    ) as connection:
        process = await connection.create_process(term_type="xterm-256color", term_size=(80, 24), encoding=None)
        yield Login(server, connection, process)
