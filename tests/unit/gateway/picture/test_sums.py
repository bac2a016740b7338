"""A room in sums: what is counted, what is named, and that it is always what the room looks like now."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st

from gateway.picture.home import Home
from gateway.picture.seen import sum_for
from gateway.picture.sums import Count, gone, sum_of
from gateway.picture.views import RoomView, view_of
from shared.words.internal import Grant, Registry
from shared.words.names import Role
from tests.unit.gateway import parts

LAMP_ONLY = Grant(room="hall", device="lamp")


def home(*, online: bool = True) -> Home:
    made = Home()
    made.set_registry(parts.REGISTRY)
    made.hear_description("hall", parts.HALL)
    if online:
        made.hear_availability("hall", parts.online(), retained=False, now=0.0)
    return made


def hall(of: Home) -> RoomView:
    found = of.room("hall")
    assert found is not None
    return found


def test_one_is_named_and_several_are_counted() -> None:
    made = home()
    made.hear_state("hall", "lamp", parts.state("on"))
    made.hear_state("hall", "dimmer", parts.state(40))
    made.hear_state("hall", "front-door", parts.state("unlocked"))
    assert sum_of(hall(made)).looks == {
        "on": Count(count=2),
        "unlocked": Count(count=1, device="Front door"),
        "unknown": Count(count=2),
    }


def test_of_a_room_that_is_away_nothing_is_counted_but_what_is_locked_out() -> None:
    made = home(online=False)
    made.hear_state("hall", "lamp", parts.state("on"))
    made.set_room(parts.with_lockout(parts.HALL_ENTRY, "lamp", locked_out=True))
    told = sum_of(hall(made))
    assert (told.status, told.devices, told.looks) == ("unknown", 5, {})
    assert told.barred == Count(count=1, device="Lamp")


def test_a_guest_is_told_of_their_own_devices_alone() -> None:
    made = home()
    made.hear_state("hall", "lamp", parts.state("on"))
    made.hear_state("hall", "front-door", parts.state("unlocked"))
    seen = sum_for(parts.session(Role.GUEST, LAMP_ONLY), made, "hall", parts.NOW)
    assert seen is not None
    assert (seen.devices, seen.looks) == (1, {"on": Count(count=1, device="Lamp")})
    assert sum_for(parts.session(Role.GUEST), made, "hall", parts.NOW) is None
    whole = sum_for(parts.session(Role.MEMBER), made, "hall", parts.NOW)
    assert whole is not None
    assert whole.devices == 5


def test_a_room_that_nobody_enrolled_has_no_sum() -> None:
    assert home().sum("attic") is None
    assert gone("attic").devices == 0


FACTS = st.one_of(
    st.tuples(st.just("state"), st.sampled_from(["lamp", "front-door", "nothing"]), st.sampled_from(["on", "locked"])),
    st.tuples(st.just("forget"), st.sampled_from(["lamp", "front-door"]), st.just("")),
    st.tuples(
        st.sampled_from(["online", "offline", "silence", "down", "revoked", "enrolled"]), st.just(""), st.just("")
    ),
    st.tuples(st.just("lockout"), st.just("lamp"), st.sampled_from(["yes", "no"])),
    st.tuples(st.just("described"), st.just(""), st.sampled_from(["all", "lamp"])),
    st.tuples(st.just("looked at"), st.just(""), st.just("")),
)


@given(st.lists(FACTS, max_size=30))
def test_what_is_kept_of_a_room_is_what_would_be_made_of_it_anew(facts: list[tuple[str, str, str]]) -> None:
    made, now = home(), 0.0
    for fact in facts:
        now += 1.0
        _tell(made, fact, now)
        for device in ("lamp", "front-door", "blind"):
            known, view = made.device("hall", device), made.view("hall", device)
            assert (known is None) == (view is None)
            if known is not None:
                assert view == view_of(known, made.status("hall"), made.state("hall", device))
        room = made.room("hall")
        assert made.sum("hall") == (sum_of(room) if room is not None else None)


def _tell(made: Home, fact: tuple[str, str, str], now: float) -> None:
    match fact:
        case ("state", device, value):
            made.hear_state("hall", device, parts.state(value))
        case ("forget", device, _):
            made.forget_state("hall", device)
        case ("online" | "offline" as status, _, _):
            said = parts.online() if status == "online" else parts.offline()
            made.hear_availability("hall", said, retained=False, now=now)
        case ("silence", _, _):
            made.tick(now + 10_000.0)
        case ("down", _, _):
            made.link_down()
        case ("revoked", _, _):
            made.forget_room("hall")
        case ("enrolled", _, _):
            made.set_registry(parts.REGISTRY)
        case ("lockout", device, how):
            made.set_registry(Registry(rooms=(parts.with_lockout(parts.HALL_ENTRY, device, locked_out=how == "yes"),)))
        case ("described", _, which):
            devices = parts.HALL.devices if which == "all" else (parts.LAMP,)
            made.hear_description("hall", msgspec.structs.replace(parts.HALL, devices=devices))
        case _:
            made.room("hall")
