"""What waits for a second person, in the picture: shown at its device, told as a change, gone when it is."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.picture.changes import DescriptionChanged
from gateway.picture.home import Home
from gateway.picture.pending import Pending
from shared.words.internal import Registry
from shared.words.names import Action
from shared.words.pending import PendingWish
from tests.unit.gateway.parts import HALL, HALL_ENTRY, wish

ACTIONS = (Action.OPEN, Action.CLOSE, Action.SET)
DEVICES = ("blind", "front-door")


def house(*wishes: PendingWish) -> Home:
    home = Home()
    home.hear_description("hall", HALL)
    home.set_registry(Registry(rooms=(HALL_ENTRY,), pending=wishes))
    return home


def shown(home: Home, device: str) -> list[str]:
    view = home.view("hall", device)
    assert view is not None
    return [one.id for one in view.pending]


def test_it_is_shown_at_its_device_with_whose_wish_it_is() -> None:
    unlock = wish("front-door", Action.UNLOCK)
    home = house(unlock)
    view = home.view("hall", "front-door")
    assert view is not None
    (one,) = view.pending
    assert (one.id, one.action, one.by, one.until) == (unlock.id, Action.UNLOCK, unlock.by, unlock.until)
    assert shown(home, "lamp") == []


def test_a_change_is_told_once_and_to_the_rooms_that_it_concerns() -> None:
    home = house()
    registry = Registry(rooms=(HALL_ENTRY,), pending=(wish("front-door", Action.UNLOCK),))
    assert shown(home, "front-door") == []
    assert home.set_registry(registry) == [DescriptionChanged("hall")]
    assert home.set_registry(registry) == []
    assert shown(home, "front-door") == ["w1"]
    assert home.set_registry(msgspec.structs.replace(registry, pending=())) == [DescriptionChanged("hall")]
    assert shown(home, "front-door") == []


def test_what_nobody_knows_the_room_of_is_told_to_nobody() -> None:
    home = house()
    assert home.set_registry(Registry(rooms=(HALL_ENTRY,), pending=(wish("gate", Action.PRESS, room="yard"),))) == []


@given(
    st.lists(
        st.tuples(st.booleans(), st.sampled_from(DEVICES), st.sampled_from(ACTIONS), st.integers(0, 3)), max_size=12
    )
)
def test_one_wish_stands_for_each_action_of_a_device(steps: list[tuple[bool, str, Action, int]]) -> None:
    pending, model = Pending(), dict[tuple[str, Action], str]()
    for added, device, action, number in steps:
        name = f"{device}-{action}-{number}"
        before = dict(model)
        if added:
            places = pending.add(wish(device, action, number=name))
            model[device, action] = name
        else:
            places = pending.drop("hall", device, name)
            model = {place: one for place, one in model.items() if (place[0], one) != (device, name)}
        if before != model:
            assert places == [("hall", device)]
        for one in DEVICES:
            wanted = [model[one, action] for action in sorted(ACTIONS) if (one, action) in model]
            assert [found.id for found in pending.of("hall", one)] == wanted
