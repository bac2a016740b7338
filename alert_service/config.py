"""The alert service's settings, as `homesystem init` renders them into `alerts.toml`."""

import zoneinfo
from pathlib import Path
from typing import Annotated

import msgspec

from shared import tls
from shared.client import AuthAddress
from shared.config import Config, ConfigError, check_database, env, load
from shared.mail import SmtpConfig
from shared.mqtt import BrokerConfig
from shared.syslog import SyslogConfig


class Listen(Config, frozen=True):
    """Where the internal HTTPS stands, and the server certificate that it shows."""

    port: Annotated[int, env("HOMESYSTEM_ALERTS_PORT"), msgspec.Meta(ge=1, le=65535)]
    tls: tls.Identity
    host: str = "127.0.0.1"


class Letters(Config, frozen=True):
    """How letters go out: at most so many a minute, and past so many of one party in ten minutes as a digest.

    `daily_at` is when the daily letter is made, in the home's zone ("07:00", or "never").
    """

    per_minute: Annotated[int, msgspec.Meta(ge=1, le=600)] = 30
    alone: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    daily_at: Annotated[str, msgspec.Meta(pattern=r"^(never|([01]\d|2[0-3]):[0-5]\d)\Z")] = "07:00"
    host: str | None = None
    https_port: Annotated[int, env("HOMESYSTEM_HTTPS_PORT"), msgspec.Meta(ge=1, le=65535)] = 8443

    @property
    def history(self) -> str | None:
        """The address of the history's page, for the end of every letter."""
        return None if self.host is None else f"https://{self.host}:{self.https_port}/history"


class History(Config, frozen=True):
    """How long the record is kept: whole days (UTC) go when they are older than `keep_days`.

    Two weeks at the least: producers tell an event again for a week, and it must still be known then.
    """

    keep_days: Annotated[int, msgspec.Meta(ge=14, le=36_500)] = 365


class AlertsConfig(Config, frozen=True):
    """Everything the alert service needs to know."""

    database: str
    listen: Listen
    broker: BrokerConfig
    auth: AuthAddress
    smtp: SmtpConfig
    log: Path | None = None
    syslog: SyslogConfig | None = None
    timezone: str = "UTC"
    letters: Letters = Letters()
    history: History = History()

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The home's time zone."""
        return zoneinfo.ZoneInfo(self.timezone)


def read(path: Path) -> AlertsConfig:
    """The settings in `path`, checked. Raises ConfigError."""
    config = load(AlertsConfig, path)
    try:
        config.smtp.check()
        check_database(config.database)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    try:
        _ = config.zone
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(
            f'{path}: timezone: "{config.timezone}" is not known here; write one like "Europe/Berlin" '
            "(on a machine without time zones: apt install tzdata)"
        ) from error
    return config
