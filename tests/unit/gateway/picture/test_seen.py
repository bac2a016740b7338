"""The home as one person looks at it: their own word over the home's, and never more than they may know of."""

from datetime import datetime
from zoneinfo import ZoneInfo

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.picture import guards, seen
from gateway.picture.home import Home
from shared.words.internal import Grant, RegisteredDevice, RegisteredRoom, Registry, SessionInfo, User
from shared.words.looks import NOTHING, HomeLook, Icon, OwnLooks, OwnRoom
from shared.words.names import ACTIONS, Kind, Role

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Europe/Berlin"))
DEVICES = ("lamp", "fan", "door", "warm")
KINDS = {"lamp": Kind.SWITCH, "fan": Kind.SWITCH, "door": Kind.LOCK, "warm": Kind.TEMPERATURE}
ROOMS = ("attic", "hall", "cellar")


def home(**looks: HomeLook) -> Home:
    """Three rooms of the same four devices; `looks` by room, or by room and device as "hall_lamp"."""
    made = Home()
    made.set_registry(
        Registry(
            rooms=tuple(
                RegisteredRoom(
                    id=room,
                    name=room.capitalize(),
                    look=looks.get(room, HomeLook()),
                    devices=tuple(
                        RegisteredDevice(
                            id=one,
                            name=one.capitalize(),
                            kind=KINDS[one],
                            critical=False,
                            confirm=False,
                            look=looks.get(f"{room}_{one}", HomeLook()),
                        )
                        for one in DEVICES
                    ),
                )
                for room in ROOMS
            )
        )
    )
    return made


def person(own: OwnLooks = NOTHING, *grants: Grant) -> SessionInfo:
    """A member; with grants a guest."""
    user = User(id="u", name="U", email="u@example.org", role=Role.GUEST if grants else Role.MEMBER)
    return SessionInfo(id="s", user=user, grants=grants, expires_at=NOW, own=own)


def shown(viewer: SessionInfo, of: Home) -> list[tuple[str, list[str]]]:
    return [(room.id, [one.id for one in room.devices]) for room in seen.rooms_for(viewer, of.rooms(), NOW)]


def test_without_a_word_all_stands_as_it_always_did() -> None:
    usual = ["door", "fan", "lamp", "warm"]
    assert shown(person(), home()) == [(room, usual) for room in sorted(ROOMS)]


def test_the_home_is_shown_as_the_master_user_arranged_it() -> None:
    looks = {"hall": HomeLook(place=0, name="Entrance", icon=Icon.SOFA, hidden=True), "hall_lamp": HomeLook(place=0)}
    of = home(**looks)
    assert shown(person(), of)[0] == ("hall", ["lamp", "door", "fan", "warm"])
    hall = of.rooms()[0]
    assert (hall.name, hall.own_name, hall.icon, hall.hidden) == ("Entrance", "Hall", "sofa", True)


def test_what_one_says_oneself_is_over_it() -> None:
    own = OwnLooks(
        rooms=(OwnRoom(id="hall", hidden=False, favourites=("fan",), hid=("door",), shown=("lamp",), order=("fan",)),),
        order=("cellar",),
    )
    of = home(hall=HomeLook(place=0, hidden=True), hall_lamp=HomeLook(place=0, hidden=True))
    rooms = {room.id: room for room in seen.rooms_for(person(own), of.rooms(), NOW)}
    assert list(rooms) == ["cellar", "hall", "attic"]
    assert [one.id for one in rooms["hall"].devices] == ["fan", "lamp", "door", "warm"]
    assert rooms["hall"].hidden is False
    assert [one.id for one in rooms["hall"].devices if one.hidden] == ["door"]
    assert [one.id for one in rooms["hall"].devices if one.favourite] == ["fan"]


def test_a_favourite_that_the_home_hides_is_shown() -> None:
    own = OwnLooks(rooms=(OwnRoom(id="hall", favourites=("lamp",)),))
    of = home(hall_lamp=HomeLook(hidden=True))
    lamp = of.view("hall", "lamp")
    assert lamp is not None
    found = seen.device_for(person(own), lamp, NOW)
    assert found is not None
    assert (found.hidden, found.favourite) == (False, True)
    assert lamp.hidden is True, "for everybody else"


SOME = st.lists(st.sampled_from([*DEVICES, "gone"]), unique=True).map(tuple)
OWN = st.builds(
    OwnLooks,
    rooms=st.lists(
        st.builds(OwnRoom, id=st.sampled_from([*ROOMS, "gone"]), favourites=SOME, hid=SOME, shown=SOME, order=SOME),
        unique_by=lambda one: one.id,
    ).map(tuple),
    order=st.lists(st.sampled_from([*ROOMS, "gone"]), unique=True).map(tuple),
)
GRANTS = st.lists(
    st.builds(Grant, room=st.sampled_from(ROOMS), device=st.sampled_from(DEVICES)), min_size=1, max_size=5
)


@given(OWN, GRANTS)
def test_whatever_one_says_shows_all_that_one_may_see_once_and_nothing_else(own: OwnLooks, grants: list[Grant]) -> None:
    of = home()
    for viewer in (person(own), person(own, *grants)):
        plain = msgspec.structs.replace(viewer, own=NOTHING)
        mine = {(room, one) for room, devices in shown(viewer, of) for one in devices}
        assert mine == {(room, one) for room, devices in shown(plain, of) for one in devices}
        assert sum(len(devices) for _, devices in shown(viewer, of)) == len(mine)
        assert [room for room, _ in shown(viewer, of)] == list(seen.order_for(viewer, of, NOW))
        for _, devices in shown(viewer, of):
            tells = [KINDS[one] not in ACTIONS for one in devices]
            assert tells == sorted(tells)


@given(OWN, GRANTS)
def test_looks_permit_nothing(own: OwnLooks, grants: list[Grant]) -> None:
    viewer = person(own, *grants)
    plain = msgspec.structs.replace(viewer, own=NOTHING)
    for room in ROOMS:
        for device in DEVICES:
            assert guards.may_act(viewer, room, device, "on", NOW) is guards.may_act(plain, room, device, "on", NOW)
