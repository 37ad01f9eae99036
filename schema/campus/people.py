"""Reference tables of people, their names and contacts, and what was written to or about them."""

import datetime as dt

from sqlalchemy import CheckConstraint

from resync_tui.schema.campus.columns import (
    CampusTable,
    char,
    foreign_key,
    primary_key,
    smallint,
    text,
    timestamp,
    varchar,
)


class Person(CampusTable, table=True):
    """A student, employee or other person; DIS object `PersonIdentity`.

    Inferred: the columns. `districtNote` stands for what never leaves a district (`ignore_columns` of the catalog).
    """

    personID: int = primary_key()
    stateID: str | None = varchar(15, index=True)
    studentNumber: str | None = varchar(15)
    staffNumber: str | None = varchar(15)
    personGUID: str | None = char(36, unique=True)
    email: str | None = varchar(100)
    homePhone: str | None = varchar(20)
    districtNote: str | None = text()
    modifiedDate: dt.datetime | None = timestamp()


class Identity(CampusTable, table=True):
    """A person's name and demographics from a date on; DIS object `PersonIdentity`.

    Inferred: the columns.
    """

    __table_args__ = (CheckConstraint("\"gender\" IN ('F', 'M', 'X')"),)

    identityID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    lastName: str | None = varchar(80, index=True)
    firstName: str | None = varchar(60)
    middleName: str | None = varchar(60)
    suffix: str | None = varchar(10)
    gender: str | None = char(1)
    birthdate: dt.date | None = None
    raceEthnicity: str | None = char(1)
    hispanic: bool | None = None
    birthCountry: str | None = varchar(40)
    effectiveDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class PersonNoStateID(CampusTable, table=True):
    """A student whom the state has not given an ID yet; DIS object `PersonIdentityNoStateIDOnly`.

    Inferred: the table and its columns.
    """

    personID: int = primary_key()
    studentNumber: str | None = varchar(15, unique=True)
    lastName: str | None = varchar(80)
    firstName: str | None = varchar(60)
    gender: str | None = char(1)
    birthdate: dt.date | None = None
    requestedDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class CensusContactSummary(CampusTable, table=True):
    """A way to reach a student's guardian or other contact; DIS object `CensusContactSummary`.

    Inferred: the columns.
    """

    summaryID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    contactName: str | None = varchar(100)
    relationship: str | None = varchar(30)
    guardian: bool | None = None
    mailing: bool | None = None
    phone: str | None = varchar(30)
    email: str | None = varchar(120)
    sequence: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class ContactLog(CampusTable, table=True):
    """A conversation about a person; DIS object `ContactLog`.

    Inferred: the columns.
    """

    contactLogID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    contactDate: dt.datetime = timestamp()
    contactType: str | None = varchar(20)
    details: str | None = varchar(1000)
    staffName: str | None = varchar(60)
    modifiedDate: dt.datetime | None = timestamp()


class Form(CampusTable, table=True):
    """A form that was filled in for a person; DIS object `Form`.

    Inferred: the columns.
    """

    formID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    name: str = varchar(80)
    version: int | None = smallint()
    completedDate: dt.date | None = None
    content: str | None = text()
    modifiedDate: dt.datetime | None = timestamp()


class ProcessMessage(CampusTable, table=True):
    """A message to a person; DIS object `ProcessMessage`.

    Inferred: the columns.
    """

    messageID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    process: str | None = varchar(40)
    name: str | None = varchar(100)
    postedDate: dt.datetime = timestamp()
    dueDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()
