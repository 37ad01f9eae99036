"""README and docs tell of every command and option, and of none that does not exist."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from resync_tui.cli.main import commands

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
COMMAND_LINES = [
    re.sub(r"\n +", " ", each) for each in re.findall(r"^resync-tui(.*(?:\n {15}.*)*)$", README, re.MULTILINE)
]


def walk(command: click.Command, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    yield path, command
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            yield from walk(child, (*path, name))


ALL = dict(walk(commands))
LEAVES = {path: command for path, command in ALL.items() if not isinstance(command, click.Group)}


def options(command: click.Command) -> set[str]:
    return {option for each in command.params if isinstance(each, click.Option) for option in each.opts}


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_and_option_is_documented(path: tuple[str, ...]) -> None:
    lines = [line for line in COMMAND_LINES if line.split()[: len(path)] == list(path)]
    assert lines, f"the README has no line for {' '.join(path)}"
    missing = {option for option in options(LEAVES[path]) if not re.search(rf"{option}\b", lines[0])}
    assert missing <= {"--config"}


def test_everything_in_the_table_of_commands_exists() -> None:
    for line in COMMAND_LINES:
        words = line.partition("    ")[0].split()
        path = tuple(words[: 2 if words[:1] == ["state"] else 1])
        assert path in ALL
        assert set(re.findall(r"(?<![\w-])--?[a-z][a-z-]*", " ".join(words))) <= options(ALL[path])


@pytest.mark.parametrize("document", ["README.md", "docs/configuration.md"])
def test_every_command_that_a_text_mentions_exists(document: str) -> None:
    mentioned = re.findall(r"`resync-tui ([a-z]+)", (ROOT / document).read_text())
    assert mentioned
    assert set(mentioned) <= set(commands.commands)


def test_every_file_that_the_readme_names_is_there() -> None:
    for name in re.findall(r"\]\(([^)]+)\)", README):
        assert (ROOT / name).exists(), name
    for name in (".ci/run", "schema/objects.toml", "LICENSE"):
        assert (ROOT / name).exists()


def test_readme_shows_the_demo_and_test_commands_on_first_screen() -> None:
    first_screen = README.splitlines()[:24]
    assert "    python3 -m venv .venv && .venv/bin/pip install -q -e . && .venv/bin/resync-tui demo" in first_screen
    assert "    python3 -m venv .venv && .venv/bin/pip install -q -e '.[test]' && .venv/bin/pytest" in first_screen


def test_every_key_of_resync_toml_is_documented() -> None:
    from dataclasses import fields, is_dataclass

    from resync_tui.config import settings

    text = (ROOT / "docs" / "configuration.md").read_text()
    for kind in vars(settings).values():
        if isinstance(kind, type) and is_dataclass(kind) and kind.__module__ == settings.__name__:
            for each in fields(kind):
                if each.name != "path":
                    assert re.search(rf"\b{each.name}\b", text), f"{kind.__name__}.{each.name}"
