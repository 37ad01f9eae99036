"""INSERT into a table that numbers its rows by itself: records keep the numbers that they come with."""

from typing import Any

import sqlalchemy as sa
from sqlalchemy.ext.compiler import compiles


class OverridingInsert(sa.Insert):
    """INSERT … SELECT with OVERRIDING SYSTEM VALUE, for columns GENERATED ALWAYS AS IDENTITY."""

    inherit_cache = True


@compiles(OverridingInsert, "postgresql")
def _compiled(insert: Any, compiler: Any, **options: Any) -> str:
    names = ", ".join(compiler.preparer.format_column(insert.table.c[name]) for name in insert._select_names)
    text: str = compiler.visit_insert(insert, **options)
    return text.replace(f"({names})", f"({names}) OVERRIDING SYSTEM VALUE", 1)
