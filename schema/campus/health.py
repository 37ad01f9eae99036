"""Reference tables of health."""

import datetime as dt
from decimal import Decimal

from resync_tui.schema.campus.columns import (
    CampusTable,
    boolean,
    foreign_key,
    numeric,
    primary_key,
    smallint,
    timestamp,
    varchar,
)


class HealthScreening(CampusTable, table=True):
    """A screening of a person; DIS object `HealthScreening`.

    Inferred: the columns.
    """

    screeningID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    screeningType: str = varchar(20)
    screeningDate: dt.date | None = None
    result: str | None = varchar(20)
    heightInches: Decimal | None = numeric(6, 2)
    weightPounds: Decimal | None = numeric(6, 2)
    examiner: str | None = varchar(60)
    modifiedDate: dt.datetime | None = timestamp()


class ImmCertificate(CampusTable, table=True):
    """An immunization certificate; DIS object `ImmCertificate`.

    Inferred: the columns.
    """

    certificateID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    type: str = varchar(20)
    issuedDate: dt.date | None = None
    expiresDate: dt.date | None = None
    physician: str | None = varchar(60)
    modifiedDate: dt.datetime | None = timestamp()


class VaccineShot(CampusTable, table=True):
    """A dose of a vaccine; DIS object `VaccineShot`.

    Inferred: the columns.
    """

    shotID: int = primary_key()
    personID: int = foreign_key("Person.personID")
    vaccine: str = varchar(12)
    doseNumber: int = smallint()
    shotDate: dt.date | None = None
    source: str | None = varchar(20)
    exempt: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()


class MedicaidInsurance(CampusTable, table=True):
    """A span of a person's Medicaid insurance; DIS object `MedicaidInsurance`.

    Inferred: the columns.
    """

    insuranceID: int = primary_key()
    personID: int = foreign_key("Person.personID", index=True)
    medicaidNumber: str | None = varchar(20)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    consent: bool | None = None
    modifiedDate: dt.datetime | None = timestamp()
