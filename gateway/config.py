"""The gateway's configuration: gateway.toml, and what the environment may override in it."""

from pathlib import Path
from typing import Annotated
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec

from shared.broker.mqtt import BrokerConfig
from shared.door.client import AlertsAddress, AuthAddress, ReadingsAddress
from shared.door.doors import Bounds
from shared.door.listening import Hosts, addresses, is_loopback
from shared.running import offered
from shared.running.config import Config, ConfigError, env, load
from shared.running.syslog import SyslogConfig
from shared.words.languages import DEFAULT, Language

Rate = Annotated[str, msgspec.Meta(min_length=3)]
"""One or more limits, such as "200/day;50/hour" or "10/10 minute"; all of them hold."""


class HttpsConfig(Config, frozen=True):
    """Where browsers reach us. With the port, the certificates' names and `names` besides make our own origins.

    `origins` are those under which a proxy offers us, and `trusted_proxies` the addresses and networks it calls from.
    """

    certificate: Path
    key: Path
    names: tuple[str, ...] = ()
    passkey_name: str = ""
    """Of which name passkeys are; left out: the first of the certificate's."""
    host: Hosts = "127.0.0.1"
    port: Annotated[int, env("HOMESYSTEM_HTTPS_PORT"), msgspec.Meta(ge=1, le=65535)] = 8443
    origins: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()

    @property
    def own_origins(self) -> frozenset[str]:
        """The origins that the configuration names, as browsers write them; gateway.door.origins knows all."""
        return frozenset((*map(self.origin, self.names), *self.origins))

    def origin(self, name: str) -> str:
        """The origin of a host name of ours."""
        return f"https://{name}" if self.port == 443 else f"https://{name}:{self.port}"


class LimitsConfig(Config, frozen=True):
    """How often; each name says for what and, behind it, per what. docs/api.md says what is refused."""

    default: Rate = "200/day;50/hour"
    login_code: Rate = "10/10 minute"
    login_code_account: Rate = "5/10 minute"
    wrong_passwords: Rate = "50/hour"
    login: Rate = "20/10 minute"
    commands: Rate = "120/minute"
    commands_device: Rate = "20/second"
    lockdown_code: Rate = "5/10 minute"
    lockdown: Rate = "20/10 minute"
    password: Rate = "20/10 minute"  # noqa: S105 - how often one may try to change it
    invitation: Rate = "20/10 minute"
    join: Rate = "20/10 minute"
    arranging: Rate = "60/minute"
    pages: Rate = "120/minute"
    reads: Rate = "300/minute"
    streams: Rate = "60/minute"
    exports: Rate = "20/hour"


class CountsConfig(Config, frozen=True):
    """Where several gateways of one home count together: `redis` such as "redis://:password@host:6379/0".

    "rediss://" is the same over TLS. Without it each counts for itself, in memory.
    """

    redis: str = ""


class CorsConfig(Config, frozen=True):
    """Exact origins of others whose scripts may call the API, never with cookies."""

    origins: tuple[str, ...] = ()


class GatewayConfig(Config, frozen=True):
    """All of gateway.toml."""

    https: HttpsConfig
    broker: BrokerConfig
    auth: AuthAddress
    alerts: AlertsAddress
    cookie_key_file: Path
    spool: Path
    log_dir: Path | None = None
    timezone: str = "UTC"
    language: Language = DEFAULT
    closed: Path = Path("/var/lib/homesystem.closed")
    """While this file is there, an upgrade of this home is being tried, and nobody changes anything."""
    demo: bool = False
    expose_demo: bool = False
    limits: LimitsConfig = LimitsConfig()
    connections: Bounds = Bounds()
    counts: CountsConfig = CountsConfig()
    cors: CorsConfig = CorsConfig()
    readings: ReadingsAddress = ReadingsAddress()
    syslog: SyslogConfig | None = None

    @property
    def packages(self) -> tuple[Path, ...]:
        """Where packages of the agent may lie that we offer to rooms."""
        return offered.folders(self.spool.parent.parent)

    @property
    def zone(self) -> ZoneInfo:
        """The household's time zone."""
        return ZoneInfo(self.timezone)


def load_config(path: Path) -> GatewayConfig:
    """Read and check the file. Raises ConfigError."""
    config = load(GatewayConfig, path)
    try:
        _ = config.zone
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ConfigError(f'{path}: timezone: {config.timezone!r} is unknown; write it like "Europe/Berlin"') from error
    reached = [host for host in addresses(config.https.host) if not is_loopback(host)]
    if config.demo and not config.expose_demo and reached:
        raise ConfigError(
            f"{path}: https.host: a demo home has published keys and must not be reached from {', '.join(reached)}; "
            "use 127.0.0.1, or set expose_demo = true if you know why"
        )
    if config.counts.redis and not config.counts.redis.startswith(("redis://", "rediss://")):
        raise ConfigError(f'{path}: counts.redis: write it like "redis://127.0.0.1:6379/0"')
    for origin in (*config.cors.origins, *config.https.origins):
        if not origin.startswith("https://") or origin.count("/") != 2 or "*" in origin:
            raise ConfigError(f"{path}: origins: {origin!r} must be an exact origin such as https://panel.example.org")
        written = origin.lower().removesuffix(":443")
        if origin != written:  # or it would never fit, and every change be refused
            raise ConfigError(f"{path}: origins: browsers write {origin!r} as {written!r}; write it like that")
    return config
