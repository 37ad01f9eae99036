"""Reference tables of courses, their sections and who sits in them."""

import datetime as dt
from decimal import Decimal

from sqlalchemy import UniqueConstraint
from sqlmodel import Field

from resync_tui.schema.campus.columns import (
    CampusTable,
    boolean,
    char,
    foreign_key,
    numeric,
    primary_key,
    smallint,
    timestamp,
    varchar,
)


class Course(CampusTable, table=True):
    """A course of a calendar; DIS object `CourseSection`.

    Inferred: the table and its columns.
    """

    __table_args__ = (UniqueConstraint("calendarID", "number"),)

    courseID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID", index=True)
    number: str = varchar(20)
    name: str | None = varchar(80)
    stateCode: str | None = varchar(20)
    department: str | None = varchar(40)
    gpaWeight: Decimal | None = numeric(5, 3)
    active: bool = boolean(default=True)
    modifiedDate: dt.datetime | None = timestamp()


class Section(CampusTable, table=True):
    """A class that is taught: one of a course's sections; DIS object `CourseSection`.

    Inferred: the table and its columns.
    """

    __table_args__ = (UniqueConstraint("courseID", "number"),)

    sectionID: int = primary_key()
    courseID: int = foreign_key("Course.courseID", index=True)
    number: int = smallint()
    teacherDisplay: str | None = varchar(60)
    room: str | None = varchar(20)
    maxStudents: int | None = smallint()
    homeroom: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class Roster(CampusTable, table=True):
    """A student's place in a section; DIS object `Roster`.

    Inferred: the columns. `sectionID` has no foreign key: the documents do not make Roster depend on CourseSection.
    """

    __table_args__ = (UniqueConstraint("enrollmentID", "sectionID"),)

    rosterID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    sectionID: int = Field(index=True)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    repeatCourse: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class CourseCode(CampusTable, table=True):
    """A code of the state's course list; DIS object `CourseCode`.

    Inferred: the columns, and the code as the key.
    """

    code: str = varchar(20, primary_key=True)
    name: str = varchar(80)
    subject: str | None = varchar(40)
    credits: Decimal | None = numeric(4, 2)
    level: str | None = char(1)
    active: bool = boolean(default=True)
    modifiedDate: dt.datetime | None = timestamp()
