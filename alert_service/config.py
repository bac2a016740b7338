"""The alert service's settings, as `homesystem init` renders them into `alerts.toml`."""

import re
import zoneinfo
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from alert_service.telling import rule_check
from alert_service.telling.policy import Rule
from shared.broker.mqtt import BrokerConfig
from shared.door.client import AuthAddress
from shared.door.doors import Bounds
from shared.mail import SmtpConfig
from shared.running.config import Config, ConfigError, check_database, env, load, read_secret
from shared.running.syslog import SyslogConfig
from shared.trust.tls import Identity
from shared.words.languages import DEFAULT, Language

_PLACE = re.compile(r"[a-z0-9*?\[\]!-]+(/[a-z0-9*?\[\]!-]+)?")
MAIL = "mail"
"""The name of the way that is always there."""


class Listen(Config, frozen=True):
    """Where the internal HTTPS stands, and the server certificate that it shows."""

    port: Annotated[int, env("HOMESYSTEM_ALERTS_PORT"), msgspec.Meta(ge=1, le=65535)]
    tls: Identity
    host: str = "127.0.0.1"


class Letters(Config, frozen=True):
    """How letters go out: at most so many a minute, and past so many of one party in ten minutes as a digest.

    `daily_at` is when the daily letter is made, in the home's zone ("07:00", or "never").
    `language` is the home's; a person may have another.
    `offline_after`: a room with a critical device is told about when it is away for so many seconds.
    """

    per_minute: Annotated[int, msgspec.Meta(ge=1, le=600)] = 30
    alone: Annotated[int, msgspec.Meta(ge=1, le=1000)] = 20
    daily_at: Annotated[str, msgspec.Meta(pattern=r"^(never|([01]\d|2[0-3]):[0-5]\d)\Z")] = "07:00"
    offline_after: Annotated[int, msgspec.Meta(ge=10, le=86400)] = 60
    host: str | None = None
    https_port: Annotated[int, env("HOMESYSTEM_HTTPS_PORT"), msgspec.Meta(ge=1, le=65535)] = 8443

    language: Language = DEFAULT

    @property
    def pages(self) -> str | None:
        """Where the home's pages are, for the links of every letter."""
        return None if self.host is None else f"https://{self.host}:{self.https_port}"


class History(Config, frozen=True):
    """How long the record is kept: whole days (UTC) go when they are older than `keep_days`.

    Two weeks at the least: producers tell an event again for a week, and it must still be known then. What happens
    without anybody's doing is kept for `happenings_days` (0: not at all), and not of the places in `happenings_off`
    ("bathroom/*", "hall/motion").
    """

    keep_days: Annotated[int, msgspec.Meta(ge=14, le=36_500)] = 365
    happenings_days: Annotated[int, msgspec.Meta(ge=0, le=3_650)] = 31
    happenings_off: Annotated[tuple[str, ...], msgspec.Meta(max_length=200)] = ()


class WayConfig(Config, frozen=True):
    """One more way to be told, beside mail. `url_file` holds its address with its token, and stays out of this file."""

    name: Annotated[str, msgspec.Meta(pattern=r"^[a-z][a-z0-9-]{0,31}\Z")]
    kind: Literal["apprise"]
    url_file: Path
    urgent_only: bool = False


class AlertsConfig(Config, frozen=True):
    """Everything the alert service needs to know."""

    database: str
    listen: Listen
    broker: BrokerConfig
    auth: AuthAddress
    smtp: SmtpConfig
    log: Path | None = None
    syslog: SyslogConfig | None = None
    connections: Bounds = Bounds()
    timezone: str = "UTC"
    letters: Letters = Letters()
    history: History = History()
    rules: tuple[Rule, ...] = ()
    ways: Annotated[tuple[WayConfig, ...], msgspec.Meta(max_length=8)] = ()

    @property
    def notes(self) -> Path | None:
        """Where the hub's command leaves what it found: the home's folder of databases; None where nothing tells it."""
        kind, _, path = self.database.partition("///")
        if kind.startswith("sqlite"):
            return Path(path).parent
        return self.log.with_name("data") if self.log is not None else None

    @property
    def zone(self) -> zoneinfo.ZoneInfo:
        """The home's time zone."""
        return zoneinfo.ZoneInfo(self.timezone)


def read(path: Path) -> AlertsConfig:
    """The settings in `path`, checked. Raises ConfigError with everything that is wrong, a line each."""
    config = load(AlertsConfig, path)
    wrong = [*_wrong(config)]
    if wrong:
        raise ConfigError("\n".join(f"{path}: {complaint}" for complaint in wrong))
    return config


def _wrong(config: AlertsConfig) -> Iterator[str]:
    for check in (config.smtp.check, lambda: check_database(config.database)):
        try:
            check()
        except ConfigError as error:
            yield str(error)
    try:
        _ = config.zone
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        yield (
            f'timezone: "{config.timezone}" is not known here; write one like "Europe/Berlin" '
            "(on a machine without time zones: apt install tzdata)"
        )
    for pattern in config.history.happenings_off:
        if not _PLACE.fullmatch(pattern):
            yield f'history.happenings_off: "{pattern}" fits no place; write one like "bathroom/*" or "hall/motion"'
    yield from rule_check.complaints(config.rules)
    if not config.history.happenings_days and any(rule.on_happenings for rule in config.rules):
        yield "history.happenings_days: is 0, and rules are on happenings, which are told from what is kept; keep a day"
    names = [way.name for way in config.ways]
    yield from (f"ways: two are called {name}" for name in dict.fromkeys(names) if names.count(name) > 1)
    if MAIL in names:
        yield f'ways: "{MAIL}" is the way that is there already; choose another name'
    for way in config.ways:
        try:
            read_secret(way.url_file)
        except ConfigError as error:
            yield f"ways.{way.name}: {str(error).replace('`homesystem init` makes it', 'write the address into it')}"
