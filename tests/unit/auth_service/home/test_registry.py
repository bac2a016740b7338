"""The registry only ever becomes stricter, whatever a room says and in whatever order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.home import registry
from shared.words.internal import RegisteredDevice, RegisteredRoom, RoomSeen
from shared.words.messages import DeviceDescription
from shared.words.names import Kind
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import described

EMPTY = RegisteredRoom(id="hall", name="Hall", devices=())


def seen(*devices: DeviceDescription, name: str = "Hall") -> RoomSeen:
    """A room's description as a gateway tells it."""
    return RoomSeen(name=name, devices=devices)


descriptions = st.builds(
    lambda devices: seen(*devices),
    st.lists(
        st.builds(
            lambda device, kind, critical, confirm: described(device, kind, critical=critical, confirm=confirm),
            st.sampled_from(["lamp", "front-door", "blind"]),
            st.sampled_from([Kind.SWITCH, Kind.LOCK, Kind.COVER]),
            st.booleans(),
            st.booleans(),
        ),
        unique_by=lambda device: device.id,
        max_size=3,
    ),
)


def by_id(room: RegisteredRoom) -> dict[str, RegisteredDevice]:
    """Its devices by their ids."""
    return {device.id: device for device in room.devices}


@given(st.lists(descriptions, max_size=6))
def test_merged_is_never_looser_than_before_nor_than_what_was_said(history: list[RoomSeen]) -> None:
    room = EMPTY
    for said in history:
        merged = registry.merge(room, said)
        after = by_id(merged.room)
        for device in room.devices:
            now = after[device.id]
            assert now.kind is device.kind
            assert now.critical >= device.critical
            assert now.confirm >= device.confirm
        for word in said.devices:
            assert after[word.id].critical >= word.critical
            assert after[word.id].confirm >= word.confirm
        room = merged.room


@given(st.lists(descriptions, min_size=1, max_size=4))
def test_saying_it_again_changes_nothing(history: list[RoomSeen]) -> None:
    room = EMPTY
    for said in history:
        merged = registry.merge(room, said)
        room = merged.room
    assert registry.merge(room, history[-1]) == merged


@given(descriptions, descriptions)
def test_what_waits_is_exactly_where_the_room_and_the_registry_differ(first: RoomSeen, second: RoomSeen) -> None:
    merged = registry.merge(registry.merge(EMPTY, first).room, second)
    stands = by_id(merged.room)
    differing = {
        (word.id, field)
        for word in second.devices
        for field in ("kind", "critical", "confirm")
        if getattr(stands[word.id], field) != getattr(word, field)
    }
    assert {(waiting.device, waiting.field) for waiting in merged.waiting} == differing


@given(descriptions, descriptions)
def test_after_a_yes_to_everything_the_room_has_its_way(first: RoomSeen, second: RoomSeen) -> None:
    merged = registry.merge(registry.merge(EMPTY, first).room, second)
    room = merged.room
    for loosening in merged.waiting:
        room = registry.accept(room, loosening)
    assert registry.merge(room, second) == registry.Merged(room=room, waiting=())


def test_front_door_does_not_become_a_lamp() -> None:
    door = described("front-door", Kind.LOCK, critical=True, confirm=True)
    room = registry.merge(EMPTY, seen(door)).room
    merged = registry.merge(room, seen(described("front-door", Kind.SWITCH)))
    (device,) = merged.room.devices
    assert (device.kind, device.critical, device.confirm) == (Kind.LOCK, True, True)
    assert [(w.field, w.stands, w.wanted) for w in merged.waiting] == [
        ("confirm", "true", "false"),
        ("critical", "true", "false"),
        ("kind", "lock", "switch"),
    ]


def test_device_that_is_no_longer_named_stays_as_strict_as_it_was() -> None:
    room = registry.merge(EMPTY, seen(described("lamp", critical=True))).room
    assert registry.merge(room, seen()).room == room


def test_room_may_change_its_name_but_not_lose_it() -> None:
    assert registry.merge(EMPTY, seen(name="Entrance")).room.name == "Entrance"
    assert registry.merge(EMPTY, seen(name="  ")).room.name == "Hall"


def test_device_named_twice_is_refused() -> None:
    with pytest.raises(HomeError, match="every device once"):
        registry.merge(EMPTY, seen(described("lamp"), described("lamp", critical=True)))


def test_devices_without_end_are_refused() -> None:
    room = EMPTY
    for i in range(registry.DEVICES_MOST):
        room = registry.merge(room, seen(described(f"d{i}"))).room
    assert registry.merge(room, seen(described("d0"))).room == room
    with pytest.raises(HomeError, match="256"):
        registry.merge(room, seen(described("another")))
