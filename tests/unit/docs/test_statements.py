"""Every statement in docs/statements.md names a test that exists, or says that it is not built or not tested yet."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
ROWS = re.findall(r"^\| ([A-E]+) \| (.+) \| (.+) \|$", (ROOT / "docs" / "statements.md").read_text(), re.MULTILINE)


def functions(file: Path) -> set[str]:
    wanted = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {each.name for each in ast.parse(file.read_text()).body if isinstance(each, wanted)}


@pytest.mark.parametrize("shown", sorted({shown for _, _, shown in ROWS}))
def test_what_shows_a_statement_is_a_test_that_exists(shown: str) -> None:
    if shown.startswith(("not built: ", "no test yet: ")):
        return
    found = re.fullmatch(r"`(tests/[\w/]+\.py)::(test_\w+)`", shown)
    assert found, shown
    assert found[2] in functions(ROOT / found[1])


def test_statements_are_unique_and_cover_all_five_documents() -> None:
    assert set("".join(documents for documents, _, _ in ROWS)) == set("ABCDE")
    statements = [statement for _, statement, _ in ROWS]
    assert len(statements) == len(set(statements)) > 70
