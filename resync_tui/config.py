"""resync.toml as frozen settings; secrets resolve lazily, in the process that opens that database."""

from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from resync_tui.toml_file import CLOSED


@dataclass(frozen=True)
class ControlSettings:
    """Where requests, history and alerts are kept."""

    __pydantic_config__ = CLOSED

    url: str


@dataclass(frozen=True)
class StateSettings:
    """The state: its name decides which state-specific objects exist."""

    __pydantic_config__ = CLOSED

    name: str
    url: str


@dataclass(frozen=True)
class DistrictSettings:
    """One district: `id` must be what its database says of itself."""

    __pydantic_config__ = CLOSED

    id: str
    name: str
    url: str
    previous: tuple[str, ...] = ()
    next: tuple[str, ...] = ()


@dataclass(frozen=True)
class YearSettings:
    """School years, by the calendar year in which they end."""

    __pydantic_config__ = CLOSED

    current: int
    opens: date | None = None
    closes: date | None = None


@dataclass(frozen=True)
class SubscriptionSettings:
    """Which DIS objects the state subscribes to; None: all that exist for it."""

    __pydantic_config__ = CLOSED

    objects: tuple[str, ...] | None = None


@dataclass(frozen=True)
class RightsSettings:
    """Roles of a PostgreSQL control database that may look, and that may send."""

    __pydantic_config__ = CLOSED

    read: tuple[str, ...] = ()
    write: tuple[str, ...] = ()


@dataclass(frozen=True)
class EngineSettings:
    """Limits, so that a resync stays a good guest."""

    __pydantic_config__ = CLOSED

    concurrency: int = 2
    districts: int = 4
    max_records_per_second: int = 0
    window: str = ""
    errors_kept: int = 10_000


@dataclass(frozen=True)
class NotifySettings:
    """A command that the agent runs when a batch ends, its summary as JSON on standard input."""

    __pydantic_config__ = CLOSED

    command: tuple[str, ...] = ()


@dataclass(frozen=True)
class ScheduleSettings:
    """A resync that recurs, as cron says, in its own time zone."""

    __pydantic_config__ = CLOSED

    name: str
    cron: str
    timezone: str = "UTC"
    districts: str | tuple[str, ...] = "*"
    objects: str | tuple[str, ...] = "*"


@dataclass(frozen=True)
class CatalogSettings:
    """A catalog of the user's own; None: the built-in one."""

    __pydantic_config__ = CLOSED

    file: Path | None = None


@dataclass(frozen=True)
class Settings:
    """The whole of resync.toml; relative paths are already relative to `path`'s folder."""

    __pydantic_config__ = CLOSED

    control: ControlSettings
    state: StateSettings
    years: YearSettings
    edition: str = "state"
    include: tuple[str, ...] = ()
    district: tuple[DistrictSettings, ...] = ()
    subscription: SubscriptionSettings = SubscriptionSettings()
    rights: RightsSettings = RightsSettings()
    engine: EngineSettings = EngineSettings()
    notify: NotifySettings = NotifySettings()
    schedule: tuple[ScheduleSettings, ...] = ()
    catalog: CatalogSettings = CatalogSettings()
    path: Path = field(default=Path("resync.toml"))
