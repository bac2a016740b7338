"""A home whose rooms are on Pis of their own, with signer and auth beside the broker, for tests of its authorities."""

import asyncio
import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from deploy.allowing import rights
from deploy.enrolling import enrol
from deploy.folder import turns
from deploy.folder.home import ROOT, Home
from deploy.live_broker import broker as brokers
from deploy.pki import reading
from shared.trust.authority import fingerprints
from tests import warm
from tests.house import DEADLINE, Broker, come_up
from tests.integration.agent_parts import Room
from tests.integration.signer_parts import Signer

DEVICES = ("lamp", "front-door", "door-contact", "doorbell", "door", "light")
"""Of the demo's hall and garage."""


class Pi:
    """One room's Pi: a folder with its key, its certificate and the authorities that it believes, and its agent."""

    def __init__(self, home: Home, room: str, folder: Path) -> None:
        self.home = home
        self.name = room
        self.folder = folder
        asyncio.run(enrol.add_room(home, room, folder))
        brokers.grant(home, rights.room_role(room, DEVICES))  # as a gateway and auth see to
        self.room = Room(home, room)
        text = self.room.config.read_text().replace(f"{home.var}/pki/{room}.", f"{folder}/room.")
        self.room.config.write_text(text.replace(f"{home.var}/pki/device-ca.crt", f"{folder}/ca.crt"))

    def timer(self) -> str:
        """What the timer runs; what it says."""
        command = ["sh", str(ROOT / "deploy" / "room-renew.sh"), str(self.room.config)]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout

    @property
    def due(self) -> bool:
        """Whether the agent left word that others are to be believed."""
        return (self.folder / "room.crt.due").exists()

    @property
    def serial(self) -> int:
        """Of its certificate."""
        return reading.certificate(self.folder / "room.crt").serial_number

    @property
    def follows(self) -> bool:
        """Whether its certificate is of the authority that signs for rooms now, and it believes what the hub does."""
        signs = reading.certificates(self.home.pki / "device-ca.crt")[0]
        believed = fingerprints(self.folder / "ca.crt")
        return (
            reading.is_signed_by(reading.certificate(self.folder / "room.crt"), signs)
            and believed == fingerprints(self.home.pki / "device-ca.crt")
            and not any(
                (self.folder / f"room.{what}").exists() for what in ("key.next", "key.old", "crt.old", "crt.due")
            )
        )

    def gets_in(self, broker: Broker) -> bool:
        """Whether the broker lets in whoever has its key."""
        return gets_in(broker.port, self.folder, "room")


def gets_in(port: int, folder: Path, stem: str) -> bool:
    """Whether the broker lets in whoever has this pair, and is believed by it."""
    pair = ["--cafile", f"{folder}/ca.crt", "--cert", f"{folder}/{stem}.crt", "--key", f"{folder}/{stem}.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(port), "-q", "1"]
    command = ["mosquitto_pub", *place, *pair, "-t", "x", "-m", "x"]
    return subprocess.run(command, capture_output=True, timeout=DEADLINE, check=False).returncode == 0


@contextlib.contextmanager
def auth_of(home: Home, signer: Signer) -> Iterator[None]:
    """The auth service as a process, which asks this signer."""
    environment = os.environ | {"HOMESYSTEM_SIGNER": str(signer.path)}
    command = [sys.executable, "-m", "auth_service", "--config", str(home.config("auth"))]
    path = home.var / "log" / "auth.console"
    path.unlink(missing_ok=True)
    with path.open("ab") as log:
        process = warm.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
    heard = "the auth service hears what rooms ask for"
    come_up(process, lambda: "Broker reached" in path.read_text(), heard, said=path.read_text)
    try:
        yield
    finally:
        process.terminate()
        process.wait(DEADLINE)


@contextlib.contextmanager
def turn(home: Home) -> Iterator[None]:
    """As the command has it."""
    with turns.turn(home.var, "the test"):
        yield
