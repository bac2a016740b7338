"""A room in a stranger's hand that fills the broker: its rights do not let it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.allowing import rights
from deploy.folder import home as homes
from deploy.live_broker import broker as brokers
from shared.broker import mqtt
from shared.words import topics
from tests import brokers as releases
from tests.house import DEADLINE, Broker, make_home, share_pki
from tests.integration import mqtt_parts
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room

DESCRIBED = topics.description("garage")


@pytest.fixture(scope="module", params=[releases.INSTALLED, *releases.SUITES])
def broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, pki: Path) -> Iterator[Broker]:
    """On each Mosquitto, with a new room, and one that has its devices."""
    release = releases.find(request.param)
    if release is None:
        pytest.skip(f"Mosquitto of {request.param} is not here: python -m tests.brokers {request.param}")
    home = make_home(tmp_path_factory.mktemp(request.param))
    share_pki(home, pki)
    made = Broker(home, release)
    rooms = [rights.room_role("hall"), rights.room_role("kitchen", ["lamp"])]
    rooms.append(rights.room_role("garage"))
    homes.write_rights(home, [*map(rights.hub_role, rights.HUB_CLIENTS), *rooms])
    made.start()
    yield made
    made.stop()


def test_a_new_room_introduces_itself_and_invents_nothing(broker: Broker) -> None:
    hall = mqtt_parts.Client(broker, "hall")
    hall.publish(topics.description("hall"), b"{}", retain=True)
    assert hall.pubacks.get(timeout=DEADLINE) < mqtt.NOT_AUTHORIZED
    for number, build in itertools.product(range(100), (topics.state, topics.acknowledgement, topics.event)):
        hall.publish(build("hall", f"invented-{number}"), b"x", retain=True)
    assert {hall.pubacks.get(timeout=DEADLINE) for _ in range(300)} == {mqtt.NOT_AUTHORIZED}
    hall.close()
    with brokers.as_admin(broker.home) as admin:
        assert admin.retained_of("hall") == {topics.description("hall")}


def test_a_room_that_is_given_its_devices_speaks_of_them_without_a_hand(broker: Broker) -> None:
    brokers.grant(broker.home, rights.room_role("kitchen", ["lamp", "kettle"]))
    kitchen = mqtt_parts.Client(broker, "kitchen")
    for device, allowed in (("lamp", True), ("kettle", True), ("blind", False)):
        kitchen.publish(topics.state("kitchen", device), b"x", retain=True)
        assert (kitchen.pubacks.get(timeout=DEADLINE) < mqtt.NOT_AUTHORIZED) is allowed
    kitchen.close()


def test_a_fresh_rooms_agent_is_heard_as_soon_as_its_devices_are_known(broker: Broker) -> None:
    """Whether the change of its rights ends its connection, as with Mosquitto 2.1, or not."""
    room = Room(broker.home, "garage")
    with Client(broker, "gateway", *GATEWAY_HEARS) as gateway:
        try:
            room.start()
            gateway.wait_for("it introduces itself", lambda said: said if said.topic == DESCRIBED else None)
            assert not [
                said for said in gateway.said if said.topic.startswith("home/garage/") and "/state" in said.topic
            ]
            brokers.grant(broker.home, rights.room_role("garage", ["door", "door-contact", "light"]))
            gateway.state("light", "off", room="garage")
            gateway.state("door-contact", "closed", room="garage")
            gateway.heartbeat()
            assert gateway.command("light", "on", room="garage") == ("executed", None)
        finally:
            room.stop()
