"""resync.toml as an agent follows it: read again when it has changed, and kept as it was where it has become wrong."""

from pathlib import Path
from typing import TypeAlias

from resync_tui.agent.log import AgentLog
from resync_tui.config.load import load_catalog, load_settings
from resync_tui.config.settings import Settings
from resync_tui.errors import ConfigError, ResyncError, one_line
from resync_tui.rights import edition_of, require_own

Seen: TypeAlias = tuple[tuple[str, int, int], ...]


class FollowedSettings:
    """The settings that count from one batch to the next; what runs keeps those it began with."""

    def __init__(self, settings: Settings, log: AgentLog) -> None:
        self.current = settings
        self._log = log
        self._seen = _seen(settings)

    def changed(self) -> bool:
        """Look at the files, and return whether there are other settings to go by; a bad file is one line in the log.

        A file that has been refused is looked at again when it changes once more.
        """
        seen = _seen(self.current)
        if seen == self._seen:
            return False
        self._seen = seen
        path = self.current.path
        try:
            fresh = load_settings(path)
            require_own(fresh.files)
            load_catalog(fresh)
            self._require_same_place(fresh)
        except ResyncError as error:
            self._log.write(f"{path} has changed and is not followed: {one_line(error)}")
            return False
        # Another set of included files is seen from now on.
        self.current, self._seen = fresh, _seen(fresh)
        self._log.write(f"{path} has changed: followed from the next batch on")
        return True

    def _require_same_place(self, fresh: Settings) -> None:
        """Whose agent this is, and where its queue is, stays what it was."""
        same_queue = fresh.control_url() == self.current.control_url()
        if not same_queue or edition_of(fresh) != edition_of(self.current):
            raise ConfigError("It names another control database or edition", "Restart the agent.")


def _seen(settings: Settings) -> Seen:
    """Return what tells whether a file has changed since; one that cannot be looked at is told of when it is read."""
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
