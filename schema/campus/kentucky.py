"""Reference tables of objects that, by their names, are Kentucky's alone."""

import datetime as dt
from decimal import Decimal

from resync_tui.schema.campus.columns import (
    CampusTable,
    foreign_key,
    numeric,
    primary_key,
    smallint,
    timestamp,
    varchar,
)


class ESSKY(CampusTable, table=True):
    """A student's extended school services; DIS object `ESSKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    essID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    subject: str = varchar(20)
    sessionType: str | None = varchar(12)
    hours: Decimal | None = numeric(6, 2)
    outcome: str | None = varchar(20)
    modifiedDate: dt.datetime | None = timestamp()


class FRYSCGroupProgramKY(CampusTable, table=True):
    """A group program of a family resource or youth services center; DIS object `FRYSCGroupProgramKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    groupProgramID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    name: str = varchar(60)
    component: str | None = varchar(40)
    startDate: dt.date | None = None
    sessions: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class FRYSCGroupStatusKY(CampusTable, table=True):
    """A person's part in such a group program; DIS object `FRYSCGroupStatusKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    groupStatusID: int = primary_key()
    groupProgramID: int = foreign_key("FRYSCGroupProgramKY.groupProgramID", index=True)
    personID: int = foreign_key("Person.personID", index=True)
    status: str = varchar(20)
    statusDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class FRYSCStatusKY(CampusTable, table=True):
    """A student's service by such a center; DIS object `FRYSCStatusKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    statusID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    component: str = varchar(40)
    referralDate: dt.date | None = None
    serviceLevel: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class GiftedStatusKY(CampusTable, table=True):
    """A student's being gifted in an area; DIS object `GiftedStatusKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    giftedID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    area: str = varchar(30)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    servicePlan: bool | None = None
    modifiedDate: dt.datetime | None = timestamp()


class LEPKY(CampusTable, table=True):
    """A student's limited English proficiency; DIS object `LEPKY`, also written LepKY.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    lepID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    status: str = varchar(20)
    identifiedDate: dt.date | None = None
    exitDate: dt.date | None = None
    homeLanguage: str | None = varchar(20)
    score: Decimal | None = numeric(4, 1)
    modifiedDate: dt.datetime | None = timestamp()


class PreSchoolKY(CampusTable, table=True):
    """A child's preschool; DIS object `PreSchoolKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    preSchoolID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    setting: str = varchar(20)
    fundingSource: str | None = varchar(20)
    daysPerWeek: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class TEDSKY(CampusTable, table=True):
    """A student's technical education; DIS object `TEDSKY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    tedsID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    pathwayCode: str = varchar(12)
    objective: str | None = varchar(20)
    credential: str | None = varchar(40)
    completionDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class Title1KY(CampusTable, table=True):
    """A student's Title I service; DIS object `Title1KY`.

    Inferred: the columns, and by its name that it is Kentucky's.
    """

    title1ID: int = primary_key()
    enrollmentID: int = foreign_key("Enrollment.enrollmentID", index=True)
    program: str = varchar(20)
    service: str | None = varchar(20)
    startDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()
