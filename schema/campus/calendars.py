"""Reference tables of school years: calendars, months, schedules, grade levels and days."""

import datetime as dt

from sqlalchemy import CheckConstraint, UniqueConstraint

from resync_tui.schema.campus.columns import (
    CampusTable,
    boolean,
    char,
    foreign_key,
    primary_key,
    smallint,
    timestamp,
    varchar,
)


class Calendar(CampusTable, table=True):
    """A school's year or summer, which ties its children to that year; DIS object `Calendar`.

    Documented: state-excluded calendars do not sync.
    Inferred: the columns, `stateExclude` among them.
    """

    __table_args__ = (UniqueConstraint("schoolID", "endYear", "name"), CheckConstraint('"endDate" >= "startDate"'))

    calendarID: int = primary_key()
    schoolID: int = foreign_key("School.schoolID", index=True)
    endYear: int = smallint()
    name: str = varchar(60)
    startDate: dt.date
    endDate: dt.date
    type: str | None = char(1, default="I")
    summerSchool: bool = boolean(default=False)
    stateExclude: bool = boolean(default=False)
    studentDayMinutes: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class SchoolMonth(CampusTable, table=True):
    """A month of a calendar; DIS object `SchoolMonth`.

    Inferred: the columns.
    """

    monthID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID", index=True)
    sequence: int = smallint()
    label: str | None = varchar(20)
    startDate: dt.date
    endDate: dt.date
    enrolledDays: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class ScheduleStructure(CampusTable, table=True):
    """A schedule of a calendar; DIS object `ScheduleStructure`.

    Inferred: the columns.
    """

    structureID: int = primary_key()
    calendarID: int = foreign_key("Calendar.calendarID", index=True)
    name: str = varchar(40)
    label: str | None = varchar(40)
    gradeBased: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class TermSchedule(CampusTable, table=True):
    """A division of a schedule's year into terms; DIS object `TermSchedule`.

    Inferred: the columns, and that terms stand in a table of their own.
    """

    termScheduleID: int = primary_key()
    structureID: int = foreign_key("ScheduleStructure.structureID", index=True)
    name: str = varchar(40)
    primary: bool = boolean(default=True)
    modifiedDate: dt.datetime | None = timestamp()


class Term(CampusTable, table=True):
    """A term, such as a quarter; DIS object `TermSchedule`.

    Inferred: the table and its columns.
    """

    termScheduleID: int = primary_key("TermSchedule.termScheduleID")
    sequence: int = smallint(primary_key=True)
    name: str = varchar(20)
    startDate: dt.date
    endDate: dt.date
    modifiedDate: dt.datetime | None = timestamp()


class PeriodSchedule(CampusTable, table=True):
    """A division of a schedule's day into periods; DIS object `PeriodSchedule`.

    Inferred: the columns, and that periods stand in a table of their own.
    """

    periodScheduleID: int = primary_key()
    structureID: int = foreign_key("ScheduleStructure.structureID", index=True)
    name: str = varchar(40)
    sequence: int = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class Period(CampusTable, table=True):
    """A period of the day; DIS object `PeriodSchedule`.

    Inferred: the table and its columns.
    """

    periodScheduleID: int = primary_key("PeriodSchedule.periodScheduleID")
    sequence: int = smallint(primary_key=True)
    name: str = varchar(10)
    startTime: str | None = char(5)
    endTime: str | None = char(5)
    minutes: int | None = smallint()
    nonInstructional: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class StructureGradeLevel(CampusTable, table=True):
    """A grade level of a schedule; DIS object `StructureGradeLevel`.

    Documented: state-excluded grade levels do not sync.
    Inferred: the columns, `stateExclude` among them.
    """

    __table_args__ = (UniqueConstraint("structureID", "name"),)

    structureGradeID: int = primary_key()
    structureID: int = foreign_key("ScheduleStructure.structureID")
    name: str = varchar(8)
    sequence: int = smallint()
    stateGrade: str | None = char(2)
    standardDay: int | None = smallint()
    stateExclude: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class Day(CampusTable, table=True):
    """A day of a schedule; DIS object `Day`.

    Inferred: the columns, and that a day depends on its period schedule.
    """

    __table_args__ = (UniqueConstraint("structureID", "date"),)

    dayID: int = primary_key()
    structureID: int = foreign_key("ScheduleStructure.structureID")
    periodScheduleID: int | None = foreign_key("PeriodSchedule.periodScheduleID", index=True)
    date: dt.date
    schoolDay: bool = boolean(default=True)
    instruction: bool = boolean(default=True)
    attendance: bool = boolean(default=True)
    comments: str | None = varchar(200)
    modifiedDate: dt.datetime | None = timestamp()
