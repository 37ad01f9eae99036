"""SQLite's own text of a table, from which expressions of generated columns are read: no pragma tells them."""

import re
from collections.abc import Iterator

_TOKEN = re.compile(
    r"""(?P<blank>\s+|--[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<quoted>'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^]]*])
    |(?P<word>\w+)
    |(?P<sign>.)""",
    re.DOTALL | re.VERBOSE,
)
_CLOSING = {"[": "]"}


def generated_columns(sql: str) -> dict[str, str]:
    """Return the expressions of the generated columns of a CREATE TABLE, by column name."""
    found = {}
    for definition in _definitions(sql):
        name, *rest = definition
        follows_as = False
        for token in rest:
            if follows_as and token.startswith("("):
                found[_unquoted(name)] = token[1:-1].strip()
                break
            follows_as = token.upper() == "AS"
    return found


def runs_before(sql: str) -> bool:
    """Whether a CREATE TRIGGER is of one that runs before a row is written, as one does that does not say when."""
    words = [token.upper() for token in _nested(sql)]
    name = words.index("TRIGGER") + 1
    name += 3 if words[name] == "IF" else 0
    name += 2 if words[name + 1] == "." else 0
    return words[name + 1] not in ("AFTER", "INSTEAD")


def _definitions(sql: str) -> Iterator[list[str]]:
    """Yield the definitions of columns and constraints as tokens, each pair of brackets with its content as one."""
    body = next((each for each in _nested(sql) if each.startswith("(")), "()")
    definition: list[str] = []
    for part in [*_nested(body[1:-1]), ","]:
        if part == "," and definition:
            yield definition
            definition = []
        elif part != ",":
            definition.append(part)


def _nested(sql: str) -> Iterator[str]:
    """Yield tokens without blanks and comments, each outer pair of brackets with its content as one."""
    depth, begin = 0, 0
    for token in _TOKEN.finditer(sql):
        if token[0] == "(":
            begin = begin if depth else token.start()
            depth += 1
        elif token[0] == ")":
            depth -= 1
            if depth == 0:
                yield sql[begin : token.end()]
        elif depth == 0 and token.lastgroup != "blank":
            yield token[0]


def _unquoted(name: str) -> str:
    quote = name[0]
    if quote not in "\"'`[":
        return name
    closing = _CLOSING.get(quote, quote)
    return name[1:-1].replace(closing * 2, closing)
