"""URLs of SQLite files: `sqlite:///PATH`, the path as it is, without percent-encoding."""

import os
from pathlib import Path

from resync_tui.databases.url import DatabaseUrl, UrlForm
from resync_tui.errors import ConfigError


class SqliteUrl(UrlForm):
    """`sqlite:///file.db`; what follows a `?` is not used."""

    kind = "sqlite"
    schemes = ("sqlite",)
    example = "sqlite:///file.db"
    is_file = True

    def parse(self, url: str) -> DatabaseUrl:
        path = url.removeprefix("sqlite:///").partition("?")[0]
        if not url.startswith("sqlite:///") or path in ("", ":memory:"):
            raise ConfigError("a SQLite URL needs three slashes and a file", f"Write {self.example}.")
        return DatabaseUrl(str(Path(path)), (self.kind, *_same_file(Path(path))), file=Path(path))


def _same_file(file: Path) -> tuple[str, ...]:
    """Return what is equal for every path of a file that exists: symbolic and hard links, and mounts."""
    try:
        found = file.stat()
    except OSError:
        return (os.path.realpath(file),)
    return str(found.st_dev), str(found.st_ino)
