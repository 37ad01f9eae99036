"""Names of tables with their schemas: what was joined comes apart again."""

import pytest

from resync_tui.databases.names import join_name, split_name


@pytest.mark.parametrize("schema", [None, "old", "a.b", 'a"b'])
@pytest.mark.parametrize("table", ["visit", "v1.visit", 'a."b', ".", 'a"b', '"', '"a.b"', "a b"])
def test_a_joined_name_is_split_into_the_same(schema: str | None, table: str) -> None:
    assert split_name(join_name(schema, table)) == (schema, table)
