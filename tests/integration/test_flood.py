"""A room in a stranger's hand that fills the broker: its rights do not let it."""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy import broker as brokers
from deploy import home as homes
from deploy import rights
from shared import mqtt, topics
from tests import brokers as releases
from tests.house import DEADLINE, Broker, make_home, share_pki
from tests.integration.mqtt_parts import Client


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
    homes.write_rights(home, [*map(rights.hub_role, rights.HUB_CLIENTS), *rooms])
    made.start()
    yield made
    made.stop()


def test_a_new_room_introduces_itself_and_invents_nothing(broker: Broker) -> None:
    hall = Client(broker, "hall")
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
    kitchen = Client(broker, "kitchen")
    for device, allowed in (("lamp", True), ("kettle", True), ("blind", False)):
        kitchen.publish(topics.state("kitchen", device), b"x", retain=True)
        assert (kitchen.pubacks.get(timeout=DEADLINE) < mqtt.NOT_AUTHORIZED) is allowed
    kitchen.close()
