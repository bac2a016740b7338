"""What docs/compatibility.md says that each Mosquitto does: a version that does otherwise is told of here first."""

from collections.abc import Callable, Iterator

import pytest
from paho.mqtt.enums import MQTTProtocolVersion

from shared.broker import mqtt
from shared.words import topics
from tests.house import DEADLINE, Broker
from tests.integration.mqtt_parts import V5, V311, Client, version_of

TAKEN_OVER, CUT_OFF, TOO_LARGE, QOS_NOT_SUPPORTED = 142, 128, 149, 155
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


@pytest.mark.parametrize("version", [V5, V311])
def test_quality_of_service_2_ends_its_sender_alone(connect: Connect, version: MQTTProtocolVersion) -> None:
    sender, other = connect("phone", version), connect("tablet")
    assert other.properties is not None
    assert other.properties.MaximumQoS == 1  # type: ignore[attr-defined]  # set by the library by name
    sender.publish(topics.command("hall", "lamp", "phone"), b"{}", qos=2)
    assert sender.ends.get(timeout=DEADLINE) in ({QOS_NOT_SUPPORTED, CUT_OFF} if version is V5 else {CUT_OFF})
    assert sender.pubacks.empty()
    other.publish(topics.command("hall", "lamp", "tablet"), b"{}")
    assert other.pubacks.get(timeout=DEADLINE) == mqtt.NOT_AUTHORIZED


def test_a_client_of_mqtt_3_is_not_told_that_it_may_not(connect: Connect) -> None:
    newer, older = connect("tablet"), connect("phone", V311)
    newer.publish(topics.command("hall", "lamp", "tablet"), b"{}")
    assert newer.pubacks.get(timeout=DEADLINE) == mqtt.NOT_AUTHORIZED
    older.publish(topics.command("kitchen", "lamp", "phone"), b"{}")
    assert older.pubacks.get(timeout=DEADLINE) == 0
    assert older.ends.empty()
