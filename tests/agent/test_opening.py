"""An agent whose control database is out of reach when it starts goes on trying, and serves once it answers."""

from collections.abc import Callable
from dataclasses import replace
from urllib.parse import urlsplit, urlunsplit

import anyio
import pytest
from anyio.abc import SocketAttribute, SocketStream, TaskStatus

from resync_tui.agent import opening
from resync_tui.agent.service import run_agent
from resync_tui.config.settings import ControlSettings
from resync_tui.errors import Unreachable
from resync_tui.outcome import Status
from tests.support.site.fake import QUICK, FakeSite
from tests.support.waiting import until


@pytest.fixture
def kind() -> str:
    """Only a server can be out of reach."""
    return "postgresql"


@pytest.fixture
async def elsewhere(site: FakeSite) -> tuple[FakeSite, Callable[..., object]]:
    """A site whose agents find the control database at a port where nothing listens yet, and what listens there."""
    url = urlsplit(site.settings.control_url())
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra(SocketAttribute.local_port)
    moved = urlunsplit(url._replace(netloc=f"{url.username}:{url.password}@127.0.0.1:{port}"))

    async def relay(*, task_status: TaskStatus[None] = anyio.TASK_STATUS_IGNORED) -> None:
        async def serve(client: SocketStream) -> None:
            server = await anyio.connect_tcp(url.hostname or "", url.port or 0)
            async with client, server, anyio.create_task_group() as both:
                both.start_soon(pipe, client, server)
                both.start_soon(pipe, server, client)

        async with await anyio.create_tcp_listener(local_host="127.0.0.1", local_port=port) as found:
            task_status.started()
            await found.serve(serve)

    return replace_url(site, moved), relay


async def pipe(source: SocketStream, target: SocketStream) -> None:
    """Pass on what comes until either side is closed."""
    try:
        async for data in source:
            await target.send(data)
        await target.send_eof()
    except (anyio.BrokenResourceError, anyio.ClosedResourceError):
        return


def replace_url(site: FakeSite, url: str) -> FakeSite:
    """Return the site with agents that use another URL."""
    return replace(site, settings=replace(site.settings, control=ControlSettings(url)))


async def test_agent_serves_once_its_control_database_answers(
    elsewhere: tuple[FakeSite, Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, relay = elsewhere
    monkeypatch.setattr(opening, "POLL_SECONDS", 0.05)
    (number,) = await site.send("01")
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(
            lambda: run_agent(site.settings, once=False, idle_seconds=None, work_of=site.work, timing=QUICK)
        )
        await until(lambda: "Trying again" in site.log())
        await tasks.start(relay)  # type: ignore[arg-type]
        await site.reached(number, Status.COMPLETED)
        tasks.cancel_scope.cancel()


async def test_agent_for_once_gives_up_after_some_attempts(
    elsewhere: tuple[FakeSite, Callable[..., object]], monkeypatch: pytest.MonkeyPatch
) -> None:
    site, _ = elsewhere
    monkeypatch.setattr(opening, "POLL_SECONDS", 0.01)
    with pytest.raises(Unreachable, match="Cannot reach the control database"):
        await run_agent(site.settings, once=True, idle_seconds=None, work_of=site.work)
