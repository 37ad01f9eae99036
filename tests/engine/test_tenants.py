"""Two districts of one state are never mixed: by ids that a column takes for one, by parents, by a column."""

from dataclasses import replace

import pytest
import sqlalchemy as sa

from resync_tui.catalog import Catalog
from resync_tui.engine.backends.postgres.column_types import Named
from resync_tui.engine.backends.postgres.dialect import DIALECT as POSTGRES
from resync_tui.engine.job import Job
from resync_tui.engine.tenants import taken_for
from resync_tui.outcome import Counts, Purpose, Status
from tests.support.databases import run_script
from tests.support.running import make_job, run
from tests.support.small import ENDS, ROWS, SAME, SMALL, Database, Pair, every_pair, pair

OWN = """DROP TABLE c; CREATE TABLE c (tenant {kind}, id integer, code varchar(40), b integer, PRIMARY KEY ({key}));
INSERT INTO c VALUES ({one}, 1, 'own', 1), ({two}, 2, 'of another', 1), ({none}, 3, 'of none', 1);"""
KINDS = {
    "text": ("varchar(9)", "'01'", "'02'", "NULL"),
    "padded": ("char(9)", "'01'", "'02'", "''"),
    "number": ("integer", "1", "2", "NULL"),
}
NAMES_ANOTHER = ("c", (2,), "rejected", "tenant names another district")


def own(kind: str, key: str = "id") -> str:
    """Return a district's table with a column of the tenant column's name."""
    column, one, two, none = KINDS[kind]
    return ROWS + OWN.format(kind=column, one=one, two=two, none=none, key=key)


def ignoring() -> Catalog:
    """Return the catalog that ignores that column."""
    objects = (replace(each, ignore_columns=("c.tenant",)) if each.name == "C" else each for each in SMALL.objects)
    return replace(SMALL, object=tuple(objects))


def job(here: Pair, tenant: str = "01", *, token: int = 1, purpose: Purpose = Purpose.RESYNC) -> Job:
    """Return a job for table `c`."""
    return replace(make_job(here.district, here.state, SMALL, tenant, ["C"], token=token), purpose=purpose)


def test_a_table_without_the_tenant_column_takes_none() -> None:
    assert taken_for(sa.Table("c", sa.MetaData(), sa.Column("id", sa.Integer)), "tenant", "01") is None


@pytest.mark.parametrize("info", [{"base": "citext", "declared": "ids"}, {"base": "public.citext", "declared": "ids"}])
def test_a_domain_over_citext_takes_two_cases_for_one(info: dict[str, str]) -> None:
    column = sa.Column("tenant", Named("ids"), info={"dialect": POSTGRES, **info})
    assert taken_for(sa.Table("c", sa.MetaData(), column), "tenant", "ab") is not None


@every_pair
@pytest.mark.parametrize("kind", KINDS)
async def test_a_record_that_names_another_district_is_rejected(
    database: Database, ends: tuple[str, str], kind: str
) -> None:
    here = await pair(database, ends, own(kind))
    heard = await run(job(here))
    assert heard.counts["C"] == Counts(processed=3, inserted=2, rejected=1)
    assert heard.refused == {NAMES_ANOTHER: 1}
    assert await here.held("SELECT tenant, id FROM c ORDER BY id") == [("01", 1), ("01", 3)]
    again = await run(job(here, token=2))
    assert again.counts["C"] == Counts(processed=3, unchanged=2, rejected=1)
    told = await run(job(here, token=3, purpose=Purpose.VERIFY))
    assert told.counts["C"] == Counts(processed=3, unchanged=2, rejected=1)


@pytest.mark.parametrize("ends", SAME)
async def test_a_copy_of_a_record_that_names_another_stays(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, own("text"), "INSERT INTO c VALUES ('01', 2, 'sent before', 1);")
    assert (await run(job(here))).counts["C"] == Counts(processed=3, inserted=2, rejected=1)
    gone = await run(job(here, token=2, purpose=Purpose.REMOVE_EXTRA))
    assert gone.counts["C"].removed == 0
    assert await here.held("SELECT code FROM c WHERE id = 2") == [("sent before",)]


@pytest.mark.parametrize("ends", SAME)
async def test_a_key_with_the_column_tells_districts_apart(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, own("text", "tenant, id").replace("NULL", "'01'"))
    await run_script(here.district, "INSERT INTO c VALUES ('02', 1, 'the same id', 1);")
    heard = await run(job(here))
    assert heard.counts["C"] == Counts(processed=4, inserted=2, rejected=2)
    assert await here.held("SELECT code FROM c WHERE id = 1") == [("own",)]


@pytest.mark.parametrize("ends", SAME)
async def test_an_ignored_column_names_nobody(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(database, ends, own("text"))
    heard = await run(replace(job(here), catalog=ignoring()))
    assert heard.counts["C"] == Counts(processed=3, inserted=3)


LOOSE = """DROP TABLE d; DROP TABLE b; DROP TABLE a;
CREATE TABLE a (tenant varchar(9), id integer, name text, PRIMARY KEY (tenant, id), UNIQUE (id));
CREATE TABLE b (tenant varchar(9), id integer, a integer REFERENCES a (id), note varchar(20),
    PRIMARY KEY (tenant, id));
INSERT INTO a VALUES ('02', 1, 'of another district');"""


@every_pair
@pytest.mark.parametrize("first", [True, False])
async def test_a_parent_of_another_district_is_none(database: Database, ends: tuple[str, str], first: bool) -> None:
    held = "" if first else "INSERT INTO b VALUES ('01', 9, NULL, 'there before');"
    here = await pair(database, ends, ROWS, LOOSE + held)
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["B"]))
    assert heard.counts["A"] == Counts(processed=2, inserted=1, rejected=1)
    assert (heard.counts["B"].inserted, heard.counts["B"].blocked) == (1, 1)
    assert await here.held("SELECT id, a FROM b WHERE id < 9") == [(2, 2)]


@pytest.mark.parametrize("ends", SAME)
async def test_a_key_that_names_the_parents_district(database: Database, ends: tuple[str, str]) -> None:
    here = await pair(
        database,
        ends,
        """INSERT INTO a VALUES (1, 'x'); DROP TABLE b;
        CREATE TABLE b (id integer PRIMARY KEY, home varchar(9), a integer);
        INSERT INTO b VALUES (1, '01', 1), (2, '02', 7), (3, '02', 1);""",
        """DROP TABLE d; DROP TABLE b; CREATE TABLE b (tenant varchar(9), id integer, home varchar(9), a integer,
        PRIMARY KEY (tenant, id), FOREIGN KEY (home, a) REFERENCES a (tenant, id));
        INSERT INTO a VALUES ('02', 7, 'of another district');""",
    )
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["B"]))
    assert heard.counts["B"] == Counts(processed=3, inserted=2, rejected=1)
    assert await here.held("SELECT id, home FROM b ORDER BY id") == [(1, "01"), (2, "02")]


@pytest.mark.parametrize("ends", SAME)
async def test_a_table_that_points_back_names_the_district(database: Database, ends: tuple[str, str]) -> None:
    rows = "(1, '01', 2), (2, '01', 1), (3, '02', 7), (4, '02', 1), (5, '01', 3)"
    here = await pair(
        database,
        ends,
        f"""DROP TABLE b; CREATE TABLE b (id integer PRIMARY KEY, home varchar(9), a integer);
        INSERT INTO b VALUES {rows};""",
        """DROP TABLE d; DROP TABLE b; CREATE TABLE b (tenant varchar(9), id integer, home varchar(9), a integer,
        PRIMARY KEY (tenant, id), FOREIGN KEY (home, a) REFERENCES b (tenant, id));
        INSERT INTO b VALUES ('02', 7, NULL, NULL);""",
    )
    heard = await run(make_job(here.district, here.state, SMALL, "01", ["B"]))
    assert heard.counts["B"] == Counts(processed=5, inserted=4, rejected=1)
    assert await here.held("SELECT id FROM b WHERE tenant = '01' ORDER BY id") == [(1,), (2,), (3,), (5,)]


def collated(database: Database, ids: str) -> str:
    """Return a state's table whose tenant column is compared without case."""
    return f"""DROP TABLE c; CREATE TABLE c (tenant text COLLATE {ids}, id integer, code varchar(20), b integer,
    PRIMARY KEY (tenant, id));"""


async def test_configured_ids_that_a_column_takes_for_one(database: Database) -> None:
    here = await pair(database, ENDS[0], ROWS + "UPDATE me SET number = 'A1';", collated(database, "NOCASE"))
    for others, status in ((("A1", "a1"), Status.FAILED), (("A1", "B1"), Status.COMPLETED)):
        heard = await run(replace(job(here, "A1", token=len(others[1])), tenants=others))
        assert heard.statuses["C"] is status
        if status is Status.FAILED:
            told = "c.tenant of the state takes the ids A1 and a1 for one"
            assert heard.ended["C"].message.startswith(told)


@pytest.mark.parametrize(("collation", "there"), [("NOCASE", "a1"), ("RTRIM", "A1 ")])
async def test_records_whose_id_a_column_takes_for_another(database: Database, collation: str, there: str) -> None:
    here = await pair(
        database,
        ENDS[0],
        ROWS + "UPDATE me SET number = 'A1';",
        collated(database, collation) + f"INSERT INTO c VALUES ('{there}', 7, 'q', 1);",
    )
    for token, purpose in enumerate(Purpose, 1):
        made = job(here, "A1", token=token, purpose=purpose)
        told = "c.tenant of the state takes the id of another district's records for A1"
        if purpose is Purpose.REMOVE_EXTRA:
            with pytest.raises(Exception, match="An object could not be compared"):
                await run(made)
        else:
            assert (await run(made)).ended["C"].message.startswith(told)
    assert await here.held("SELECT id FROM c") == [(7,)]


@pytest.mark.parametrize(
    ("kind", "one", "other", "same"),
    [
        (sa.Text(), "A1", "a1", False),
        (sa.CHAR(4), "A1", "A1 ", True),
        (sa.Text(collation="any"), "A1", "a1", True),
        (sa.Text(collation="any"), "É", "e", True),
        (sa.Text(collation="any"), "01", "02", False),
    ],
)
def test_ids_as_a_column_of_postgresql_compares_them(
    kind: sa.types.TypeEngine[str], one: str, other: str, same: bool
) -> None:
    column = sa.Column("tenant", kind, info={"dialect": POSTGRES})
    assert (POSTGRES.as_compared(column, one) == POSTGRES.as_compared(column, other)) is same
