"""What a screen asks of the control database does not grow with the districts' history, and hardly with the districts.

How long that takes is `python -m tests.bench.districts`.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from anyio import sleep
from sqlalchemy import event
from sqlalchemy.engine import Engine

from resync_tui import catalog
from resync_tui.control.store import Store
from resync_tui.plan import make_plan
from resync_tui.rights import Edition
from resync_tui.screens.session import Session
from tests.bench.districts import SCREENS, Watched, back, campaign, console, filled, write_config
from tests.bench.long_history import Shape, fill

OBJECTS = len(catalog.load().objects)
RUNNING = 4
"""Batches that the campaign runs: of these the screens show the objects."""


@dataclass
class Asked:
    """What went to the control database since the last look."""

    statements: int = 0
    rows: int = 0


@contextmanager
def asked_of_databases() -> Iterator[Asked]:
    """Count the statements of all engines, and the rows that came back."""
    asked = Asked()

    def note(_connection: Any, cursor: Any, _statement: str, *_more: object) -> None:
        asked.statements += 1
        asked.rows += len(cursor._rows)

    event.listen(Engine, "after_cursor_execute", note)
    try:
        yield asked
    finally:
        event.remove(Engine, "after_cursor_execute", note)


async def asked_by_screens(folder: Path, control: str, districts: int, requests: int) -> dict[str, Asked]:
    """Return what each screen asks, opened once, of a control database of that size in the middle of a campaign."""
    settings, every = write_config(folder, control, "state", districts), catalog.load()
    store = await Store.open(control, edition=Edition("state"))
    plan = make_plan(every, [each.name for each in every.objects], 2026)
    await fill(store, control, Shape([each.id for each in settings.district], plan, requests))
    await store.close()
    await campaign(control, settings)
    found = {}
    with asked_of_databases() as asked:
        async with console(settings, Watched()) as app:
            found["opening"] = Asked(asked.statements, asked.rows)
            for name, kind in SCREENS.items():
                before = Asked(asked.statements, asked.rows)
                await app.run_action(name)
                await filled(app, kind)
                found[name] = Asked(asked.statements - before.statements, asked.rows - before.rows)
                await back(app)
    return found


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
async def test_screens_send_no_more_statements_for_many_districts(
    kind: str, control_database: Callable[[str], str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Session, "wait", lambda _self, _seconds: sleep(3600))
    for name in ("few", "many"):
        (tmp_path / name).mkdir()
    few = await asked_by_screens(tmp_path / "few", control_database(kind), 8, 2)
    many = await asked_by_screens(tmp_path / "many", control_database(kind), 24, 4)
    assert {name: each.statements for name, each in few.items()} == {
        name: each.statements for name, each in many.items()
    }
    assert max(each.statements for each in many.values()) <= 18
    live = RUNNING * OBJECTS
    newest_and_completed = 3 * OBJECTS  # completed ones of full and of partial resyncs
    running = OBJECTS  # of the one batch that the first screen tells of, whatever else runs
    assert many["opening"].rows <= 24 + newest_and_completed + running + 15, "objects of what waits, or old results"
    assert many["board"].rows <= 2 * 24 + 10
    assert many["history"].rows <= 5 * 24 + live + 10, "objects of what has ended were read"
    assert many["progress"].rows <= 2 * OBJECTS + 10
