"""The sample state's tables: derived from a district's, then made as strict as schema/state.toml says."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from importlib.resources import files

from resync_tui.state_schema.introspect import TableShape
from resync_tui.toml_file import CLOSED, parse


@dataclass(frozen=True)
class Stricter:
    """One thing that the state demands of a table beyond what a district does."""

    __pydantic_config__ = CLOSED

    table: str
    column: str | None = None
    type: str | None = None
    """The column's narrower type."""
    required: bool = False
    unique: tuple[str, ...] = ()
    """Without the tenant column."""
    check: str | None = None


@dataclass(frozen=True)
class StateRules:
    """All that the state demands beyond a district's tables."""

    __pydantic_config__ = CLOSED

    stricter: tuple[Stricter, ...]


def load_state_rules() -> tuple[Stricter, ...]:
    """Return what schema/state.toml says."""
    text = files("resync_tui.schema").joinpath("state.toml").read_text("utf-8")
    return parse(StateRules, text, "state.toml").stricter


def tightened(tables: Iterable[TableShape], rules: Iterable[Stricter], tenant: str | None) -> tuple[TableShape, ...]:
    """Return tables with the state's own demands added; unique keys begin with `tenant`, if there is one."""
    by_name = {table.name: table for table in tables}
    for rule in rules:
        by_name[rule.table] = _tightened(by_name[rule.table], rule, () if tenant is None else (tenant,))
    return tuple(by_name.values())


def _tightened(table: TableShape, rule: Stricter, lead: tuple[str, ...]) -> TableShape:
    columns = tuple(
        replace(column, type=rule.type or column.type, required=column.required or rule.required)
        if column.name == rule.column
        else column
        for column in table.columns
    )
    unique = ((*lead, *rule.unique),) if rule.unique else ()
    checks = (rule.check,) if rule.check else ()
    return replace(table, columns=columns, unique=table.unique + unique, checks=table.checks + checks)
