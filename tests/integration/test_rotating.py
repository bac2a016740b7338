"""Another device authority follows, on a real broker, with signer, auth and agents: rooms go over, and who slept is cut
off and comes back under its name.
"""

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.authority import rotating
from deploy.enrolling import enrol
from deploy.live_broker import broker as brokers
from deploy.pki import reading, served
from shared.words import topics
from shared.words.names import Severity
from shared.words.problem import HomeError
from tests.begun import whole_home
from tests.house import DEADLINE, Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client
from tests.integration.rotating_parts import Pi, auth_of, gets_in, turn
from tests.integration.signer_parts import Signer, connected

ASKED_AGAIN = 3 * DEADLINE
"""Seconds: a request that nobody heard, since just then somebody had no broker, is sent again a minute later."""


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Broker]:
    made = Broker(whole_home(tmp_path / "home"))
    made.start()
    yield made
    made.stop()


@pytest.fixture
def signer(broker: Broker) -> Iterator[Signer]:
    made = Signer(broker.home)
    made.start()
    until(lambda: connected(made), "the signer has reached the broker")
    yield made
    made.stop()


def shown_by(broker: Broker) -> served.Served:
    return served.look("127.0.0.1", broker.port, broker.identity("admin"))


@contextlib.contextmanager
def connected_by(broker: Broker, folder: Path) -> "Iterator[subprocess.Popen[str]]":
    """Whoever has a room's pair, with a connection that stands."""
    pair = ["--cafile", f"{folder}/ca.crt", "--cert", f"{folder}/room.crt", "--key", f"{folder}/room.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port)]
    command = ["stdbuf", "-oL", "mosquitto_sub", *place, *pair, "-t", topics.commands_for("hall"), "-d"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as one:
        try:
            assert one.stdout is not None
            next(line for line in one.stdout if "SUBACK" in line)
            yield one
        finally:
            one.kill()


def left(broker: Broker) -> list[str]:
    return [one.name for one in rotating.look(broker.home).behind]


def test_rooms_follow_and_who_slept_is_cut_off_and_comes_back_under_its_name(
    broker: Broker, signer: Signer, tmp_path: Path
) -> None:
    home = broker.home
    hall, garage = (Pi(home, room, tmp_path / room) for room in ("hall", "garage"))
    asyncio.run(enrol.add_client(home, "tablet", [("hall", "lamp")], tmp_path / "tablet"))
    former = reading.certificate(home.pki / "device-ca.crt")
    shutil.copytree(hall.folder, tmp_path / "copy")  # somebody else's, of what the former authority signed
    try:
        with auth_of(home, signer), Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
            hall.room.online(gateway)
            gateway.heartbeat()
            assert gateway.command("lamp", "on") == ("executed", None)
            with turn(home):
                assert rotating.begin(home)
                assert not rotating.begin(home)
            assert reading.certificates(home.pki / "device-ca.crt")[1] == former
            # Everybody's former certificate goes on, and the broker's own is still of the former.
            assert all(
                (hall.gets_in(broker), garage.gets_in(broker), gets_in(broker.port, tmp_path / "tablet", "client"))
            )
            assert left(broker) == ["garage", "hall", "tablet"]

            until(lambda: hall.due, "the hall has heard of it")
            assert "waits" in hall.timer()
            before = hall.serial
            until(lambda: hall.follows, "the hall has followed", seconds=ASKED_AGAIN)
            gateway.heartbeat()
            assert gateway.command("lamp", "off") == ("executed", None)
            assert hall.serial != before
            until(lambda: left(broker) == ["garage", "tablet"], "the hub knows that the hall has followed")

            asyncio.run(enrol.renew(home, "tablet", "client", tmp_path / "tablet-2"))
            assert left(broker) == ["garage"]
            with turn(home):
                assert not rotating.go_on(home)
                with pytest.raises(HomeError, match=r"garage would be cut off.*--finish --without garage"):
                    rotating.end(home)
            assert garage.gets_in(broker)

            # The garage wakes too late: somebody else has its connection, and is dropped.
            garage.room.online(gateway)
            garage.room.stop()
            hall.room.stop()  # or its own connection would take the place of the copy's
            with turn(home), connected_by(broker, tmp_path / "copy") as whoever_has_it:
                assert [one.name for one in rotating.end(home, without=["garage"])] == ["garage"]
                whoever_has_it.wait(DEADLINE)  # though the hall itself has followed
            hall.room.online(gateway)
            assert reading.certificates(home.pki / "device-ca.crt") == [
                reading.certificate(home.vault / "device-ca.crt")
            ]
            assert shown_by(broker).is_of(home.pki / "broker.crt")
            assert not garage.gets_in(broker)
            assert not gets_in(broker.port, tmp_path / "tablet", "client")
            assert gets_in(broker.port, tmp_path / "tablet-2", "client")
            gateway.heartbeat()
            assert gateway.command("lamp", "on") == ("executed", None)
            hall.room.stop()
            hall.room.online(gateway)

            # What it still believes of the former goes at its next renewal, before its time.
            until(lambda: hall.due, "the hall has heard that the former has ended")
            hall.timer()
            hall.room.stop()
            hall.room.online(gateway)
            until(lambda: hall.follows, "the hall believes the one alone", seconds=ASKED_AGAIN)

            asyncio.run(enrol.renew(home, "garage", "room", tmp_path / "garage-2"))
            for path in (tmp_path / "garage-2").iterdir():
                (garage.folder / path.name).write_bytes(path.read_bytes())
            garage.room.online(gateway)
            gateway.heartbeat()
            assert gateway.command("light", "on", room="garage") == ("executed", None)
        told = [event.what for event in signer.told() if event.severity is Severity.CRITICAL]
        assert [what for what in told if what.startswith("home:")] == [
            "home:authority-followed",
            "home:authority-ended",
        ]
    finally:
        hall.room.stop()
        garage.room.stop()


def test_whoever_is_still_connected_with_what_has_ended_is_dropped_and_refused(
    broker: Broker, signer: Signer, tmp_path: Path
) -> None:
    home = broker.home
    pi = Pi(home, "hall", tmp_path / "hall")
    try:
        with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
            pi.room.online(gateway)
            with turn(home):
                rotating.begin(home)
                rotating.end(home, without=["hall"])
            pi.room.complained("Broker cannot be reached")
            until(lambda: not pi.gets_in(broker), "it is refused")
            standing = brokers.standing(home, "hall")
            assert standing.admitted  # for the day on which it comes back
            assert standing.connections == 0
    finally:
        pi.room.stop()


def test_a_room_can_bring_no_authority_to_another(broker: Broker, tmp_path: Path) -> None:
    """A stolen Pi has its own rights: neither to answer others, nor to say which authorities are believed."""
    thief = Pi(broker.home, "garage", tmp_path / "garage")
    for topic in (topics.certificate("hall"), topics.certificate("garage"), topics.AUTHORITIES):
        said = say(broker, thief.folder, topic)
        assert "Not authorized" in said.stderr, topic
    assert "Not authorized" not in say(broker, thief.folder, topics.csr("garage")).stderr


def say(broker: Broker, folder: Path, topic: str) -> subprocess.CompletedProcess[str]:
    """Publish as the room whose pair lies in `folder`."""
    pair = ["--cafile", f"{folder}/ca.crt", "--cert", f"{folder}/room.crt", "--key", f"{folder}/room.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), "-q", "1"]
    command = ["mosquitto_pub", *place, *pair, "-t", topic, "-m", "x"]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)
