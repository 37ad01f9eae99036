"""docs/schema says what --json prints and what the TOML files hold, all of it and nothing else."""

import pytest
from jsonschema import ValidationError

from resync_tui.cli.main import commands
from resync_tui.json_output.documents import DOCUMENTS
from tests.support.json_schemas import FOLDER, document_of, texts, validator

PROBLEM = {"what": "The state cannot be reached", "do": "Start it."}


def test_the_schemas_are_those_of_the_documents() -> None:
    assert {path.name: path.read_text("utf-8") for path in FOLDER.iterdir()} == texts()


def test_every_command_with_json_has_a_schema() -> None:
    printing = {name for name, each in commands.commands.items() if any("--json" in one.opts for one in each.params)}
    assert {document_of(name) for name in printing} == set(DOCUMENTS)


@pytest.mark.parametrize(
    "document",
    [
        {"agents": [], "problems": []},
        {"agents": [], "problems": [], "checks": [], "more": 1},
        {"agents": [{"host": "here", "pid": "1", "alive": True}], "problems": [], "checks": []},
        {"agents": [], "problems": [], "checks": [{**PROBLEM, "state": "bad"}]},
        {"agents": [], "problems": [{**PROBLEM, "when": "now"}], "checks": []},
    ],
)
def test_another_document_is_not_valid(document: dict[str, object]) -> None:
    validator("doctor").validate({"agents": [], "problems": [PROBLEM], "checks": [{**PROBLEM, "state": "ok"}]})
    with pytest.raises(ValidationError):
        validator("doctor").validate(document)
