"""Which extra records give up a unique value, worked out in plain Python from docs/accounting.md alone."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tests.support.oracle.shape import Dump, Foreign, Row
from tests.support.oracle.two_ends import TwoEnds
from tests.support.oracle.values import Flaw, in_state

_TEXT = ("varchar", "char", "text")


def set_aside(
    ends: TwoEnds,
    rules: Mapping[str, Callable[[Row, Dump], bool]],
    checks: Sequence[Callable[[Row], bool]],
    table: str,
    unique: Sequence[str],
    row: Row,
) -> Row | None:
    """Return a state's row as it is after it gave up its value of a unique key; None if it keeps it."""
    keys, own = ends.key_columns(table), ends.without_tenant(unique)
    name = _column(ends, table, own)
    if name is None or not _is_extra(ends, table, row):
        return None
    value = None
    if ends.state_column(table, name).required:
        value = "~" + "".join(f"~{row[each]}" for each in keys)
        length = ends.state_column(table, name).length
        there = ends.values(table, {**row, name: value}, own)
        rows = ends.mine(table) if ends.tenant_column in unique else ends.before.rows[table]
        if (length is not None and len(value) > length) or any(ends.values(table, each, own) == there for each in rows):
            return None
    after = {**row, name: value}
    pointing = [
        (child, foreign)
        for child, described in ends.before.tables.items()
        for foreign in described.foreign
        if foreign.parent == table
    ]
    stays = any(_stays(ends, rules, child, foreign, row) for child, foreign in pointing)
    return None if stays or not all(check(after) for check in checks) else after


def _column(ends: TwoEnds, table: str, unique: Sequence[str]) -> str | None:
    """Return the column of a unique key in which something can be set aside."""
    tables = ends.before.tables
    group = next(each for each in ends.groups() if table in each)
    if not ends.key_columns(table) or any(each.parent in group for each in tables[table].foreign):
        return None
    fixed = {*ends.key_columns(table), *ends.owned(table)}
    fixed |= {name for foreign in tables[table].foreign for name in foreign.columns}
    fixed |= {
        name
        for each in tables.values()
        for foreign in each.foreign
        if foreign.parent == table
        for name in foreign.referred
    }
    for name in unique:
        column = ends.state_column(table, name)
        if name not in fixed and (not column.required or column.kind in _TEXT):
            return name
    return None


def _is_extra(ends: TwoEnds, table: str, row: Row) -> bool:
    keys = ends.key_columns(table)
    known = {ends.values(table, each, keys) for each in ends.source.rows[table]}
    mine = ends.tenant_column is None or row[ends.tenant_column] == ends.tenant
    return mine and ends.scope(table, ends.before.rows)(row) and ends.values(table, row, keys) not in known


def _stays(
    ends: TwoEnds, rules: Mapping[str, Callable[[Row, Dump], bool]], child: str, foreign: Foreign, row: Row
) -> bool:
    """Whether a record points to a row of the state, is not about to move away and is not extra."""
    pairs = list(zip(foreign.columns, foreign.referred, strict=True))
    there = tuple(ends.values(foreign.parent, row, [theirs for _, theirs in pairs]))
    found = [each for each in ends.before.rows[child] if ends.referring(foreign.parent, pairs, each) == there]
    if child not in ends.objects or not ends.key_columns(child):
        return bool(found)
    return any(not _is_extra(ends, child, each) and not _moves(ends, rules, child, foreign, each) for each in found)


def _moves(
    ends: TwoEnds, rules: Mapping[str, Callable[[Row, Dump], bool]], child: str, foreign: Foreign, row: Row
) -> bool:
    """Whether the district sends a record of the state with another parent, as far as the record itself tells."""
    keys, in_scope = ends.key_columns(child), ends.scope(child, ends.source.rows)
    if ends.tenant_column is not None and row[ends.tenant_column] != ends.tenant:
        return False
    sent = [
        raw
        for raw in ends.source.rows[child]
        if in_scope(raw) and ends.values(child, raw, keys) == ends.values(child, row, keys)
    ]
    columns = [name for name in foreign.columns if name in ends.columns(child) and name not in keys]
    return any(
        (will := _as_sent(ends, rules, child, raw)) is not None
        and ends.values(child, will, columns) != ends.values(child, row, columns)
        for raw in sent
    )


def _as_sent(
    ends: TwoEnds, rules: Mapping[str, Callable[[Row, Dump], bool]], table: str, raw: Row
) -> dict[str, Any] | None:
    """Return a row of the district as the state would hold it; None if a rule or a value of it forbids."""
    forbidding = [rule for rule in ends.objects[table].rule if rule.table == table]
    if any(rules[rule.id](raw, ends.source) for rule in forbidding):
        return None
    try:
        return {
            name: in_state(raw[name], ends.state_column(table, name), ends.source.dialect, ends.before.dialect)
            for name in ends.columns(table)
        }
    except Flaw:
        return None
