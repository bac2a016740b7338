"""What the signer is told when it is started: its folder, its socket, who may ask, and where the broker is."""

import pwd
from pathlib import Path

import msgspec

from deploy.pki.signers import PORT_FILE
from shared.broker.mqtt import BrokerConfig
from shared.running import installed
from shared.running.config import ConfigError
from shared.trust.tls import Identity

IDENTITY = "signer"
USUAL_PORT = 8883
NOBODY = 65534
"""Whom the kernel names where it does not know a caller's user: in a user namespace, say."""


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """`state` is the signer's alone (0700). `users` may ask besides root and the signer's own user."""

    state: Path
    socket: Path
    users: frozenset[int]
    demo: bool = False
    log: Path | None = None
    broker_host: str = "127.0.0.1"

    @property
    def vault(self) -> Path:
        """The authorities' keys, and what they signed."""
        return self.state / "vault"

    @property
    def spool(self) -> Path:
        """Its audit events, until they are receipted."""
        return self.state / "spool.sqlite3"

    @property
    def identity(self) -> Identity:
        """Its own pair."""
        certificate, key = self.state / f"{IDENTITY}.crt", self.state / f"{IDENTITY}.key"
        return Identity(ca=self.state / "device-ca.crt", certificate=certificate, key=key)

    @property
    def port_file(self) -> Path:
        """Where the broker was last said to listen."""
        return self.state / PORT_FILE

    def port(self) -> int:
        """The broker's port on this machine, as the home last said."""
        try:
            return int(self.port_file.read_text())
        except (OSError, ValueError):
            return USUAL_PORT

    def broker(self) -> BrokerConfig:
        """On this machine, whatever the broker listens on besides, or in a container beside ours."""
        return BrokerConfig(identity=IDENTITY, tls=self.identity, host=self.broker_host, port=self.port())


def user_id(name: str) -> int:
    """A user's number. Raises ConfigError where there is no such user."""
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        raise ConfigError(
            f"--for {name}: there is no such user here; the home's is made by: {installed.again('hub')}"
        ) from None
