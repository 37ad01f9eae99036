"""A world: districts and their state as they truly are, and how they are written down for the product."""

from dataclasses import dataclass, field
from typing import Any, TypeAlias

Row: TypeAlias = dict[str, Any]
Key: TypeAlias = tuple[Any, ...]
Rows: TypeAlias = dict[str, list["Record"]]
"""A district's records by table."""

YEAR = 2026
"""The current school year of every world."""
TENANT = "districtNumber"
"""The state's column of whose a row is, in every world."""


@dataclass
class Column:
    """A column of a table, at both ends."""

    name: str
    kind: str
    """What its values are, as `values.canonical` reads them."""
    declared: str
    """Its type in the district's DDL."""
    held: str
    """Its type in the DDL of a state that is made by hand."""
    required: bool = False
    generated: str = ""
    """The expression by which the district computes it."""
    computed: str = ""
    """The expression by which the state computes it; it is not compared then."""
    in_district: bool = True
    in_state: bool = True


@dataclass
class Link:
    """A foreign key to a parent's key."""

    columns: tuple[str, ...]
    parent: str
    in_district: bool = True
    in_state: bool = True
    actions: str = ""
    """ON DELETE and ON UPDATE of the state."""


@dataclass
class Table:
    """A table of both ends, and the object that holds it."""

    name: str
    columns: list[Column]
    key: tuple[str, ...]
    links: list[Link] = field(default_factory=list)
    unique: list[tuple[str, ...]] = field(default_factory=list)
    school_year: bool = False
    way: int | None = None
    """Which link truly leads to the year; None in the table of the years, and where no year matters."""
    state_key: tuple[str, ...] | None = None
    """The key of a state made by hand where it is another."""
    view: bool = False
    """Whether the district shows it through a view."""

    def column(self, name: str) -> Column:
        """Return a column."""
        return next(each for each in self.columns if each.name == name)


@dataclass
class Record:
    """A record of a district."""

    values: Row
    year: int | None = None
    """The school year to which it truly belongs; None: to none, or nobody can know."""
    excluded: bool = False
    """Whether the catalog's rule is meant to keep it from the state."""


@dataclass
class CatalogText:
    """What the catalog says, right or wrong."""

    year: str | None
    identity: str | None
    tenant_column: str
    tables: dict[str, list[str]]
    """The tables of each object, as the catalog writes them."""
    owned: list[tuple[str, str]] = field(default_factory=list)
    """`state_owned`: the object and what it names."""
    ignored: list[tuple[str, str]] = field(default_factory=list)
    """`ignore_columns`: the object and what it names."""
    rules: list[tuple[str, str, str]] = field(default_factory=list)
    """The object, the table and the condition."""


@dataclass
class World:
    """Districts, a state and a catalog."""

    source: str
    target: str
    tenants: list[str]
    tables: dict[str, Table]
    identity: tuple[str, str]
    years: tuple[str, str]
    """Table and column of the year, as they are."""
    catalog: CatalogText
    phases: list[dict[str, Rows]]
    """What each district holds, before each resync."""
    to_send: list[tuple[int, ...]]
    """The school years that are sent in each phase, in this order."""
    tenant_type: str
    made: bool
    """Whether the state is made by hand, else by `state init`."""
    held: list[tuple[str, str, Row]] = field(default_factory=list)
    """Table, tenant and values that the state holds beforehand."""
    owned: set[tuple[str, str]] = field(default_factory=set)
    """Table and column that are meant to be the state's."""
    ignored: set[tuple[str, str]] = field(default_factory=set)
    """Table and column that are meant never to be sent."""
    district_sql: list[str] = field(default_factory=list)
    """Further statements at each district, once its tables are there."""
    state_sql: list[str] = field(default_factory=list)
    """Further statements at the state, once its tables are there."""
    between: list[str] = field(default_factory=list)
    """Statements at the state before the second phase."""
    dropped: tuple[str, str] | None = None
    """Table and column that the districts lose before the second phase."""
    swapped: bool = False
    """Whether the configuration takes two districts for each other."""
    slips: list[str] = field(default_factory=list)
    """What is wrong; empty: nothing, and the run must be green."""
    odd: list[str] = field(default_factory=list)
    """What is odd and right."""
    words: list[str] = field(default_factory=list)
    """What a message may name instead of a table, to have told of what is wrong."""
    must_refuse: set[str] = field(default_factory=set)
    """Tables whose object must not complete."""
    must_tell: list[str] = field(default_factory=list)
    """Words that doctor or the run must say."""
    advised: bool = False
    """Whether doctor may give advice though nothing is wrong."""

    @property
    def title(self) -> str:
        """What the tally calls it."""
        return " + ".join(self.slips) or " + ".join(self.odd)

    def true_tenant(self, configured: str) -> str:
        """Return whose database the configuration takes for a district's."""
        return next(each for each in self.tenants if each != configured) if self.swapped else configured

    def object_of(self, table: str) -> str:
        """Return the object that holds a table; each is called like its first one."""
        return f"Object {list(self.tables).index(table)}"
