"""Reference tables of plans for students, and of who and what led to them."""

import datetime as dt

from sqlalchemy import CheckConstraint

from resync_tui.schema.campus.columns import (
    CampusTable,
    boolean,
    foreign_key,
    primary_key,
    smallint,
    text,
    timestamp,
    varchar,
)


class Plan(CampusTable, table=True):
    """A plan for a student, such as for special education; DIS object `Plan`.

    Inferred: the columns, and that goals and services stand in tables of their own.
    """

    __table_args__ = (CheckConstraint('"endDate" IS NULL OR "endDate" >= "startDate"'),)

    planID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    planType: str = varchar(20)
    startDate: dt.date
    endDate: dt.date | None = None
    caseManager: str | None = varchar(60)
    locked: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class PlanGoal(CampusTable, table=True):
    """A goal of a plan; DIS object `Plan`.

    Inferred: the table and its columns.
    """

    goalID: int = primary_key()
    planID: int = foreign_key("Plan.planID", index=True)
    sequence: int = smallint()
    area: str | None = varchar(40)
    goal: str | None = text()
    modifiedDate: dt.datetime | None = timestamp()


class PlanService(CampusTable, table=True):
    """A service that a plan promises; DIS object `Plan`.

    Inferred: the table and its columns.
    """

    planID: int = primary_key("Plan.planID")
    sequence: int = smallint(primary_key=True)
    service: str = varchar(40)
    minutesPerWeek: int | None = smallint()
    setting: str | None = varchar(20)
    modifiedDate: dt.datetime | None = timestamp()


class PlanProgressReport(CampusTable, table=True):
    """A report on a plan's progress; DIS object `PlanProgressReport`.

    Inferred: the columns.
    """

    reportID: int = primary_key()
    planID: int = foreign_key("Plan.planID", index=True)
    reportDate: dt.date
    progressCode: str | None = varchar(6)
    comments: str | None = text()
    modifiedDate: dt.datetime | None = timestamp()


class Evaluation(CampusTable, table=True):
    """An evaluation of a student's needs; DIS object `Evaluation`.

    Inferred: the columns.
    """

    evaluationID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    evaluationType: str = varchar(30)
    referralDate: dt.date | None = None
    consentDate: dt.date | None = None
    completedDate: dt.date | None = None
    eligible: bool | None = None
    modifiedDate: dt.datetime | None = timestamp()


class TeamMember(CampusTable, table=True):
    """Somebody of the team around a student; DIS object `TeamMember`.

    Inferred: the columns.
    """

    memberID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    firstName: str | None = varchar(60)
    lastName: str | None = varchar(80)
    role: str | None = varchar(40)
    startDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()
