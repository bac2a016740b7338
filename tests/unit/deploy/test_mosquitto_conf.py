"""The broker's limits, against the largest of what legally crosses it."""

import re
from pathlib import Path

import msgspec
import pytest

from alert_service.chain.arrivals import MAX_EVENT_BYTES
from auth_service.home.registry import DEVICES_MOST
from deploy.allowing import orders, rights
from deploy.folder.home import ROOT
from device_agents import complaints
from device_agents.config import MOST_DEVICES, DeviceConfig, RoomConfig
from device_agents.room.build import description
from shared.broker.mqtt import BrokerConfig
from shared.proof.together import TOGETHER_BYTES
from shared.trust import tls
from shared.trust.signing import MOST_BYTES, Grant
from shared.words import messages
from shared.words.messages import Description
from shared.words.names import ACTIONS, Kind
from shared.words.room_file import FILE_BYTES, TABLES_BYTES

WIRE = 512
"""Topic, properties and header of one packet, generously: a topic of ours has 140 bytes at the most."""
LONGEST = "r" * 32
WORST = "\x01"
"""A sign that TOML can write and that takes six bytes in JSON; what people write in names takes four at the most."""


def setting(name: str) -> int:
    """A number in mosquitto.conf."""
    (value,) = re.findall(rf"(?m)^{name} (\d+)$", (ROOT / "mosquitto.conf").read_text())
    return int(value)


def worst(number: int, kind: Kind) -> DeviceConfig:
    """One device with every setting of its kind, each as long as it may be."""
    long = 1.7976931348623157e300
    device = DeviceConfig(
        id=f"d{number:02}".ljust(32, "x"),
        name=WORST * 64,
        kind=kind,
        pin=None if kind is Kind.COVER else number,
        pins=(2 * number, 2 * number + 1) if kind is Kind.COVER else None,
        critical=True,
    )
    changes: dict[Kind, dict[str, object]] = {
        Kind.SWITCH: {"max_on": long, "min_off": long, "min_interval": long, "interlock": WORST * 32},
        Kind.DIMMER: {"max_on": long, "min_off": long, "min_interval": long, "interlock": WORST * 32},
        Kind.LOCK: {"relock_after": long},
        Kind.COVER: {"travel_time": long},
        Kind.PULSE: {"travel_time": long, "pulse_ms": 60_000, "min_interval": long, "interlock": WORST * 32},
    }
    link_loss = {Kind.SWITCH: "off", Kind.DIMMER: "off", Kind.LOCK: "unlocked"}
    if kind in link_loss:
        changes[kind] |= {"on_link_loss": link_loss[kind], "link_loss_after": long}
    if kind in ACTIONS:
        changes[kind] |= {"lockout": True}
    return msgspec.structs.replace(device, **changes.get(kind, {}))


def room(devices: tuple[DeviceConfig, ...]) -> RoomConfig:
    files = tls.Identity(ca=Path("ca.crt"), certificate=Path("room.crt"), key=Path("room.key"))
    return RoomConfig(
        room=LONGEST,
        name=WORST * 64,
        broker=BrokerConfig(identity=LONGEST, tls=files, host="h" * 253, port=8883),
        pins="gpiod",
        chip=Path("/dev/gpiochip0"),
        data=Path("data"),
        devices=devices,
    )


def size(config: RoomConfig) -> int:
    said = Description(
        room=config.room,
        name=config.name,
        agent_version="0" * 64,
        devices=tuple(description(config, device) for device in config.devices),
        hub=config.broker.host,
    )
    return len(messages.encode(said)) + WIRE


@pytest.mark.parametrize("kind", [kind for kind in Kind if kind not in (Kind.TEMPERATURE, Kind.HUMIDITY)])
def test_the_largest_legal_description_passes_the_broker(kind: Kind) -> None:
    config = room(tuple(worst(number, kind) for number in range(MOST_DEVICES)))
    assert list(complaints.of(config)) == []
    assert size(config) <= setting("max_packet_size")


def test_the_limit_is_no_larger_than_it_needs_to_be() -> None:
    largest = max(
        size(room(tuple(worst(number, kind) for number in range(MOST_DEVICES)))) for kind in Kind if kind in ACTIONS
    )
    assert setting("max_packet_size") - largest < 4096


def test_the_largest_array_of_events_passes_the_broker() -> None:
    assert max(TOGETHER_BYTES, MAX_EVENT_BYTES) + WIRE <= setting("max_packet_size")


def test_the_largest_word_of_a_rooms_file_passes_the_broker() -> None:
    assert max(FILE_BYTES, TABLES_BYTES) + WIRE <= setting("max_packet_size")


def test_the_largest_room_can_be_given_its_rights() -> None:
    devices = [f"d{number:02}".ljust(32, "x") for number in range(MOST_DEVICES)]
    role = rights.room_role(LONGEST, devices)
    plan = orders.grant(role)(orders.Standing(LONGEST, rights.room_role(LONGEST), (LONGEST,)))
    for some in orders.in_messages(plan):
        assert len(msgspec.json.encode({"commands": some})) + WIRE <= setting("max_packet_size")
    order = Grant(name=LONGEST, role="room", may=tuple((LONGEST, device) for device in devices))
    assert len(msgspec.json.encode(order)) < MOST_BYTES


def test_what_one_room_can_fill_is_a_part_of_a_small_hubs_memory() -> None:
    """Of each device a state, an acknowledgement and an event, retained, former devices included; and what waits."""
    one_room = (3 * DEVICES_MOST + 4) * setting("max_packet_size") + setting("max_queued_bytes")
    assert one_room < 96 * 1024 * 1024
