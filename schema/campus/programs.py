"""Reference tables of programs that people take part in."""

import datetime as dt
from decimal import Decimal

from sqlalchemy import UniqueConstraint

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


class AdultEd(CampusTable, table=True):
    """An adult's part in a program; DIS object `AdultEd`.

    Inferred: the columns.
    """

    adultEdID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    program: str = varchar(40)
    startDate: dt.date
    endDate: dt.date | None = None
    contactHours: Decimal | None = numeric(6, 2)
    fundingCode: str | None = varchar(10)
    modifiedDate: dt.datetime | None = timestamp()


class ALPSS(CampusTable, table=True):
    """A service to a person; DIS object `ALPSS`.

    Inferred: the columns; the documents do not say what the name stands for.
    """

    alpssID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    service: str = varchar(40)
    startDate: dt.date
    endDate: dt.date | None = None
    provider: str | None = varchar(60)
    modifiedDate: dt.datetime | None = timestamp()


class AtRisk(CampusTable, table=True):
    """A student's being at risk; DIS object `AtRisk`.

    Inferred: the columns.
    """

    atRiskID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    category: str = varchar(20)
    identifiedDate: dt.date | None = None
    exitDate: dt.date | None = None
    comments: str | None = varchar(200)
    modifiedDate: dt.datetime | None = timestamp()


class CTEDataME(CampusTable, table=True):
    """A student's career and technical education; DIS object `CTEDataME`.

    Inferred: the columns, and by its name that it is Maine's.
    """

    cteID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    program: str = varchar(20)
    cipCode: str | None = char(7)
    concentrator: bool | None = None
    credits: Decimal | None = numeric(4, 2)
    modifiedDate: dt.datetime | None = timestamp()


class POSEligibility(CampusTable, table=True):
    """A student's eligibility for free and reduced meals; DIS object `POSEligibility`.

    Inferred: the columns.
    """

    __table_args__ = (UniqueConstraint("personID", "endYear", "startDate"),)

    eligibilityID: int = primary_key()
    personID: int = foreign_key("Person.personID")
    endYear: int = smallint()
    eligibility: str | None = char(1)
    source: str | None = varchar(20)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    certificationDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class ProgramParticipation(CampusTable, table=True):
    """A student's part in a program; DIS object `ProgramParticipation`.

    Inferred: the columns.
    """

    participationID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    programCode: str = varchar(15)
    programName: str | None = varchar(60)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    eligibilityDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class Transportation(CampusTable, table=True):
    """A student's way to school; DIS object `Transportation`.

    Inferred: the columns.
    """

    transportationID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    code: str | None = varchar(6)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    inBus: str | None = varchar(15)
    outBus: str | None = varchar(15)
    milesTransported: Decimal | None = numeric(6, 2)
    modifiedDate: dt.datetime | None = timestamp()
