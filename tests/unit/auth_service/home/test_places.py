"""What is said of a device that somebody names, and that is not there."""

import pytest

from auth_service.home import places
from shared.words.internal import RegisteredDevice, RegisteredRoom
from shared.words.names import Kind
from shared.words.problem import HomeError


def room(name: str, *devices: str) -> RegisteredRoom:
    known = tuple(
        RegisteredDevice(id=each, name=each, kind=Kind.SWITCH, critical=False, confirm=False) for each in devices
    )
    return RegisteredRoom(id=name, name=name, devices=known)


ROOMS = (room("hall", "lamp", "door"), room("attic"))


def test_what_is_there_is_well_and_of_a_room_that_never_came_up_nobody_knows() -> None:
    assert places.check(ROOMS, ["hall/lamp", "hall/door"]) == ()
    assert places.check(ROOMS, ["attic/fan", "hall/lamp", "attic/fan"]) == ("attic/fan",)


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("hall/lmap", "unknown-device: The room hall has no device lmap; it has: door, lamp."),
        ("hal/lamp", "not-found: There is no room hal; these are enrolled: attic, hall."),
    ],
)
def test_what_is_not_there_is_refused_with_what_there_is(place: str, said: str) -> None:
    with pytest.raises(HomeError) as raised:
        places.check(ROOMS, ["hall/lamp", place])
    assert f"{raised.value.slug}: {raised.value.detail}" == said


def test_in_a_home_without_rooms_none_is_named() -> None:
    with pytest.raises(HomeError, match="these are enrolled: none"):
        places.check((), ["hall/lamp"])


def test_what_needs_to_know_the_device_says_when_it_will_be_known() -> None:
    assert "has not said yet what it has. Start its agent" in places.no_device("attic", "fan", ())
