"""Reference tables of employees."""

import datetime as dt
from decimal import Decimal

from resync_tui.schema.campus.columns import CampusTable, boolean, foreign_key, numeric, primary_key, timestamp, varchar


class Employment(CampusTable, table=True):
    """A span of a person's employment; DIS object `Employment`.

    Inferred: the columns.
    """

    employmentID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    employmentType: str | None = varchar(20)
    yearsOfExperience: Decimal | None = numeric(5, 2)
    fte: Decimal | None = numeric(5, 3)
    modifiedDate: dt.datetime | None = timestamp()


class EmploymentAssignment(CampusTable, table=True):
    """An employee's work at a school; DIS object `EmploymentAssignment`.

    Inferred: the columns, and the foreign key to School.
    """

    assignmentID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    schoolID: int = foreign_key("School.schoolID", index=True)
    title: str | None = varchar(60)
    type: str | None = varchar(20)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    fte: Decimal | None = numeric(6, 3)
    teacher: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class EmploymentBackground(CampusTable, table=True):
    """A background check of an employee; DIS object `EmploymentBackground`.

    Inferred: the columns.
    """

    backgroundID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    checkType: str = varchar(20)
    requestedDate: dt.date | None = None
    clearedDate: dt.date | None = None
    result: str | None = varchar(20)
    modifiedDate: dt.datetime | None = timestamp()


class EmploymentCredential(CampusTable, table=True):
    """A license or other credential of an employee; DIS object `EmploymentCredential`.

    Inferred: the columns.
    """

    credentialID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    credentialType: str = varchar(30)
    number: str | None = varchar(30)
    subject: str | None = varchar(60)
    issuedDate: dt.date | None = None
    expiresDate: dt.date | None = None
    stateApproved: bool | None = None
    modifiedDate: dt.datetime | None = timestamp()
