"""Opens windows from the hub for machines that come by themselves; what these had before is refused at once."""

import asyncio
import hashlib
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from auth_service import config as auth_config
from auth_service.hub import windows
from auth_service.joining.windows import Opened
from deploy.folder import home as homes
from deploy.live_broker import broker, taking_up
from shared.running.config import ConfigError
from shared.trust import authority, tls
from shared.words.internal_joining import Kind, role_of

DeviceRef = tuple[str, str]


class Opening(NamedTuple):
    """A window: for whom, where the hub is, the hash of that by which it is believed, the secret, and its end."""

    name: str
    host: str
    port: int
    sha256: str
    token: str
    until: datetime

    @property
    def minutes(self) -> int:
        """How long it is good yet."""
        return round((self.until - datetime.now(UTC)).total_seconds() / 60)


def new(home: homes.Home, name: str, kind: Kind, may: list[DeviceRef]) -> Opening:
    """For a new room, or a client that may command and hear these devices.

    Raises HomeError: invalid-value, already-exists, not-found (a room of `may`), unknown-device, no-proof,
    broker-unreachable; ConfigError.
    """
    devices = tuple(dict.fromkeys("/".join(device) for device in may))

    async def ask(*, unfinished: bool) -> Opened:
        async with windows.opened(auth_config.read(home.config("auth"))) as book:
            return await book.open(name, kind, devices, unfinished=unfinished)

    with homes.turn(home.var, f"homesystem {role_of(kind)} add {name}") as home:
        where = _where(home)
        # Who has nothing at the broker never came in: a name that an interrupted enrolment left is free for this.
        opened = asyncio.run(ask(unfinished=not broker.standing(home, name).holds))
        if opened.resumes:
            # A key of that enrolment may lie anywhere, and is worth nothing from now on.
            home.authority().retire(name)
            taking_up.reload(home)
    return Opening(name, *where, opened.token, opened.expires_at)


def again(home: homes.Home, name: str, kind: Kind) -> Opening:
    """For a room or client that there is, on another machine. What it has had is refused from now on.

    May be repeated, as after an interruption. Raises HomeError: not-found, no-proof, what signer and broker say;
    ConfigError.
    """

    async def ask() -> Opened:
        async with windows.opened(auth_config.read(home.config("auth"))) as book:
            return await book.open_again(name, kind)

    with homes.turn(home.var, f"homesystem {role_of(kind)} renew {name}") as home:
        where = _where(home)
        opened = asyncio.run(ask())
        home.authority().retire(name)
        taking_up.reload(home)
        broker.drop(home, [name])
    return Opening(name, *where, opened.token, opened.expires_at)


def _where(home: homes.Home) -> tuple[str, int, str]:
    certificate = homes.own_certificate(home) or home.pki / "web.crt"
    sha256 = hashlib.sha256(authority.anchor(certificate)).hexdigest()
    return _host(home, certificate), home.settings.https_port, sha256


def _host(home: homes.Home, certificate: Path) -> str:
    """The name under which the hub is reached; of a certificate of the household's own that is for another, that."""
    host = tls.host_of(certificate, [home.settings.name])
    if host is None:
        raise ConfigError(f"{certificate}: names no host, so that no line can say where the hub is; use --out")
    return host
