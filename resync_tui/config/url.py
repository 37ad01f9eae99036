"""Database URLs of resync.toml: `${NAME}`, `${file:PATH}`, relative files, and whether two are the same database.

What a URL says once its placeholders are expanded is up to its kind: `databases/forms.py`.
"""

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import quote

from resync_tui.databases import forms
from resync_tui.errors import ConfigError
from resync_tui.files import own

_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_MASKED = re.compile(r"\[\$\{[^}]*\}\]|\$\{[^}]*\}")
"""A placeholder, with the brackets of an IPv6 address that it stands for."""
_NAME = re.compile(r"[A-Za-z_]\w*\Z|file:.+\Z")


def anchored(text: str, folder: Path) -> str:
    """Return `text` with the paths in it, `${file:PATH}` and those of database files, made absolute from `folder`."""
    text = _PLACEHOLDER.sub(
        lambda found: f"${{file:{folder / found[1][5:]}}}" if found[1].startswith("file:") else found[0], text
    )
    scheme, _, file = text.partition(":///")
    if forms.is_file(text) and file and not file.startswith(("/", ":memory:", "${")):
        return f"{scheme}:///{folder / file}"
    return text


def check(text: str, key: str) -> None:
    """Raise ConfigError for an invalid URL; parts that depend on a placeholder are checked once it is expanded."""
    for name in _PLACEHOLDER.findall(text):
        if not _NAME.match(name):
            raise ConfigError(f"{key}: ${{{name}}} is no placeholder", "Write ${NAME} or ${file:PATH}.")
    if "${" in _masked(text):
        raise ConfigError(f"{key}: a placeholder does not end", "Write ${NAME} or ${file:PATH}.")
    if not text.startswith("${"):
        _check_form(_masked(text), key)


def expanded(text: str, key: str, folder: Path | None = None) -> str:
    """Return `text` with its placeholders expanded; `folder` makes it a URL, checked and absolute.

    Raises ConfigError for a variable that is not set or a file that cannot be read; no message holds a value.
    """
    filled = _filled(text, lambda found: _value(found[1], key), encode=folder is not None)
    if folder is None:
        return filled
    _check_form(filled, key)
    return anchored(filled, folder)


def variables(text: str) -> set[str]:
    """Return the environment variables that the placeholders of a text name."""
    return {name for name in _PLACEHOLDER.findall(text) if not name.startswith("file:")}


def same_place(text: str) -> tuple[str, ...]:
    """Return a database's identity, however its URL is spelled: file, or hosts, ports and name; never the user.

    Placeholders unknown here stay as written.
    """
    text = _filled(text, _value_if_known, encode=True)
    try:
        return forms.parse(text).identity
    except ConfigError:
        return (text,)


def _filled(text: str, value: Callable[[re.Match[str]], str], *, encode: bool) -> str:
    """Return `text` with each placeholder's value, percent-encoded inside a URL's user-info."""
    start, end = _user_info(_masked(text)) if encode else (0, 0)
    return _PLACEHOLDER.sub(
        lambda found: quote(value(found), safe="") if start <= found.start() < end else value(found), text
    )


def _value_if_known(found: "re.Match[str]") -> str:
    try:
        return _value(found[1], "")
    except ConfigError:
        return quote(found[0], safe="")


def _value(name: str, key: str) -> str:
    if not name.startswith("file:"):
        if name not in os.environ:
            raise ConfigError(
                f"{key} needs the environment variable {name}, which is not set",
                "Set it here and where the agent runs, or use ${file:PATH}.",
            )
        return os.environ[name]
    try:
        return own.read_text(Path(name.removeprefix("file:"))).removesuffix("\n")
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.what[:1].lower()}{error.what[1:]}", error.do) from None


def _check_form(url: str, key: str) -> None:
    try:
        forms.parse(url)
    except ConfigError as error:
        raise ConfigError(f"{key}: {error.what}", error.do) from None


def _masked(text: str) -> str:
    """Return `text` in the same length, with its placeholders masked for URL parsing."""
    return _MASKED.sub(lambda found: "0" * len(found[0]), text)


def _user_info(url: str) -> tuple[int, int]:
    """Return the span of `user:password` in a URL."""
    start = url.find("://") + 3
    if start == 2:
        return 0, 0
    end = min((place for place in (url.find(mark, start) for mark in "/?#") if place >= 0), default=len(url))
    return start, max(start, url.rfind("@", start, end))
