"""Limits are told in words, whatever a room writes into its description."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages import bounds, times
from gateway.picture.devices import device_of
from gateway.picture.views import HINTS, RoomView, view_of
from shared.words.messages import DeviceDescription
from shared.words.names import Kind
from tests.unit.gateway.parts import described, registered


def room(*devices: DeviceDescription) -> RoomView:
    views = tuple(view_of(device_of("hall", registered(d), d), "online", None) for d in devices)
    return RoomView(id="hall", name="Hall", status="online", devices=views)


def told(*devices: DeviceDescription) -> str:
    """The first one's sentence, in a room of all of them."""
    hall = room(*devices)
    return bounds.sentence(hall.devices[0], hall)


def like(kind: Kind = Kind.SWITCH, name: str = "heater", **hints: object) -> DeviceDescription:
    return msgspec.structs.replace(described(name, kind), **hints)


def test_limits_stand_in_one_line_and_partners_are_named() -> None:
    heater = like(max_on=600.0, min_off=180.0, interlock="climate", dead_time=2.0)
    cooler = like(name="cooler", interlock="climate")
    fan = like(name="fan", interlock="air")
    assert (
        told(heater, cooler, fan) == "At most 10 min on · rests 3 min after off · never together with Cooler, 2 s apart"
    )


def test_a_partner_that_one_may_not_see_is_not_named() -> None:
    assert told(like(interlock="climate")) == "Never together with others of climate"


@pytest.mark.parametrize(
    ("device", "sentence"),
    [
        (like(), ""),
        (like(min_interval=5.0), "At most once in 5 s"),
        (like(Kind.PULSE, pulse_ms=500, travel_time=15.0), "Pressed for 0.5 s · takes no other press for 15 s"),
        (like(Kind.COVER, travel_time=25.0), "Takes 25 s from end to end"),
        (like(Kind.LOCK, relock_after=30.0, boot="locked"), "Locks itself after 30 s · locked when its room starts"),
        (like(boot="restore"), "As it was when its room starts"),
        (like(Kind.LOCK, boot="off"), "Locked when its room starts"),
        (like(Kind.COVER, boot="off", travel_time=25.0), "Takes 25 s from end to end"),
        (like(Kind.PULSE, boot="off", pulse_ms=500), "Pressed for 0.5 s"),
        (like(boot="<b>"), ""),
        (like(on_link_loss="off", link_loss_after=300.0), "Goes off after 5 min without the hub"),
        (like(on_link_loss="hold", link_loss_after=300.0), "Stays as it is without the hub"),
        (like(Kind.TEMPERATURE, minimum=-20.0, maximum=60.0, unit="°C"), "From −20 to 60 °C"),
        (like(Kind.DIMMER, minimum=0.0, maximum=100.0, unit="%"), ""),
        (like(max_on=-1.0, min_off=0.0, pulse_ms=10**400), "Pressed for over a year"),
    ],
)
def test_each_limit_has_its_words(device: DeviceDescription, sentence: str) -> None:
    assert told(device) == sentence


def test_a_lock_names_its_contact() -> None:
    door = like(Kind.LOCK, "front-door", contact="door-contact")
    assert told(door, like(Kind.CONTACT, "door-contact")) == "Watched by Door contact"
    assert told(door) == "Watched by a contact"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.05, "0.1 s"),
        (0.5, "0.5 s"),
        (90.0, "90 s"),
        (150.0, "2.5 min"),
        (3600.0, "60 min"),
        (9000.0, "2.5 h"),
        (259_200.0, "3 days"),
        (1e300, "over a year"),
        (0.0, ""),
        (-3.0, ""),
        (None, ""),
    ],
)
def test_a_length_of_time_is_told_as_briefly_as_it_can_be(seconds: float | None, text: str) -> None:
    assert times.span(seconds) == text


TEXTS = st.none() | st.text(max_size=200)
NUMBERS = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(kind=st.sampled_from(Kind), texts=st.tuples(*[TEXTS] * 5), numbers=st.tuples(*[NUMBERS] * 9), ms=st.integers())
def test_nothing_that_a_room_writes_breaks_the_line(
    kind: Kind, texts: tuple[str | None, ...], numbers: tuple[float | None, ...], ms: int
) -> None:
    words = ("interlock", "contact", "boot", "on_link_loss", "unit")
    spans = ("max_on", "min_off", "min_interval", "travel_time", "dead_time", "relock_after", "link_loss_after")
    hints = dict(zip(words, texts, strict=True)) | dict(zip((*spans, "minimum", "maximum"), numbers, strict=True))
    assert set(hints) <= set(HINTS)
    line = told(msgspec.structs.replace(described("heater", kind), pulse_ms=ms, **hints))
    assert line.isprintable()
    assert len(line) < 600
