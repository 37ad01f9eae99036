"""Databases that store text in other bytes, order it otherwise or write money otherwise: what is the same, what not."""

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import urlsplit, urlunsplit

import pytest

from resync_tui.catalog import Catalog, DisObject
from resync_tui.outcome import Counts, Status
from tests.support.databases import rows, run_script
from tests.support.oracle.shape import versions
from tests.support.running import make_job, run
from tests.support.small import Pair

TEXTS = Catalog("Texts", (DisObject("V", ("v",)),))
TABLE = "CREATE TABLE v (id text PRIMARY KEY, v {});"
UTF8 = "ENCODING 'UTF8' LOCALE 'C'"
LATIN1 = "ENCODING 'LATIN1' LOCALE 'C'"
OTHER_ORDER = "ENCODING 'UTF8' LC_COLLATE 'C' LC_CTYPE 'C' LOCALE_PROVIDER builtin BUILTIN_LOCALE 'PG_UNICODE_FAST'"

Created = Callable[[str], Awaitable[str]]


@pytest.fixture
async def created(postgres_server: str) -> AsyncIterator[Created]:
    """Give a fresh database that is made with certain options."""
    made: list[str] = []

    async def make(options: str) -> str:
        name = f"test_{secrets.token_hex(6)}"
        await run_script(postgres_server, f"CREATE DATABASE {name} TEMPLATE template0 {options}")
        made.append(name)
        return urlunsplit(urlsplit(postgres_server)._replace(path=f"/{name}"))

    yield make
    for name in made:
        await run_script(postgres_server, f"DROP DATABASE {name} WITH (FORCE)")


async def both(created: Created, district: str, state: str, kind: str = "text") -> Pair:
    """Make both ends with an empty table."""
    here = Pair(await created(district), await created(state))
    for url in (here.district, here.state):
        await run_script(url, TABLE.format(kind))
    return here


@pytest.mark.parametrize(("district", "state"), [(LATIN1, UTF8), (UTF8, LATIN1)])
async def test_same_bytes_in_another_encoding_are_not_the_same_text(
    created: Created, district: str, state: str
) -> None:
    here = await both(created, district, state)
    garbled = {district: "Zo\u00c3\u00ab", state: "Zo\u00eb"}
    if district == UTF8:  # the bytes of the one are read as the other
        garbled = {district: "Zo\u00eb", state: "Zo\u00c3\u00ab"}
    await run_script(here.district, f"INSERT INTO v VALUES ('1', '{garbled[district]}'), ('2', '\u00e9')")
    await run_script(here.state, f"INSERT INTO v VALUES ('1', '{garbled[state]}'), ('2', '\u00e9')")
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.counts["V"] == Counts(processed=2, updated=1, unchanged=1)
    assert await here.held("SELECT v FROM v WHERE id = '1'") == [(garbled[district],)]


async def test_the_order_and_the_case_of_a_database_do_not_matter(created: Created, postgres_server: str) -> None:
    ((release,),) = await rows(postgres_server, "SHOW server_version_num")
    if int(str(release)) < 180_000:
        pytest.skip("this server has no collation of Unicode's of its own")
    here = await both(created, UTF8, OTHER_ORDER)
    keys = ["a", "A", "\u00e4", "a\u0308", "Z", "z", "\u00df", "ss", "SS", "\u0130", "i", "\u6f22", "_", "-a"]
    await run_script(here.district, "".join(f"INSERT INTO v VALUES ('{key}', '{key}');" for key in keys))
    await run_script(here.state, "".join(f"INSERT INTO v VALUES ('{key}', '{key}');" for key in keys[::2]))
    await run_script(here.state, "UPDATE v SET v = upper(v)")
    changed = sum(key != key.upper() for key in keys[::2])
    job = make_job(here.district, here.state, TEXTS, None)
    heard = await run(job)
    assert heard.counts["V"].inserted == len(keys) // 2
    assert heard.counts["V"].updated >= changed - 1  # not every upper case is the same in Python
    assert sorted(await here.held("SELECT id, v FROM v")) == sorted((key, key) for key in keys)
    written = await versions(here.state)
    assert (await run(job)).counts["V"] == Counts(processed=len(keys), unchanged=len(keys))
    assert await versions(here.state) == written


async def test_money_is_the_same_however_a_database_writes_it(created: Created) -> None:
    here = await both(created, UTF8, UTF8, "money")
    name = urlsplit(here.district).path[1:]
    await run_script(here.district, "INSERT INTO v VALUES ('1', '1234.56'), ('2', '-0.01'), ('3', '7')")
    await run_script(here.state, "INSERT INTO v VALUES ('1', '1234.56'), ('2', '0.01')")
    await run_script(here.district, f"ALTER DATABASE {name} SET lc_monetary = 'C.utf8'")
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.counts["V"] == Counts(processed=3, inserted=1, updated=1, unchanged=1)


async def test_unencodable_character_fails_its_object_with_advice(created: Created) -> None:
    here = await both(created, UTF8, LATIN1)
    await run_script(here.district, "INSERT INTO v VALUES ('1', '5 \u20ac'), ('2', 'x')")
    heard = await run(make_job(here.district, here.state, TEXTS, None))
    assert heard.statuses == {"V": Status.FAILED}
    assert "A record has a character that the encoding of the state" in heard.ended["V"].message
    assert "make that database UTF8." in heard.ended["V"].message
    assert "\u20ac" not in heard.ended["V"].message
    assert await rows(here.state, "SELECT * FROM v") == []
