"""Reference tables of behavior: look-up lists of each school, and incidents down to their resolutions."""

import datetime as dt
from decimal import Decimal

from sqlalchemy import UniqueConstraint

from resync_tui.schema.campus.columns import (
    CampusTable,
    boolean,
    char,
    foreign_key,
    numeric,
    primary_key,
    smallint,
    text,
    timestamp,
    varchar,
)


class BehaviorResolutionType(CampusTable, table=True):
    """A kind of resolution that a school knows; DIS object `BehaviorResolutionType`.

    Inferred: the columns, and School as its parent.
    """

    __table_args__ = (UniqueConstraint("schoolID", "code"),)

    resolutionTypeID: int = primary_key()
    schoolID: int = foreign_key("School.schoolID")
    code: str = varchar(10)
    name: str = varchar(60)
    stateCode: str | None = varchar(10)
    active: bool = boolean(default=True)
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorResponseType(CampusTable, table=True):
    """A kind of response that a school knows; DIS object `BehaviorResponseType`.

    Inferred: the columns, and School as its parent.
    """

    __table_args__ = (UniqueConstraint("schoolID", "code"),)

    responseTypeID: int = primary_key()
    schoolID: int = foreign_key("School.schoolID")
    code: str = varchar(10)
    name: str = varchar(60)
    stateCode: str | None = varchar(10)
    active: bool = boolean(default=True)
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorType(CampusTable, table=True):
    """A kind of behavior that a school knows; DIS object `BehaviorType`.

    Inferred: the columns, and School as its parent.
    """

    __table_args__ = (UniqueConstraint("schoolID", "code"),)

    typeID: int = primary_key()
    schoolID: int = foreign_key("School.schoolID")
    code: str = varchar(10)
    name: str = varchar(60)
    stateCode: str | None = varchar(10)
    severity: int | None = smallint()
    active: bool = boolean(default=True)
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorIncident(CampusTable, table=True):
    """An incident; DIS object `Behavior`.

    Inferred: the table and its columns.
    """

    incidentID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID", index=True)
    incidentDate: dt.datetime = timestamp()
    title: str | None = varchar(80)
    location: str | None = varchar(40)
    context: str | None = varchar(40)
    status: str | None = char(2, default="SB")
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorEvent(CampusTable, table=True):
    """A behavior within an incident; DIS object `Behavior`.

    Inferred: the table and its columns.
    """

    eventID: int = primary_key()
    incidentID: int = foreign_key("BehaviorIncident.incidentID", index=True)
    typeID: int = foreign_key("BehaviorType.typeID")
    stateCode: str | None = varchar(10)
    weaponCode: str | None = varchar(10)
    drugCode: str | None = varchar(10)
    details: str | None = text()
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorRole(CampusTable, table=True):
    """A person's part in an event; DIS object `Behavior`.

    Inferred: the table and its columns.
    """

    __table_args__ = (UniqueConstraint("eventID", "personID", "role"),)

    roleID: int = primary_key()
    eventID: int = foreign_key("BehaviorEvent.eventID")
    personID: int = foreign_key("Person.personID", index=True)
    role: str = varchar(12)
    injury: str | None = varchar(20)
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorResponse(CampusTable, table=True):
    """A response to a person's part in an event; DIS object `Behavior`.

    Inferred: the table and its columns.
    """

    responseID: int = primary_key()
    roleID: int = foreign_key("BehaviorRole.roleID", index=True)
    responseTypeID: int = foreign_key("BehaviorResponseType.responseTypeID")
    responseDate: dt.date | None = None
    comments: str | None = varchar(200)
    modifiedDate: dt.datetime | None = timestamp()


class BehaviorResolution(CampusTable, table=True):
    """A resolution of a person's part in an event; DIS object `Behavior`.

    Inferred: the table and its columns.
    """

    roleID: int = primary_key("BehaviorRole.roleID")
    sequence: int = smallint(primary_key=True)
    resolutionTypeID: int = foreign_key("BehaviorResolutionType.resolutionTypeID")
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    schoolDays: Decimal | None = numeric(5, 1)
    modifiedDate: dt.datetime | None = timestamp()
