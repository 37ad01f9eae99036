"""Commands that a message names can be pasted: they have the --config that was given."""

import ast
import inspect
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from resync_tui import cli, errors
from resync_tui.analysis import checks
from resync_tui.cli.main import answer, commands
from resync_tui.cli.options import hint
from resync_tui.errors import ResyncError
from tests.support.settings import ONE_DISTRICT

NAMES = re.compile(rf"resync-tui (?:{'|'.join(commands.commands)})\b(?! --config)")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    folder = tmp_path / "a place"
    folder.mkdir()
    (folder / "resync.toml").write_text(ONE_DISTRICT)
    return folder / "resync.toml"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("See: resync-tui errors 3", "See: resync-tui --config 'a b.toml' errors 3"),
        ("(resync-tui errors 3)", "(resync-tui --config 'a b.toml' errors 3)"),
        ("Grant what `resync-tui doctor` lists.", "Grant what `resync-tui --config 'a b.toml' doctor` lists."),
        ("resync-tui state init -d ID", "resync-tui --config 'a b.toml' state init -d ID"),
        (
            "See: resync-tui history; stop: resync-tui cancel 7",
            "See: resync-tui --config 'a b.toml' history; stop: resync-tui --config 'a b.toml' cancel 7",
        ),
        ("resync-tui remove-extra", "resync-tui --config 'a b.toml' remove-extra"),
        ("resync-tui agent --config /etc/resync.toml", "resync-tui agent --config /etc/resync.toml"),
        ("Upgrade resync-tui here.", "Upgrade resync-tui here."),
        ("resync-tui runs", "resync-tui runs"),
    ],
)
def test_each_command_that_a_text_names_has_the_given_config(text: str, expected: str) -> None:
    for arguments in (["--config", "a b.toml", "history"], ["history"]):
        with commands.make_context("resync-tui", list(arguments)):
            assert hint(text) == (expected if len(arguments) > 1 else text)
    assert hint(text) == text


def test_a_path_is_taken_as_it_is() -> None:
    with commands.make_context("resync-tui", ["--config", r"\1\g<0>.toml", "history"]):
        assert hint("resync-tui board") == r"resync-tui --config '\1\g<0>.toml' board"


@pytest.mark.parametrize("arguments", [("--config", "{}", "plan"), ("plan", "--config", "{}")])
def test_an_errors_second_line_has_the_given_config(
    config: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]
) -> None:
    assert answer([each.format(config) for each in arguments]) == 2
    assert capsys.readouterr().err.splitlines()[1] == f"See the names: resync-tui --config '{config}' objects"


def test_a_config_that_the_environment_names_is_not_repeated(
    config: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RESYNC_TUI_CONFIG", str(config))
    assert answer(["plan"]) == 2
    assert capsys.readouterr().err.splitlines()[1] == "See the names: resync-tui objects"


def _unhinted(tree: ast.AST, inside: bool = False) -> Iterator[str]:
    """Yield texts that name a command outside `hint` and errors, whose second line is given to it; not docstrings."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        name = node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""
        known = name == "hint" or (inspect.isclass(kind := ERRORS.get(name)) and issubclass(kind, ResyncError))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and NAMES.search(node.value) and not inside:
            yield node.value
        yield from _unhinted(node, inside or known)


ERRORS: dict[str, object] = vars(errors) | vars(checks)


FOLDER = Path(cli.__file__).parent
MODULES = sorted([*FOLDER.glob("*.py"), *FOLDER.glob("doctor/*.py")])


@pytest.mark.parametrize("module", MODULES, ids=lambda path: path.stem)
def test_no_message_of_the_commands_names_one_without_it(module: Path) -> None:
    assert list(_unhinted(ast.parse(module.read_text("utf-8")))) == []
