"""A site of one district on each kind of database."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.support.site.build import open_site
from tests.support.site.site import Site


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """All databases of a site are of one kind."""
    return str(request.param)


@pytest.fixture
async def site(
    kind: str,
    tmp_path: Path,
    database: Callable[[str], str],
    control_database: Callable[[str], str],
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Site]:
    """A district of 1,200 enrollments, moved slowly."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "home"))
    async with open_site(tmp_path, kind, database, control_database(kind)) as site:
        yield site
