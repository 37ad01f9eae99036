"""Tenants that the state's tenant column takes for one: two ids must never be one."""

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa

from resync_tui.engine.dialect import Fetch, is_padded, of
from resync_tui.engine.keys import IncompatibleTable, qualified
from resync_tui.engine.types import text_literal

DO = "Give that column a type and collation that tell ids apart, as text by its bytes."


def require_apart(target: sa.Table, tenant_column: str | None, tenants: Iterable[str]) -> None:
    """Require that the tenant column takes no two of the configured ids for one. Raises IncompatibleTable."""
    if tenant_column is None or tenant_column not in target.c:
        return
    column, seen = target.c[tenant_column], dict[str, str]()
    for tenant in tenants:
        other = seen.setdefault(of(column).as_compared(column, tenant), tenant)
        if other != tenant:
            raise IncompatibleTable(
                f"{qualified(target)}.{tenant_column} of the state takes the ids {other} and {tenant} for one", DO
            )


def taken_for(target: sa.Table, tenant_column: str | None, tenant: str | None) -> sa.Select[Any] | None:
    """Return the query for a record of another tenant whose id the column takes for this one.

    None if the column compares by bytes, so that there can be none, and for a table without that column.
    """
    if tenant_column is None or tenant is None or tenant_column not in target.c:
        return None
    column, probe = target.c[tenant_column], "Aa "
    # A padded column has no blanks of its own at the end.
    variants = {probe, probe.swapcase(), probe if is_padded(column) else probe.rstrip()}
    if len({of(column).as_compared(column, each) for each in variants}) == len(variants):
        return None
    is_taken = column == text_literal(tenant)
    written = of(column).binary(column)
    return sa.select(sa.literal(1)).select_from(target).where(is_taken, written != text_literal(tenant)).limit(1)


async def require_unmixed(fetch: Fetch, target: sa.Table, tenant_column: str | None, tenant: str | None) -> None:
    """Require that the tenant column takes no other district's records for a tenant's. Raises IncompatibleTable."""
    taken = taken_for(target, tenant_column, tenant)
    if taken is not None and await fetch(taken):
        raise IncompatibleTable(
            f"{qualified(target)}.{tenant_column} of the state takes the id of another district's records for {tenant}",
            DO,
        )
