"""The auth service's settings, as `homesystem init` renders them into `auth.toml`."""

import ipaddress
from pathlib import Path
from typing import Annotated

import msgspec

from shared.broker.mqtt import BrokerConfig
from shared.door.doors import Bounds
from shared.mail import SmtpConfig
from shared.running.config import Config, ConfigError, check_database, env, load
from shared.running.syslog import SyslogConfig
from shared.trust import signing
from shared.trust.tls import Identity
from shared.words.languages import DEFAULT, Language


class Listen(Config, frozen=True):
    """Where the internal HTTPS stands, and the server certificate that it shows."""

    port: Annotated[int, env("HOMESYSTEM_AUTH_PORT"), msgspec.Meta(ge=1, le=65535)]
    tls: Identity
    host: str = "127.0.0.1"


class Sessions(Config, frozen=True):
    """How long a sign-in lasts (ASVS 7.1.1, 7.3.1, 7.3.2), and one in a browser that is the person's own.

    Who uses a session from `home_networks`, or from a private address, is at home (docs/alerts.md).
    """

    idle_hours: Annotated[float, msgspec.Meta(gt=0, le=720)] = 12
    absolute_days: Annotated[float, msgspec.Meta(gt=0, le=90)] = 7
    own_idle_days: Annotated[float, msgspec.Meta(gt=0, le=90)] = 60
    own_absolute_days: Annotated[float, msgspec.Meta(gt=0, le=365)] = 365
    home_networks: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] = ()


class PasswordRules(Config, frozen=True):
    """What hashing costs, and which words of this home (its name, its street) no password may be made of."""

    bcrypt_rounds: Annotated[int, msgspec.Meta(ge=10, le=16)] = 12
    home_words: tuple[str, ...] = ()


class AuthConfig(Config, frozen=True):
    """Everything the auth service, and the `homesystem` command on its behalf, needs to know."""

    database: str
    spool: Path
    pepper_file: Path
    listen: Listen
    broker: BrokerConfig
    smtp: SmtpConfig
    signer: Annotated[Path, env("HOMESYSTEM_SIGNER")] = signing.SOCKET
    log: Path | None = None
    syslog: SyslogConfig | None = None
    connections: Bounds = Bounds()
    sessions: Sessions = Sessions()
    passwords: PasswordRules = PasswordRules()
    language: Language = DEFAULT
    """Of letters to whoever chose none."""


def read(path: Path) -> AuthConfig:
    """The settings in `path`, checked. Raises ConfigError."""
    config = load(AuthConfig, path)
    try:
        config.smtp.check()
        check_database(config.database)
    except ConfigError as error:
        raise ConfigError(f"{path}: {error}") from error
    if wrong := [one for one in config.sessions.home_networks if not _is_network(one)]:
        told = ", ".join(f'"{one}"' for one in wrong)
        raise ConfigError(
            f'{path}: sessions.home_networks: {told} is no network; write one like "192.0.2.0/24" or "2001:db8:1::/48"'
        )
    return config


def _is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text)
    except ValueError:
        return False
    return True
