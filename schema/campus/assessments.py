"""Reference tables of tests and their scores."""

import datetime as dt
from decimal import Decimal

from resync_tui.schema.campus.columns import (
    CampusTable,
    boolean,
    foreign_key,
    numeric,
    primary_key,
    smallint,
    timestamp,
    varchar,
)


class Test(CampusTable, table=True):
    """A test, or a part of another; DIS object `Test`.

    Documented, as scores sync by them: state and national code, end year, `published`, and `editNotAvailable`, which
    locks published scores against edits by districts.
    Inferred: the other columns, and that `parentID` makes one test a part of another.
    """

    testID: int = primary_key()
    parentID: int | None = foreign_key("Test.testID", index=True)
    coordinatorID: int | None = foreign_key("Person.personID")
    code: str = varchar(20, unique=True)
    name: str = varchar(80)
    stateCode: str | None = varchar(20)
    nationalCode: str | None = varchar(20)
    published: bool | None = boolean(default=False)
    editNotAvailable: bool | None = boolean(default=False)
    endYear: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class TestSection(CampusTable, table=True):
    """A section of a test; DIS object `Test`.

    Inferred: the table and its columns.
    """

    sectionID: int = primary_key()
    testID: int = foreign_key("Test.testID", index=True)
    name: str = varchar(60)
    sequence: int = smallint()
    maxScore: Decimal | None = numeric(6, 1)
    modifiedDate: dt.datetime | None = timestamp()


class TestScore(CampusTable, table=True):
    """A person's score in a test, or in a part of it; DIS object `TestScore`.

    Documented, as scores sync by them: a date, and root-level scores.
    Inferred: the columns, and that a root-level score is one without `parentScoreID`.
    """

    scoreID: int = primary_key()
    parentScoreID: int | None = foreign_key("TestScore.scoreID", index=True)
    personID: int = foreign_key("Person.personID", index=True)
    testID: int = foreign_key("Test.testID", index=True)
    date: dt.date | None = None
    rawScore: Decimal | None = numeric(8, 2)
    scaleScore: Decimal | None = numeric(8, 2)
    percentile: int | None = smallint()
    result: str | None = varchar(20)
    modifiedDate: dt.datetime | None = timestamp()
