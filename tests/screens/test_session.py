"""The screens open the control database and nothing else: no district, no state."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import create_async_engine

from tests.bench.districts import SCREENS, Watched, back, campaign, console, filled, write_config


@pytest.mark.parametrize("edition", ["state", "district"])
async def test_no_screen_opens_a_district_or_the_state(
    control_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, edition: str
) -> None:
    opened: list[str] = []

    def noted(url: str, **options: Any) -> Any:
        opened.append(url)
        return create_async_engine(url, **options)

    control = control_database("postgresql")
    await campaign(control, write_config(tmp_path, control, "state", 3))
    monkeypatch.setattr("resync_tui.databases.postgres.create_async_engine", noted)
    monkeypatch.setattr("resync_tui.databases.sqlite.create_async_engine", noted)
    # The districts and the state of this file are SQLite's, the control database is not.
    async with console(write_config(tmp_path, control, edition, 3), Watched()) as app:
        for name, kind in SCREENS.items():
            if edition == "state" or name not in ("board", "progress"):
                await app.run_action(name)
                await filled(app, kind)
                await back(app)
    assert opened
    assert {url.partition("+")[0] for url in opened} == {"postgresql"}
