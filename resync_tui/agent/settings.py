"""Reloading of resync.toml by an agent: read again after a change; an invalid file leaves the old settings in force."""

import logging
from pathlib import Path
from typing import TypeAlias

from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.errors import ConfigError, ResyncError, one_line
from resync_tui.rights import edition_of

_log = logging.getLogger(__name__)

Seen: TypeAlias = tuple[tuple[str, int, int], ...]


class FollowedSettings:
    """The current settings, for the next batch; running batches keep those they began with."""

    def __init__(self, settings: Settings) -> None:
        self.current = settings
        self._seen = _seen(settings)

    def changed(self) -> bool:
        """Check the files; return whether the settings have changed. An invalid file is one line in the log.

        A rejected file is read again after its next change.
        """
        seen = _seen(self.current)
        if seen == self._seen:
            return False
        self._seen = seen
        path = self.current.path
        try:
            fresh = load_settings(path)
            load_catalog(fresh)
            self._require_same_place(fresh)
        except ResyncError as error:
            _log.warning("%s has changed and is not followed: %s", path, one_line(error))
            return False
        # From now on another set of included files is watched.
        self.current, self._seen = fresh, _seen(fresh)
        _log.info("%s has changed: followed from the next batch on", path)
        return True

    def _require_same_place(self, fresh: Settings) -> None:
        """Raise ConfigError for another edition or control database; both stay what they were."""
        same_queue = fresh.control_url() == self.current.control_url()
        if not same_queue or edition_of(fresh) != edition_of(self.current):
            raise ConfigError("It names another control database or edition", "Restart the agent.")


def _seen(settings: Settings) -> Seen:
    """Return the files' fingerprints, to detect changes; an unreadable file is reported when it is read."""
    try:
        files = settings.files
    except ConfigError:
        return ()
    return tuple(_one(file) for file in files)


def _one(file: Path) -> tuple[str, int, int]:
    try:
        state = file.stat()
    except OSError:
        return str(file), 0, 0
    return str(file), state.st_mtime_ns, state.st_ino
