"""What docs/compatibility.md says that each Mosquitto does: a version that does otherwise is told of here first."""

import contextlib
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from deploy import orders, rights, signers
from deploy.control import Control
from shared import mqtt, tls, topics
from shared.problem import HomeError
from tests.house import DEADLINE, Broker, make_home, share_pki
from tests.integration.mqtt_parts import V5, V311, Client

TAKEN_OVER, CUT_OFF, TOO_LARGE = 142, 128, 149
"""Reason codes of MQTT 5; the library's own for a connection that ends without a word is 128."""


Connect = Callable[..., Client]


@pytest.fixture
def connect(each_broker: Broker) -> Iterator[Connect]:
    made: list[Client] = []

    def one(who: str, version: MQTTProtocolVersion = V5) -> Client:
        made.append(Client(each_broker, who, version))
        return made[-1]

    yield one
    for client in made:
        client.close()


def version_of(broker: Broker) -> tuple[int, ...]:
    """As the program says it: `mosquitto version 2.0.11`."""
    said = subprocess.run([*broker.command, "-h"], capture_output=True, text=True, check=False).stdout
    return tuple(int(part) for part in said.split()[2].split("."))


def test_of_two_connections_of_one_identity_the_newer_lives(each_broker: Broker, connect: Connect) -> None:
    first = connect("phone")
    second = connect("phone")
    told = first.ends.get(timeout=DEADLINE)
    # 2.0.11 says nothing and closes; from 2.0.21 on it says why.
    assert (told == TAKEN_OVER) is (version_of(each_broker) > (2, 0, 11))
    second.publish(topics.command("hall", "lamp", "phone"), b"{}")
    assert second.pubacks.get(timeout=DEADLINE) == mqtt.NO_MATCHING_SUBSCRIBERS


def test_a_message_that_is_too_large_ends_its_sender_alone(connect: Connect) -> None:
    sender, other = connect("phone"), connect("tablet")
    assert sender.properties is not None
    assert sender.properties.MaximumPacketSize == 65536  # type: ignore[attr-defined]  # set by the library by name
    # The library keeps to what it was told; another one might not.
    sender._client._maximum_packet_size = 0  # type: ignore[attr-defined]
    sender.publish(topics.command("hall", "lamp", "phone"), bytes(70_000))
    # Why is said, and heard unless the reset that follows is quicker: more than was read is still on its way.
    assert sender.ends.get(timeout=DEADLINE) in {TOO_LARGE, CUT_OFF}
    other.publish(topics.command("hall", "lamp", "tablet"), b"{}")
    assert other.pubacks.get(timeout=DEADLINE) == mqtt.NOT_AUTHORIZED


def test_a_client_of_mqtt_3_is_not_told_that_it_may_not(connect: Connect) -> None:
    newer, older = connect("tablet"), connect("phone", V311)
    newer.publish(topics.command("hall", "lamp", "tablet"), b"{}")
    assert newer.pubacks.get(timeout=DEADLINE) == mqtt.NOT_AUTHORIZED
    older.publish(topics.command("kitchen", "lamp", "phone"), b"{}")
    assert older.pubacks.get(timeout=DEADLINE) == 0
    assert older.ends.empty()


def test_a_limit_of_memory_beside_dynamic_security_is_of_use_from_2_1_on(each_broker: Broker, tmp_path: Path) -> None:
    """Why mosquitto.conf has none: Mosquitto 2.0 counts less with each order, until the count runs below zero."""
    home = make_home(tmp_path)
    share_pki(home, each_broker.home.pki)
    broker = Broker(home, each_broker.release)
    conf = home.var / "mosquitto.conf"
    conf.write_text("memory_limit 268435456\n" + conf.read_text())
    broker.start()
    signer = signers.state(home.var)
    files = tls.Identity(ca=home.pki / "device-ca.crt", certificate=signer / "signer.crt", key=signer / "signer.key")
    reached = mqtt.BrokerConfig(identity="signer", tls=files, host="127.0.0.1", port=broker.port)
    given = 0
    try:
        with contextlib.suppress(HomeError), Control(reached, patience=1.0) as control:
            for number in range(100):
                plan = orders.grant(rights.client_role("tablet", [("hall", f"lamp-{number}")]))
                control.settle("tablet", plan, done=lambda _standing: True)
                given += 1
        assert (given == 100) is (version_of(broker) >= (2, 1))
        assert ("out of memory" in broker.log.lower()) is (version_of(broker) < (2, 1))
    finally:
        broker.kill()
