"""What `homesystem init` was told, as `home.toml` keeps it.

Ports may be overridden by the environment, so that two homes can run on one machine.
"""

import re
from typing import Annotated

import msgspec

from shared.door.listening import Hosts, addresses
from shared.running.config import Config, env
from shared.words.languages import DEFAULT, Language

HERE = "127.0.0.1"
"""Where the hub's own commands find the broker and the services, unless these live apart (`Home.called`): every home
listens there (`Settings.listens_on`)."""
LOCAL = ("localhost", "127.0.0.1", "::1")
Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]


class Settings(Config, frozen=True):
    """What distinguishes one home from another."""

    demo: bool = False
    name: str = "localhost"
    former_names: tuple[str, ...] = ()
    """Those under which browsers may still reach the hub, the last one first; `homesystem rename` keeps them."""
    former_broker_names: tuple[str, ...] = ()
    """Those under which rooms may still reach the broker."""
    host: Hosts = "127.0.0.1"
    timezone: str = "UTC"
    language: Language = DEFAULT
    smtp_host: str = "127.0.0.1"
    smtp_sender: str = "Home System <home@localhost>"
    smtp_security: str = "none"
    smtp_user: str | None = None
    database: str | None = None
    """Where databases lie, if not in files here: a PostgreSQL's address, with `{name}` for auth, alerts or readings."""
    https_port: Annotated[Port, env("HOMESYSTEM_HTTPS_PORT")] = 8443
    mqtt_port: Annotated[Port, env("HOMESYSTEM_MQTT_PORT")] = 8883
    smtp_port: Annotated[Port, env("HOMESYSTEM_SMTP_PORT")] = 8025
    auth_port: Annotated[Port, env("HOMESYSTEM_AUTH_PORT")] = 8444
    alerts_port: Annotated[Port, env("HOMESYSTEM_ALERTS_PORT")] = 8445
    readings_port: Annotated[Port, env("HOMESYSTEM_READINGS_PORT")] = 8446

    @property
    def hosts(self) -> list[str]:
        """Every name and address that certificates of the broker and of the services are good for."""
        return list(dict.fromkeys([self.name, *self.former_broker_names, *LOCAL]))

    @property
    def web_hosts(self) -> list[str]:
        """Those that the certificate which browsers see is good for; each former name has one of its own."""
        return list(dict.fromkeys([self.name, *LOCAL]))

    @property
    def listens_on(self) -> tuple[str, ...]:
        """The addresses of HTTPS and broker; this machine's own is always among them, since the hub uses that."""
        given = (self.host,) if isinstance(self.host, str) else self.host
        every = addresses(self.host)
        reaches_itself = not {"127.0.0.1", "0.0.0.0", "localhost"}.isdisjoint(every)  # noqa: S104 - looked for only
        return given if reaches_itself else ("127.0.0.1", *given)

    @property
    def greeting(self) -> str | None:
        """The hub's name where it is a full one, for mail servers; an address or a bare name is none."""
        return self.name if re.fullmatch(r"[\w.-]+\.[a-z][\w-]*", self.name) else None

    @property
    def ports(self) -> dict[str, int]:
        """The variable that moves each port on which the home itself listens, and the port.

        Its own mailbox is a demo's; elsewhere `smtp_port` is of the household's mail server.
        """
        mailbox = {"HOMESYSTEM_SMTP_PORT": self.smtp_port} if self.demo else {}
        return mailbox | {
            "HOMESYSTEM_HTTPS_PORT": self.https_port,
            "HOMESYSTEM_MQTT_PORT": self.mqtt_port,
            "HOMESYSTEM_AUTH_PORT": self.auth_port,
            "HOMESYSTEM_ALERTS_PORT": self.alerts_port,
            "HOMESYSTEM_READINGS_PORT": self.readings_port,
        }
