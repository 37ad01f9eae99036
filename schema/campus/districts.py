"""Reference tables of the district itself, its reporting entities and its schools."""

import datetime as dt

from resync_tui.schema.campus.columns import CampusTable, boolean, char, foreign_key, primary_key, timestamp, varchar


class District(CampusTable, table=True):
    """The district's own identity, by which a batch makes sure whose database it reads; DIS object `District`.

    Inferred: the columns.
    """

    districtID: int = primary_key()
    number: str = varchar(10, unique=True)
    name: str = varchar(80)
    type: str | None = varchar(20)
    address: str | None = varchar(100)
    city: str | None = varchar(40)
    state: str | None = char(2)
    zip: str | None = varchar(10)
    phone: str | None = varchar(20)
    ncesID: str | None = char(7)
    modifiedDate: dt.datetime | None = timestamp()


class ReportingEntity(CampusTable, table=True):
    """A body that reports for some of the district's schools; DIS object `ReportingEntity`.

    Documented: School depends on it where a state subscribes to it.
    Inferred: the columns.
    """

    entityID: int = primary_key()
    districtID: int = foreign_key("District.districtID")
    code: str = varchar(12, unique=True)
    name: str = varchar(80)
    type: str | None = varchar(20)
    startDate: dt.date | None = None
    endDate: dt.date | None = None
    modifiedDate: dt.datetime | None = timestamp()


class School(CampusTable, table=True):
    """A school; DIS object `School`.

    Inferred: the columns. `reportingEntityID` has no foreign key, as not every state uses ReportingEntity.
    """

    schoolID: int = primary_key()
    districtID: int = foreign_key("District.districtID", index=True)
    reportingEntityID: int | None = None
    number: str = varchar(10, unique=True)
    name: str = varchar(80)
    type: str | None = varchar(20)
    address: str | None = varchar(100)
    phone: str | None = varchar(20)
    openedDate: dt.date | None = None
    titleOne: bool = boolean(default=False)
    modifiedDate: dt.datetime | None = timestamp()
