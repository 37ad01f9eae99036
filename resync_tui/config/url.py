"""Database URLs of resync.toml: `${NAME}`, `${file:PATH}`, relative files, and whether two are the same database."""

import os
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit

from resync_tui.errors import ConfigError, nearest

SCHEMES = ("postgresql", "postgres", "sqlite")
_PLACEHOLDER = re.compile(r"\$\{([^}]*)\}")
_NAME = re.compile(r"[A-Za-z_]\w*\Z|file:.+\Z")
_HOST = re.compile(r"(\[[0-9A-Fa-f:.]+\]|[\w.%-]*)(:\d{1,5})?\Z")
_THIS_MACHINE = ("", "localhost", "127.0.0.1", "::1")


def anchored(text: str, folder: Path) -> str:
    """Return `text` with the paths in it, `${file:PATH}` and `sqlite:///PATH`, made absolute from `folder`."""
    text = _PLACEHOLDER.sub(
        lambda found: f"${{file:{folder / found[1][5:]}}}" if found[1].startswith("file:") else found[0], text
    )
    file = text.removeprefix("sqlite:///")
    if file != text and file and not file.startswith(("/", ":memory:", "${")):
        return f"sqlite:///{folder / file}"
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


def file_of(url: str) -> Path | None:
    """Return the file of a `sqlite:///file` URL; None for another kind of database."""
    path = url.removeprefix("sqlite:///")
    return None if path == url else Path(path.partition("?")[0])


def same_place(text: str) -> tuple[str, ...]:
    """Return a database's identity, however its URL is spelled: file, or host, port and name; never the user.

    A file that exists is the same by every path: symbolic and hard links, and mounts.

    Placeholders unknown here stay as written.
    """
    text = _filled(text, _value_if_known, encode=True)
    if (file := file_of(text)) is not None:
        return ("sqlite", *_same_file(file))
    try:
        parts = urlsplit(text)
        query = parse_qs(parts.query)
        host = query.get("host", [unquote(parts.hostname or "")])[0].lower()
        port = query.get("port", [str(parts.port or 5432)])[0]
    except ValueError:
        return (text,)
    name = unquote(parts.path[1:]) or next(iter(query.get("dbname", query.get("database", []))), parts.username or "")
    return ("postgresql", "" if host in _THIS_MACHINE else host, port, name)


def _same_file(file: Path) -> tuple[str, ...]:
    try:
        found = file.stat()
    except OSError:
        return (os.path.realpath(file),)
    return str(found.st_dev), str(found.st_ino)


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
    path = name.removeprefix("file:")
    try:
        return Path(path).read_text("utf-8").removesuffix("\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
        raise ConfigError(f"{key}: cannot read {path}: {reason}", "Check that file and who may read it.") from None


def _check_form(url: str, key: str) -> None:
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in SCHEMES:
        named = f"{scheme}://" if separator else "no scheme"
        raise ConfigError(
            f"{key}: {named} is no database that is known here{nearest(scheme, SCHEMES) if separator else ''}",
            "Use postgresql://host/database or sqlite:///file.db.",
        )
    if scheme == "sqlite":
        if not rest.startswith("/") or rest in ("/", "/:memory:"):
            raise ConfigError(f"{key}: a SQLite URL needs three slashes and a file", "Write sqlite:///file.db.")
        return
    authority = url[_user_info(url)[1] :].partition("/")[0].removeprefix("@")
    if not all(_HOST.match(host) for host in authority.partition("?")[0].split(",")):
        raise ConfigError(
            f"{key}: that URL cannot be read",
            "Write postgresql://user@host:port/database; in a password use %40 for @, %2F for /, %23 for #.",
        )


def _masked(text: str) -> str:
    """Return `text` in the same length, with its placeholders masked for URL parsing."""
    return _PLACEHOLDER.sub(lambda found: "0" * len(found[0]), text)


def _user_info(url: str) -> tuple[int, int]:
    """Return the span of `user:password` in a URL."""
    start = url.find("://") + 3
    if start == 2:
        return 0, 0
    end = min((place for place in (url.find(mark, start) for mark in "/?#") if place >= 0), default=len(url))
    return start, max(start, url.rfind("@", start, end))
