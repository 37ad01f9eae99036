"""Reference tables of the Bureau of Indian Education alone."""

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


class NASIS(CampusTable, table=True):
    """A student's tribal enrollment; DIS object `NASIS`.

    Inferred: the columns, and by its name that it is the Bureau's.
    """

    nasisID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    tribeCode: str | None = varchar(10)
    bloodQuantum: Decimal | None = numeric(5, 4)
    certificateNumber: str | None = varchar(20)
    verifiedDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class ISEPResidentialCertification(CampusTable, table=True):
    """A dormitory's certified count of residents in a school year; DIS object `ISEPResidentialCertification`.

    Inferred: the columns, and by its name that it is the Bureau's.
    """

    certificationID: int = primary_key()
    dormitory: str = varchar(60)
    endYear: int = smallint()
    certifiedDate: dt.date | None = None
    certifiedBy: str | None = varchar(60)
    residents: int | None = smallint()
    modifiedDate: dt.datetime | None = timestamp()


class ISEPResidentialVerification(CampusTable, table=True):
    """A week's nights of a dormitory; DIS object `ISEPResidentialVerification`.

    Inferred: the columns, and by its name that it is the Bureau's.
    """

    verificationID: int = primary_key()
    dormitory: str = varchar(60)
    weekStart: dt.date
    nightsPresent: int | None = smallint()
    verifiedBy: str | None = varchar(60)
    modifiedDate: dt.datetime | None = timestamp()
