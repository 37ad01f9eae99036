"""The house as docs/architecture.md draws it: what the documents name exists, and no folder grows without bound."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "resync_tui"
PAGES = ("architecture.md", "contributing.md", "glossary.md", "operations.md", "performance.md", "statements.md")
SOURCES = {
    path: path.read_text("utf-8") for top in (PACKAGE, ROOT / "schema", ROOT / "tests") for path in top.rglob("*.py")
}
WORDS = {f"/{path.relative_to(ROOT)}": set(re.findall(r"\w+", text)) for path, text in SOURCES.items()}
PLANNED = ("databases/oracle.py",)
"""Files that a page names as what somebody would add."""


@pytest.mark.parametrize("page", PAGES)
def test_every_module_and_name_that_a_page_cites_exists(page: str) -> None:
    missing = []
    for cited in re.findall(r"`([^`\n]+)`", (ROOT / "docs" / page).read_text("utf-8")):
        found = re.match(r"([\w/]+\.py)(?:::?([A-Za-z_][\w.]*))?", cited)
        if found is None or found[1] in PLANNED:
            continue
        files = [words for path, words in WORDS.items() if path.endswith(f"/{found[1]}")]
        name = (found[2] or "").rpartition(".")[2]
        if not any(not name or name in words for words in files):
            missing.append(cited)
    assert not missing


def test_no_folder_has_more_rooms_than_a_reader_can_keep_apart() -> None:
    rooms = {folder: [each for each in folder.glob("*.py") if not each.stem.startswith("__")] for folder in folders()}
    assert len(rooms.pop(PACKAGE)) <= 16
    rooms.pop(PACKAGE / "screens")
    assert {str(folder): len(modules) for folder, modules in rooms.items() if len(modules) > 20} == {}


def folders() -> list[Path]:
    return [PACKAGE, *(path.parent for path in PACKAGE.rglob("__init__.py") if path.parent != PACKAGE)]


TESTS = ROOT / "tests"
MODULES = sorted(path.relative_to(TESTS) for path in TESTS.rglob("test_*.py"))
ELSEWHERE = ("system", "unit/docs")
"""Folders whose tests are of whole processes or of documents."""


def test_each_test_module_is_named_after_the_module_that_it_tests() -> None:
    astray = []
    for module in MODULES:
        if str(module).startswith(ELSEWHERE):
            continue
        folder = module.parent.relative_to("unit") if module.parts[0] == "unit" else module.parent
        houses = (PACKAGE / folder, ROOT / folder)
        rooms = {each.stem for house in houses if house.is_dir() for each in house.iterdir()}
        words = module.stem.removeprefix("test_").split("_")
        if rooms.isdisjoint("_".join(words[:count]) for count in range(1, len(words) + 1)):
            astray.append(str(module))
    assert not astray


def test_nothing_is_imported_from_a_test_module() -> None:
    importing = re.compile(
        r"^\s*(?:from|import) tests\.[\w.]*\b(?:test_\w+|conftest)\b|^\s*from tests[\w.]* import test_", re.MULTILINE
    )
    assert [str(path) for path, text in SOURCES.items() if importing.search(text)] == []
