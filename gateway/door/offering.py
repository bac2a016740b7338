"""What a machine that is no room or client yet gets from its hub: whom to believe, the agent's package, where to go."""

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final, TypedDict

import msgspec
from aiohttp import web

from gateway.config import GatewayConfig
from shared.running import offered
from shared.trust import authority, tls
from shared.words import join_line
from shared.words.problem import HomeError


class Broker(msgspec.Struct, frozen=True, kw_only=True):
    """How a room reaches the broker; the name is one that its certificate has."""

    host: str
    port: int


class Where(TypedDict):
    """Where the hub is, as a line says it, and the hash of that by which it is believed."""

    host: str
    port: int
    sha256: str


class Offer:
    """Read anew each time, since certificates are renewed and packages brought. Its methods block for the disk."""

    def __init__(self, config: GatewayConfig) -> None:
        self._certificate = config.https.certificate
        self._https_port, self._names = config.https.port, config.https.names
        self._packages = config.packages
        # As the broker's own certificate calls it: of several names of the hub, the one that rooms go by.
        self._broker_certificate = config.broker.tls.ca.with_name("broker.crt")
        self._device_authority = config.broker.tls.ca
        self._port = config.broker.port

    def anchor(self) -> bytes:
        """By what our HTTPS is verified, PEM. Raises ConfigError."""
        return authority.anchor(self._certificate)

    def device_authority(self) -> bytes:
        """By what the broker is verified, PEM. Raises ConfigError."""
        return b"".join(pem.encode() for pem in authority.pems(self._device_authority.read_text(encoding="ascii")))

    def line(self, room: str, token: str) -> str:
        """What is pasted on the Pi of `room`. Raises ConfigError, HomeError("internal")."""
        return join_line.line(**self.where(), name=room, token=token)

    def client_line(self, client: str, token: str) -> str:
        """What is pasted on the machine of `client`. Raises as `line` does."""
        return join_line.client_line(**self.where(), name=client, token=token)

    def where(self) -> Where:
        """How a machine reaches this hub, and believes it. Raises ConfigError, HomeError("internal")."""
        host = tls.host_of(self._certificate, (*self._names, *self._hub()))
        if host is None:
            raise HomeError(
                "internal",
                "The hub's certificate names no host, so no line can say where it is: in gateway.toml, add its name to "
                "names under [https], and restart the gateway.",
            )
        sha256 = hashlib.sha256(self.anchor()).hexdigest()
        return Where(host=host, port=self._https_port, sha256=sha256)

    def _hub(self) -> Iterator[str]:
        """The hub's own name, which the broker's certificate has first."""
        if (name := tls.first_name(self._broker_certificate)) is not None:
            yield name

    def packages(self) -> list[str]:
        """For which Pis there is a package, in words."""
        return offered.targets(self._packages)

    def package(self, release: str, architecture: str) -> Path | None:
        """The agent's package for a Debian and a processor, if there is one."""
        return offered.find(self._packages, release, architecture)

    def broker(self) -> Broker:
        """Where rooms find the broker. Raises HomeError("internal"), ConfigError."""
        host = tls.first_name(self._broker_certificate)
        if host is None:
            raise HomeError("internal", "The broker's certificate names no host; `homesystem renew` makes another one.")
        return Broker(host=host, port=self._port)


OFFER: Final = web.AppKey("offer", Offer)
