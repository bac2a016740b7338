"""The recorder's settings, as `homesystem init` renders them into `readings.toml`."""

import re
from pathlib import Path
from typing import Annotated

import msgspec

from shared.broker.mqtt import BrokerConfig
from shared.door.doors import Bounds
from shared.running.config import Config, ConfigError, check_database, env, load
from shared.running.syslog import SyslogConfig
from shared.trust.tls import Identity

_PATTERN = re.compile(r"(\*|[a-z][a-z0-9-]*\*?)/(\*|[a-z][a-z0-9-]*\*?)")


class Listen(Config, frozen=True):
    """Where the internal HTTPS stands, and the server certificate that it shows."""

    port: Annotated[int, env("HOMESYSTEM_READINGS_PORT"), msgspec.Meta(ge=1, le=65535)]
    tls: Identity
    host: str = "127.0.0.1"


class Keep(Config, frozen=True):
    """For how many days every reading is kept, then the sums over five minutes, then those over hours.

    `off` names devices (`room/device`, with `*` for any) of which nothing is recorded.
    """

    raw_days: Annotated[int, msgspec.Meta(ge=2, le=3650)] = 10
    five_minute_days: Annotated[int, msgspec.Meta(ge=2, le=3650)] = 90
    hourly_days: Annotated[int, msgspec.Meta(ge=7, le=36_500)] = 3650
    off: Annotated[tuple[str, ...], msgspec.Meta(max_length=500)] = ()


class ReadingsConfig(Config, frozen=True):
    """Everything the recorder needs to know."""

    database: str
    listen: Listen
    broker: BrokerConfig
    log: Path | None = None
    syslog: SyslogConfig | None = None
    connections: Bounds = Bounds()
    keep: Keep = Keep()


def read(path: Path) -> ReadingsConfig:
    """The settings in `path`, checked. Raises ConfigError with everything that is wrong, a line each."""
    config = load(ReadingsConfig, path)
    wrong = []
    try:
        check_database(config.database)
    except ConfigError as error:
        wrong.append(str(error))
    keep = config.keep
    if not keep.raw_days <= keep.five_minute_days <= keep.hourly_days:
        wrong.append("keep: raw_days may not be more than five_minute_days, nor these more than hourly_days")
    wrong += [
        f'keep.off: "{one}" names no device; write "room/device", "room/*" or "*/device"'
        for one in keep.off
        if not _PATTERN.fullmatch(one)
    ]
    if wrong:
        raise ConfigError("\n".join(f"{path}: {complaint}" for complaint in wrong))
    return config
