"""Reference tables of attendance, those of single states among them."""

import datetime as dt
from decimal import Decimal

from sqlalchemy import CheckConstraint, UniqueConstraint

from resync_tui.schema.campus.columns import (
    CampusTable,
    char,
    foreign_key,
    numeric,
    primary_key,
    smallint,
    timestamp,
    varchar,
)


class AttendanceExcuse(CampusTable, table=True):
    """A reason for an absence that a calendar knows; DIS object `AttendanceExcuse`.

    Documented: for BIE and Nevada.
    Inferred: the columns.
    """

    __table_args__ = (UniqueConstraint("calendarID", "code"), CheckConstraint("\"status\" IN ('A', 'T', 'E')"))

    excuseID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID")
    code: str = varchar(6)
    description: str | None = varchar(60)
    status: str = char(1)
    excuse: str | None = char(1)
    stateCode: str | None = varchar(10)
    modifiedDate: dt.datetime | None = timestamp()


class AttDayAggregation(CampusTable, table=True):
    """A day's attendance of an enrollment, as the district's nightly job adds it up; DIS object `AttDayAggregation`.

    Documented: for BIE and Nevada.
    Inferred: the columns, and both parents.
    """

    __table_args__ = (UniqueConstraint("enrollmentID", "date"),)

    aggregationID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID")
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    date: dt.date
    absentMinutes: int | None = smallint()
    presentMinutes: int | None = smallint()
    dayFraction: Decimal | None = numeric(4, 3)
    excused: bool | None = None
    modifiedDate: dt.datetime | None = timestamp()


class Truancy(CampusTable, table=True):
    """A truancy of a student; DIS object `Truancy`.

    Inferred: the columns, and the foreign key to Calendar.
    """

    truancyID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID", index=True)
    personID: int = foreign_key("Person.personID", index=True)
    truancyDate: dt.date
    unexcusedDays: Decimal | None = numeric(5, 1)
    letterSent: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class AttendanceExactCount(CampusTable, table=True):
    """An enrollment's minutes on the day of a count; DIS object `AttendanceExactCount`.

    Inferred: the columns.
    """

    __table_args__ = (UniqueConstraint("enrollmentID", "countDate"),)

    exactCountID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID")
    countDate: dt.date
    minutesPresent: int | None = smallint()
    minutesScheduled: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class AttendanceBIEAbsentDays(CampusTable, table=True):
    """An enrollment's absent days of a month; DIS object `AttendanceBIEAbsentDays`.

    Inferred: the columns, and by its name that it is the Bureau of Indian Education's.
    """

    absentDaysID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    month: int = smallint()
    absentDays: Decimal | None = numeric(5, 2)
    presentDays: Decimal | None = numeric(5, 2)
    modifiedDate: dt.datetime | None = timestamp()


class AttendanceGroupKY(CampusTable, table=True):
    """An enrollment's attendance group; DIS object `AttendanceGroupKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    groupID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    groupCode: str = varchar(6)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class AttendanceKYMinute(CampusTable, table=True):
    """An enrollment's absent minutes of a day; DIS object `AttendanceKYMinute`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    minuteID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    date: dt.date
    minutesAbsent: int | None = smallint()
    code: str | None = varchar(6)
    modifiedDate: dt.datetime | None = timestamp()


class AttendanceSDMinute(CampusTable, table=True):
    """An enrollment's minutes of a month; DIS object `AttendanceSDMinute`.

    Inferred: the columns, and by its name that it is South Dakota's.
    """

    minuteID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    month: int = smallint()
    minutesAttended: int | None = None
    minutesPossible: int | None = None
    modifiedDate: dt.datetime | None = timestamp()
