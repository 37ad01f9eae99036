"""A site of districts whose work is faked, on a control database of each kind, with real agent processes."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from resync_tui.config.load import load_settings
from resync_tui.config.settings import Settings
from resync_tui.control.store import Store
from tests.support.site.fake import DISTRICTS, FakeSite


@pytest.fixture(params=["sqlite", "postgresql"])
def kind(request: pytest.FixtureRequest) -> str:
    """Each kind of control database."""
    return str(request.param)


@pytest.fixture
def settings(
    kind: str, control_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Settings:
    """Four districts, two at a time."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    lines = [f'[control]\nurl = "{control_database(kind)}"', '[state]\nname = "NV"\nurl = "sqlite:///state.db"']
    lines += ["[years]\ncurrent = 2026", "[engine]\ndistricts = 2"]
    lines += [f'[[district]]\nid = "{each}"\nname = "D{each}"\nurl = "sqlite:///{each}.db"' for each in DISTRICTS]
    file = tmp_path / "resync.toml"
    file.write_text("\n".join(lines))
    return load_settings(file)


@pytest.fixture
async def site(settings: Settings) -> AsyncIterator[FakeSite]:
    """A site without agents yet; those that are started are ended with it."""
    store = await Store.open(settings.control_url())
    site = FakeSite(settings, store)
    yield site
    site.end()
    await store.close()
