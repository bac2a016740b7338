"""What the three bare processes of the floor have in common: their names, their topics, their words on the wire."""

from pathlib import Path

import msgspec

from shared.broker.mqtt import BrokerConfig
from shared.trust import tls

GATEWAY, ROOM, RECORDER = "bench-gateway", "bench-room", "bench-recorder"
WISHES, STATES, ANSWERS, EVENTS, RECEIPTS = "bench/set", "bench/state", "bench/ack", "bench/audit", "bench/receipt"
SPOOL = "bare-gateway.sqlite3"


class Wish(msgspec.Struct):
    """A command, gateway to room."""

    id: str
    action: str


class Answer(msgspec.Struct):
    """The room's word on it, room to gateway and gateway to client."""

    id: str
    outcome: str


class Event(msgspec.Struct):
    """What is recorded of it, gateway to recorder."""

    id: str
    what: str
    where: str
    user: str
    command_id: str
    outcome: str


def broker(folder: Path, name: str, port: int) -> BrokerConfig:
    """The way to the broker for one of the three, whose certificates lie in `folder`."""
    identity = tls.Identity(ca=folder / "device-ca.crt", certificate=folder / f"{name}.crt", key=folder / f"{name}.key")
    return BrokerConfig(identity=name, tls=identity, host="localhost", port=port)
