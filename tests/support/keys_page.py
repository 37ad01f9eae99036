"""docs/keys.md, made from the key table; `python -m tests.support.keys_page` writes it again."""

from pathlib import Path

from resync_tui.screens.keymap import TABLE, Task, name_of

PAGE = Path(__file__).parents[2] / "docs" / "keys.md"
HEAD = """# Keys

A key means one thing on every screen. The help (`?`) of a screen lists those that it has; `:` lists its commands, to
be found by a part of their name. A key that does nothing on a screen says where it does. A sheet of text is closed by
`Esc`, `q` or `Enter`; a question takes `y`, and anything else is no. Keys in parentheses on a screen need Write.
"""


def text() -> str:
    """Return the text of the page."""
    lines = [HEAD]
    for task in Task:
        lines += [f"## {task}", "| keys | meaning | where |", "| --- | --- | --- |"]
        rows = [each for each in TABLE if each.task is task]
        lines += [
            f"| {_names(each.keys)} | {each.meaning} | {', '.join(each.where) or 'everywhere'} |" for each in rows
        ]
        lines.append("")
    return "\n".join(lines).rstrip() + "\n"


def _names(keys: tuple[str, ...]) -> str:
    return " ".join(f"`{name_of(key)}`" for key in keys)


if __name__ == "__main__":
    PAGE.write_text(text(), "utf-8")
