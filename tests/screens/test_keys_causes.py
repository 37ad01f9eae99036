"""The keys page leads from a refused record to its root cause, and to the SQL that finds it."""

from pathlib import Path

import pytest

from resync_tui.outcome import PLACE, Detail, Kind
from resync_tui.results import ErrorGroup, ErrorRecord
from resync_tui.screens.keys import KeysPage
from tests.support.screens.console import Console, Opener

LONG = ErrorGroup("School", "School", Kind.REJECTED, "name is longer than 20", 1)
BLOCKED = ErrorGroup("Person", "Person", Kind.BLOCKED, "its School record did not reach the state", 10_000)
SCHOOL = ErrorRecord("School", "School", {"schoolID": 5}, LONG.kind, LONG.reason, Detail("name", 34))
LACKS = Detail("schoolID", None, "School", {"schoolID": 5})
PERSONS = [ErrorRecord("Person", "Person", {"personID": n}, BLOCKED.kind, BLOCKED.reason, LACKS) for n in range(10_000)]


async def opened(c: Console, group: ErrorGroup) -> None:
    """Open the keys of a reason."""
    await c.app.push_screen(KeysPage(c.app.session, c.app.glyphs, 1, group))
    await c.shows("Key of the record")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_ten_thousand_records_lead_to_their_root_cause(
    console: Opener, size: tuple[int, int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    async with console(size) as c:
        c.store.refuses(1, LONG, [SCHOOL])
        c.store.refuses(1, BLOCKED, PERSONS)
        await opened(c, BLOCKED)
        await c.shows("10,000 refused")
        await c.press("G")
        await c.shows("personID 9999")
        await c.shows("Lacks School schoolID 5: rejected, name is longer than 20")
        await c.press("C")
        await c.shows("Copied, and written to")
        assert (tmp_path / "resync-copy.txt").read_text() == 'SELECT * FROM "Person" WHERE "personID" = 9999;\n'
        await c.press("escape")
        await opened(c, LONG)
        await c.shows("Its value has 34 characters.")
        await c.shows('SELECT * FROM "School" WHERE "schoolID" = 5;')


async def test_a_record_without_a_key_has_no_sql_and_says_so(console: Opener) -> None:
    async with console() as c:
        c.store.refuses(1, LONG, [ErrorRecord("School", "School", {PLACE: 3}, LONG.kind, LONG.reason)])
        await opened(c, LONG)
        await c.shows("record 3")
        await c.press("C")
        await c.shows("no SQL finds this record alone")


@pytest.mark.parametrize("size", [(80, 24), (120, 40)])
async def test_a_record_names_the_holder_of_its_value(console: Opener, size: tuple[int, int]) -> None:
    group = ErrorGroup("School", "School", Kind.REJECTED, "another record of the state holds this stateID", 1)
    held = Detail("stateID", holder_key={"schoolID": 7})
    async with console(size) as c:
        c.store.refuses(1, group, [ErrorRecord("School", "School", {"schoolID": 5}, group.kind, group.reason, held)])
        await opened(c, group)
        await c.shows("Its value is held by School schoolID 7.")
        await c.press("enter")
        await c.shows("Its value is held by School schoolID 7.")
