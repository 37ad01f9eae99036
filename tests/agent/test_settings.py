"""An agent goes by resync.toml as it is when the next batch begins, and by the old one where the new one is wrong."""

from pathlib import Path

import pytest

from resync_tui.outcome import Status
from tests.support.comparison import one_kind
from tests.support.site.fake import FakeSite
from tests.support.waiting import until

pytestmark = one_kind
FIFTH = '\n[[district]]\nid = "05"\nname = "D05"\nurl = "sqlite:///05.db"\n'


async def logged(site: FakeSite, part: str) -> None:
    async def there() -> bool:
        return part in site.log()

    await until(there)


async def test_a_district_that_is_added_is_served_without_a_restart(site: FakeSite) -> None:
    site.work.play("01", "block")
    (running,) = await site.send("01")
    site.start()
    await site.moving(running)
    with site.settings.path.open("a") as file:
        file.write(FIFTH)
    (added,) = await site.send("05")
    await site.reached(added, Status.COMPLETED)
    (agent,) = await site.store.agents()
    assert agent.districts == ("01", "02", "03", "04", "05")
    site.work.go("01")
    assert (await site.reached(running, Status.COMPLETED)).attempts == 1
    assert "has changed: followed from the next batch on" in site.log()


def _broken(file: Path, text: str) -> None:
    file.write_text(text + "\n[engin]\ndistricts = 9\n")


def _another_queue(file: Path, text: str) -> None:
    file.write_text(text.replace("[control]\nurl = ", '[control]\nurl = "sqlite:///other.db"\n#', 1))


def _of_others(file: Path, text: str) -> None:
    file.write_text(text + FIFTH)
    file.chmod(0o666)


def _for_one_district(file: Path, text: str) -> None:
    file.with_name("own.toml").write_text('name = "Own"\n[[object]]\nname = "A"\ntables = ["a"]\n')
    file.write_text(text + '\n[catalog]\nfile = "own.toml"\n')


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (_broken, "unknown key engin"),
        (_another_queue, "It names another control database or edition. Restart the agent."),
        (_of_others, "Others can write"),
        (_for_one_district, "without a tenant_column in the catalog a state takes one district"),
    ],
)
async def test_unusable_new_settings_are_logged_once_and_the_old_stay(site: FakeSite, spoil: object, told: str) -> None:
    assert callable(spoil)
    file, text = site.settings.path, site.settings.path.read_text()
    (first,) = await site.send("01")
    site.start()
    await site.reached(first, Status.COMPLETED)
    spoil(file, text)
    await logged(site, "has changed and is not followed: ")
    (second,) = await site.send("02")
    await site.reached(second, Status.COMPLETED)
    (line,) = [each for each in site.log().splitlines() if "not followed" in each]
    assert told in line
    file.chmod(0o600)
    file.write_text(text + FIFTH)
    (third,) = await site.send("05")
    await site.reached(third, Status.COMPLETED)
