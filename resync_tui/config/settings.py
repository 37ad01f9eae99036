"""Settings: resync.toml as frozen dataclasses; secrets are resolved lazily, in the process that opens that database."""

from dataclasses import dataclass, field
from datetime import date
from glob import glob, has_magic
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from resync_tui.catalog import Catalog
from resync_tui.config import url
from resync_tui.errors import ConfigError, UsageError, nearest
from resync_tui.files.toml import CLOSED

AtLeastOne = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]
Share = Annotated[float, Field(ge=0, le=1)]
Policies = Literal["refused", "trusted"]
"""Treatment of a table with rows hidden by row-level security: its object fails, or the visible rows count as all."""
Year = Annotated[int, Field(ge=1900, le=2999)]


@dataclass(frozen=True)
class ControlSettings:
    """The control database: requests, history and alerts."""

    __pydantic_config__ = CLOSED

    url: str = field(repr=False)


@dataclass(frozen=True)
class StateSettings:
    """The state; its name decides which state-specific objects exist."""

    __pydantic_config__ = CLOSED

    name: str
    url: str = field(repr=False)
    kind: Literal["state", "regional"] = "state"
    """Its name on screen: a regional edition is a state edition by another name."""
    policies: Policies = "refused"

    @property
    def word(self) -> str:
        """The receiver of the records as a word in a sentence."""
        return "region" if self.kind == "regional" else "state"


@dataclass(frozen=True)
class DistrictSettings:
    """One district; `id` must be the identity in its own database."""

    __pydantic_config__ = CLOSED

    id: str
    name: str
    url: str = field(repr=False)
    previous: tuple[str, ...] = ()
    next: tuple[str, ...] = ()
    policies: Policies = "refused"


@dataclass(frozen=True)
class YearSettings:
    """School years, each by the calendar year in which it ends."""

    __pydantic_config__ = CLOSED

    current: Year
    opens: date | None = None
    closes: date | None = None


@dataclass(frozen=True)
class SubscriptionSettings:
    """DIS objects that the state subscribes to; None: all that exist for it."""

    __pydantic_config__ = CLOSED

    objects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RightsSettings:
    """Roles of a PostgreSQL control database with Read and with Write."""

    __pydantic_config__ = CLOSED

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineSettings:
    """Limits of the engine, so that a resync leaves the databases to their other users."""

    __pydantic_config__ = CLOSED

    concurrency: AtLeastOne = 2
    districts: AtLeastOne = 4
    max_records_per_second: NotNegative = 0
    window: str = ""
    snapshot_minutes: NotNegative = 1440
    errors_kept: NotNegative = 10_000
    extra_share: Share = 0.05
    reach_again: NotNegative = 12


@dataclass(frozen=True)
class RetentionSettings:
    """Retention in days; 0: for ever. The last result of each object always stays, with its errors."""

    __pydantic_config__ = CLOSED

    logs: NotNegative = 0
    errors: NotNegative = 0
    """Keys of refused and differing records; their counts stay as long as the history."""
    history: NotNegative = 0


@dataclass(frozen=True)
class NotifySettings:
    """A command that the agent runs when a batch ends, its summary as JSON on standard input."""

    __pydantic_config__ = CLOSED

    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduleSettings:
    """A recurring resync: a cron expression in its own time zone."""

    __pydantic_config__ = CLOSED

    name: str
    cron: str
    timezone: str = "UTC"
    districts: str | tuple[str, ...] = "*"
    objects: str | tuple[str, ...] = "*"


@dataclass(frozen=True)
class CatalogSettings:
    """The user's own catalog; None: the built-in one."""

    __pydantic_config__ = CLOSED

    file: Path | None = None


@dataclass(frozen=True)
class Settings:
    """All settings of resync.toml; relative paths are already absolute, from the folder of `path`."""

    __pydantic_config__ = CLOSED

    control: ControlSettings
    state: StateSettings
    years: YearSettings
    edition: Literal["state", "district"] = "state"
    include: tuple[str, ...] = ()
    district: tuple[DistrictSettings, ...] = ()
    subscription: SubscriptionSettings = SubscriptionSettings()
    rights: RightsSettings = RightsSettings()
    engine: EngineSettings = EngineSettings()
    notify: NotifySettings = NotifySettings()
    retention: RetentionSettings = RetentionSettings()
    schedule: tuple[ScheduleSettings, ...] = ()
    catalog: CatalogSettings = CatalogSettings()
    path: Path = field(default=Path("resync.toml"))
    """The file that was read; not one of its keys."""

    @property
    def files(self) -> tuple[Path, ...]:
        """The files that determine what an agent does."""
        return (self.path, *included_files(self), *((self.catalog.file,) if self.catalog.file else ()))

    def control_url(self) -> str:
        """Return the control database's URL with its secrets filled in. Raises ConfigError."""
        return self._url(self.control.url, "[control] url")

    def state_url(self) -> str:
        """Return the state database's URL with its secrets filled in. Raises ConfigError."""
        return self._url(self.state.url, "[state] url")

    def district_url(self, district: str) -> str:
        """Return a district database's URL with its secrets filled in. Raises UsageError, ConfigError."""
        return self._url(self.district_by_id(district).url, f"The url of district {district}")

    def notify_command(self) -> tuple[str, ...]:
        """Return the command to run when a batch ends, secrets filled in. Raises ConfigError."""
        return tuple(url.expanded(part, "[notify] command") for part in self.notify.command)

    def district_by_id(self, district: str) -> DistrictSettings:
        """Return a district's settings. Raises UsageError with the nearest id."""
        for each in self.district:
            if each.id == district:
                return each
        known = [each.id for each in self.district]
        raise UsageError(
            f"There is no district {district}{nearest(district, known)}",
            f"Use one of [[district]] in {self.path}: {', '.join(known[:10])}{' …' * (len(known) > 10)}",
        )

    def of_year(self, whole: Catalog, district: DistrictSettings, year: int) -> Catalog | None:
        """Return the part of the state's catalog that a district may send for a school year; None: nothing."""
        current = self.years.current
        if year == current:
            return whole
        named = {name.casefold() for name in {current - 1: district.previous, current + 1: district.next}.get(year, ())}
        kept = tuple(each.name for each in whole.objects if each.school_year and each.name.casefold() in named)
        return whole.for_state(self.state.name, kept) if kept else None

    def _url(self, written: str, key: str) -> str:
        return url.expanded(written, f"{self.path}: {key}", self.path.parent)


def included_files(settings: Settings) -> list[Path]:
    """Return the files named by `include`. Raises ConfigError for one that does not exist."""
    files: list[Path] = []
    for pattern in settings.include:
        found = sorted(glob(pattern, root_dir=settings.path.parent, recursive=True))
        if not found and not has_magic(pattern):
            raise ConfigError(f"{settings.path}: include {pattern}: no such file", "Mend that path.")
        files += (settings.path.parent / each for each in found)
    return files
