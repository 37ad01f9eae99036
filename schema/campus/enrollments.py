"""Reference tables of enrollments and what a student leaves with."""

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


class Enrollment(CampusTable, table=True):
    """A student's span in a grade of a calendar; DIS object `Enrollment`.

    Documented: state-excluded enrollments do not sync.
    Inferred: the columns, `stateExclude` among them. `stateNote` is set once and then the state's own (`state_owned` of
    the catalog).
    """

    __table_args__ = (CheckConstraint('"endDate" IS NULL OR "endDate" >= "startDate"'),)

    enrollmentID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    calendarID: int = foreign_key("Calendar.calendarID", index=True)
    structureID: int = foreign_key("ScheduleStructure.structureID")
    structureGradeID: int = foreign_key("StructureGradeLevel.structureGradeID", index=True)
    endYear: int = smallint()
    grade: str | None = varchar(8)
    serviceType: str = char(1, default="P")
    startDate: dt.date
    startStatus: str | None = varchar(4)
    endDate: dt.date | None = None
    endStatus: str | None = varchar(4)
    residentDistrict: str | None = varchar(10)
    percentEnrolled: int | None = smallint()
    stateExclude: bool = boolean(default=False)
    stateNote: str | None = varchar(200)
    modifiedDate: dt.datetime | None = timestamp()


class CustomStudent(CampusTable, table=True):
    """A value that a district keeps of an enrollment beyond the usual ones; DIS object `CustomStudent`.

    Inferred: the columns.
    """

    __table_args__ = (UniqueConstraint("enrollmentID", "attribute"),)

    customID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID")
    attribute: str = varchar(40)
    value: str | None = varchar(250)
    changedDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class Graduation(CampusTable, table=True):
    """A student's diploma and what comes after it; DIS object `Graduation`.

    Inferred: the columns, and that an enrollment has one at most.
    """

    __table_args__ = (UniqueConstraint("enrollmentID"),)

    graduationID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID")
    cohortYear: int | None = smallint()
    diplomaType: str | None = varchar(12)
    diplomaDate: dt.date | None = None
    postGradPlan: str | None = varchar(12)
    modifiedDate: dt.datetime | None = timestamp()
