"""Rights of roles, the agents' key, and the edition of a SQLite file."""

from sqlalchemy import CheckConstraint, Column, Integer
from sqlmodel import Field

from resync_tui.control.models.columns import ControlTable

# ruff: noqa: N815  (the columns' names are the contract's)


class DISRight(ControlTable, table=True):
    """A right of a PostgreSQL role and all its members; on SQLite the file's owner has all."""

    __tablename__ = "DISRight"
    __table_args__ = (
        CheckConstraint("\"right\" IN ('read', 'write')", name="DISRight_right"),
        CheckConstraint(
            "edition = 'state' AND \"districtNumber\" = '' OR edition = 'district' AND \"districtNumber\" <> ''",
            name="DISRight_edition",
        ),
    )

    roleName: str = Field(primary_key=True)
    edition: str = Field(primary_key=True)
    """`state` or `district`."""
    districtNumber: str = Field(primary_key=True)
    """Empty for the state."""
    right: str = Field(primary_key=True)
    """`read` or `write`; write counts only together with read."""


class DISKey(ControlTable, table=True):
    """The agents' secret, one row: of it the names of their connections to districts and the state are made."""

    __tablename__ = "DISKey"

    keyID: int = Field(sa_column=Column("keyID", Integer, primary_key=True, autoincrement=False))
    key: str


class DISEdition(ControlTable, table=True):
    """The one edition that a SQLite control database serves, as every reader of the file can read all of it."""

    __tablename__ = "DISEdition"

    editionID: int = Field(sa_column=Column("editionID", Integer, primary_key=True, autoincrement=False))
    edition: str
    districtNumber: str
