"""The sample state's tables: derived from a district's, then made as strict as schema/state.toml says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources import files

from resync_tui.files.toml import CLOSED, parse
from resync_tui.state_schema.shapes import TableShape


@dataclass(frozen=True)
class Stricter:
    """A constraint of the state on a table, beyond a district's."""

    __pydantic_config__ = CLOSED

    table: str
    column: str | None = None
    type: str | None = None
    """Narrower type of the column."""
    required: bool = False
    unique: tuple[str, ...] = ()
    """Columns of a unique key, without the tenant column."""
    check: str | None = None


@dataclass(frozen=True)
class StateRules:
    """All constraints of the state beyond a district's."""

    __pydantic_config__ = CLOSED

    stricter: tuple[Stricter, ...]


def load_state_rules() -> tuple[Stricter, ...]:
    """Return the constraints in schema/state.toml."""
    text = files("resync_tui.schema").joinpath("state.toml").read_text("utf-8")
    return parse(StateRules, text, "state.toml").stricter


def tightened(tables: Iterable[TableShape], rules: Iterable[Stricter], tenant: str) -> tuple[TableShape, ...]:
    """Return tables with the state's constraints; unique keys, which need no index, begin with `tenant`."""
    by_name = {table.name: table for table in tables}
    for rule in rules:
        by_name[rule.table] = _tightened(by_name[rule.table], rule, tenant)
    return tuple(by_name.values())


def _tightened(table: TableShape, rule: Stricter, tenant: str) -> TableShape:
    columns = tuple(
        replace(column, type=rule.type or column.type, required=column.required or rule.required)
        if column.name == rule.column
        else column
        for column in table.columns
    )
    unique = ((tenant, *rule.unique),) if rule.unique else ()
    checks = (rule.check,) if rule.check else ()
    indexes = tuple(index for index in table.indexes if index.parts not in unique)
    return replace(table, columns=columns, unique=table.unique + unique, checks=table.checks + checks, indexes=indexes)
