"""How the engine is to word why a record did not go in."""

from collections.abc import Sequence

from tests.support.oracle.shape import Column


def said(flaw: str, column: Column) -> str:
    """Return the reason for a value that does not fit."""
    decimals = (*column.size, 0)[:2][-1]
    return (
        column.name
        + {
            "missing": " is missing",
            "not valid": ": not a valid",
            "longer": f" is longer than {column.length}",
            "out of range": " is out of range",
            "more decimals": f" has more than {decimals} decimals",
            "not one of": " is not one of",
            "altered": f" would be altered: char({column.length}) drops trailing blanks",
        }[flaw]
    )


def said_of_year(year: int) -> str:
    """Return a school year as it is shown."""
    return f"{year - 1}-{year % 100:02}"


def said_of_unique(columns: Sequence[str], *, of_state: bool) -> str:
    """Return the reason for a value that another record has."""
    if of_state:
        return f"another record of the state holds this {', '.join(columns)}"
    return f"another record of the district has the same {', '.join(columns)}"
