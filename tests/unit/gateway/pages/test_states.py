"""A state is shown in words, and what is not known is said to be unknown."""

from typing import get_args

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.pages import overview, states
from gateway.picture import icons
from gateway.picture.looks import look_of
from gateway.picture.sums import sum_of
from gateway.picture.views import DeviceView, RoomView, Status
from shared.words.messages import By, CoverValue, State, Value
from shared.words.names import ConfirmBy, Kind
from tests.unit.gateway.parts import NOW

VALUES = st.one_of(
    st.none(),
    st.sampled_from(["on", "off", "locked", "unlocked", "jammed", "open", "closed", "motion", "clear", "<b>", ""]),
    st.integers(-5, 105),
    st.floats(allow_nan=False, allow_infinity=False),
    st.builds(
        CoverValue,
        position=st.none() | st.integers(-5, 105),
        moving=st.sampled_from(["opening", "closing", None]),
    ),
)
SOURCES = st.sampled_from(["command", "input", "timer", "failsafe", "boot"])


def said(value: Value, source: str = "command", issuer: str | None = "gateway") -> State:
    return State(value=value, since=NOW, by=By(source=source, issuer=issuer))  # type: ignore[arg-type]  # a plain text


def shown(kind: Kind, value: Value, source: str = "command", issuer: str | None = "gateway") -> states.Shown:
    return states.shown(kind, "online", said(value, source, issuer))


@pytest.mark.parametrize(
    ("kind", "value", "word", "look"),
    [
        (Kind.SWITCH, "on", "On", "on"),
        (Kind.SWITCH, "off", "Off", "off"),
        (Kind.DIMMER, 0, "Off", "off"),
        (Kind.DIMMER, 40, "On, 40 %", "on"),
        (Kind.LOCK, "locked", "Locked", "locked"),
        (Kind.LOCK, "unlocked", "Unlocked", "unlocked"),
        (Kind.LOCK, "jammed", "Jammed", "jammed"),
        (Kind.COVER, CoverValue(position=None, moving=None), "Position unknown", "adrift"),
        (Kind.COVER, CoverValue(position=0, moving=None), "Closed", "closed"),
        (Kind.COVER, CoverValue(position=100, moving=None), "Open", "open"),
        (Kind.COVER, CoverValue(position=30, moving=None), "Open, 30 %", "open"),
        (Kind.COVER, CoverValue(position=30, moving="closing"), "Closing", "moving"),
        (Kind.PULSE, None, "At rest", "rest"),
        (Kind.CONTACT, "open", "Open", "ajar"),
        (Kind.CONTACT, "closed", "Closed", "shut"),
        (Kind.MOTION, "clear", "Still", "clear"),
        (Kind.TEMPERATURE, 21.37, "21.4 °C", "reading"),
        (Kind.HUMIDITY, 45, "45.0 %", "reading"),
    ],
)
def test_every_kind_has_its_words(kind: Kind, value: Value, word: str, look: str) -> None:
    assert shown(kind, value)[:2] == (word, look)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.SWITCH, "<script>"),
        (Kind.SWITCH, 1),
        (Kind.DIMMER, 101),
        (Kind.DIMMER, 1.5),
        (Kind.DIMMER, "on"),
        (Kind.LOCK, None),
        (Kind.PULSE, "pressed"),
        (Kind.COVER, 40),
        (Kind.COVER, CoverValue(position=101, moving=None)),
        (Kind.TEMPERATURE, "hot"),
    ],
)
def test_a_value_that_does_not_fit_is_unknown(kind: Kind, value: Value) -> None:
    assert shown(kind, value) == states.UNFIT


@pytest.mark.parametrize("kind", [Kind.TEMPERATURE, Kind.HUMIDITY])
def test_a_sensor_before_its_first_reading_has_not_said_yet(kind: Kind) -> None:
    assert shown(kind, None) == states.SILENT


@given(kind=st.sampled_from(Kind), status=st.sampled_from(get_args(Status)), value=VALUES, source=SOURCES)
def test_the_last_value_is_never_shown_of_a_room_that_is_away(
    kind: Kind, status: Status, value: Value, source: str
) -> None:
    told = states.shown(kind, status, said(value, source))
    if status != "online":
        assert told.look == status
        assert told.at is None
        assert told.level is None
    assert told.word
    assert "<" not in told.word


@pytest.mark.parametrize(
    ("kind", "value", "fault", "word", "look", "note"),
    [
        (Kind.SWITCH, "on", "mismatch", "Does not follow", "mismatch", "reads “On” since"),
        (Kind.LOCK, "unlocked", "mismatch", "Does not follow", "mismatch", "reads “Unlocked” since"),
        (Kind.DIMMER, 40, "mismatch", "Does not follow", "mismatch", "reads “On, 40 %” since"),
        (Kind.SWITCH, "<b>", "mismatch", "Does not follow", "mismatch", "since"),
        (Kind.PULSE, None, "mismatch", "Does not follow", "mismatch", "since"),
        (Kind.TEMPERATURE, None, "sensor", "No reading", "sensor", "since"),
        (Kind.TEMPERATURE, 21.4, "sensor", "No reading", "sensor", "since"),
        (Kind.SWITCH, "on", "smoke", "Fault", "fault", "since"),
        (Kind.SWITCH, "on", "<script>", "Fault", "fault", "since"),
        (Kind.SWITCH, "on", "", "Fault", "fault", "since"),
    ],
)
def test_a_device_at_fault_is_not_shown_as_if_it_could_be_trusted(
    kind: Kind, value: Value, fault: str, word: str, look: str, note: str
) -> None:
    state = State(value=value, since=NOW, by=By(source="failsafe"), fault=fault)
    told = states.shown(kind, "online", state)
    assert (told.word, told.look, told.before, told.at, told.after) == (word, look, note, NOW, "")
    assert states.icon(icons.usual(kind, "lamp"), told.look) == "warning"
    assert states.shown(kind, "offline", state) == states.OFFLINE
    assert states.shown(kind, "unknown", state) == states.UNHEARD


@pytest.mark.parametrize(
    ("kind", "value", "source", "issuer", "note"),
    [
        (Kind.SWITCH, "on", "command", "gateway", ("since", ", by a command")),
        (Kind.SWITCH, "on", "command", "gateway-2", ("since", ", by a command")),
        (Kind.SWITCH, "on", "command", "phone", ("since", ", by a command from phone")),
        (Kind.SWITCH, "on", "input", None, ("since", ", by a button")),
        (Kind.SWITCH, "off", "timer", None, ("since", ", by a timer")),
        (Kind.SWITCH, "off", "failsafe", None, ("since", ", by a safety rule")),
        (Kind.SWITCH, "off", "boot", None, ("since", ", when the room started")),
        (Kind.CONTACT, "open", "input", None, ("since", "")),
        (Kind.PULSE, None, "boot", None, ("not pressed since", "")),
        (Kind.PULSE, None, "command", "gateway", ("last pressed", ", by a command")),
        (Kind.BUTTON, None, "input", None, ("last pressed", "")),
    ],
)
def test_since_when_and_by_what(
    kind: Kind, value: Value, source: str, issuer: str | None, note: tuple[str, str]
) -> None:
    told = shown(kind, value, source, issuer)
    assert (told.before, told.after) == note
    assert told.at == NOW


def test_a_switch_that_is_called_a_lamp_looks_like_one() -> None:
    assert icons.usual(Kind.SWITCH, "hall-lamp") == "lamp"
    assert icons.usual(Kind.SWITCH, "kettle") == "power"
    assert states.icon("lock", "unlocked") == "unlock"


@pytest.mark.parametrize(
    ("at_rest", "look", "drawn"),
    [
        ("door", "ajar", "door-open"),
        ("window", "ajar", "window-open"),
        ("window", "shut", "window"),
        ("plant", "ajar", "plant"),
        ("kettle", "mismatch", "warning"),
    ],
)
def test_a_drawing_that_was_chosen_never_hides_how_the_device_is(at_rest: str, look: str, drawn: str) -> None:
    assert states.icon(at_rest, look) == drawn


def view(room: str, device: str, kind: Kind, value: Value, status: Status = "online") -> DeviceView:
    return DeviceView(
        room=room,
        id=device,
        name=device.capitalize(),
        kind=kind,
        critical=False,
        confirm=False,
        confirm_by=ConfirmBy.NONE,
        actions=(),
        safe_actions=(),
        icon="power",
        available=status == "online",
        status=status,
        state=said(value) if status == "online" else None,
    )


def room(name: str, *devices: DeviceView, status: Status = "online") -> RoomView:
    return RoomView(id=name.lower(), name=name, status=status, devices=devices)


def _headline(rooms: list[RoomView]) -> tuple[str, ...]:
    return overview.headline(sum_of(room) for room in rooms)


def test_the_headline_names_one_and_counts_several_and_puts_doors_first() -> None:
    hall = room("Hall", view("hall", "lamp", Kind.SWITCH, "on"), view("hall", "door", Kind.LOCK, "unlocked"))
    kitchen = room("Kitchen", view("kitchen", "lamp", Kind.DIMMER, 40))
    assert _headline([hall, kitchen]) == ("Door in Hall is unlocked.", "2 devices are on.")


def test_the_headline_tells_of_a_fault_before_what_is_on() -> None:
    def faulty(device: str, fault: str) -> DeviceView:
        found = view("hall", device, Kind.SWITCH, "on")
        assert found.state is not None
        return msgspec.structs.replace(found, state=msgspec.structs.replace(found.state, fault=fault))

    hall = room(
        "Hall",
        view("hall", "lamp", Kind.SWITCH, "on"),
        faulty("probe", "sensor"),
        faulty("heater", "mismatch"),
        faulty("fan", "smoke"),
        view("hall", "door", Kind.LOCK, "unlocked"),
    )
    assert _headline([hall]) == (
        "Heater in Hall does not follow.",
        "Fan in Hall has a fault.",
        "Door in Hall is unlocked.",
        "Probe in Hall gives no reading.",
        "Lamp in Hall is on.",
    )


def test_the_headline_never_says_that_all_is_quiet_where_something_is_not_known() -> None:
    quiet = room("Hall", view("hall", "lamp", Kind.SWITCH, "off"))
    away = room("Garage", view("garage", "door", Kind.PULSE, None, "offline"), status="offline")
    assert _headline([quiet]) == ("All is quiet.",)
    assert _headline([quiet, away]) == ("Garage is offline.",)
    assert _headline([]) == ("There is nothing here yet.",)


def test_the_headline_tells_of_covers_that_nobody_knows_the_position_of_and_of_motion() -> None:
    nowhere = CoverValue(position=None, moving=None)
    blind = view("hall", "blind", Kind.COVER, nowhere)
    assert _headline([room("Hall", blind)]) == ("Blind in Hall is at an unknown position.",)
    shutter = view("hall", "shutter", Kind.COVER, nowhere)
    assert _headline([room("Hall", blind, shutter)]) == ("2 covers are at unknown positions.",)
    closed = view("hall", "blind", Kind.COVER, CoverValue(position=0, moving=None))
    assert _headline([room("Hall", closed)]) == ("All is quiet.",)
    landing = view("hall", "landing", Kind.MOTION, "motion")
    assert _headline([room("Hall", landing)]) == ("Landing in Hall sees motion.",)


NOT_LOOKED_AT = {"off", "locked", "closed", "open", "shut", "clear", "rest", "reading", "offline"}
"""Looks of which the headline says nothing: at rest, or told by their room."""


@given(kind=st.sampled_from(Kind), value=VALUES, source=SOURCES)
def test_all_is_quiet_only_where_every_state_is_known_and_at_rest(kind: Kind, value: Value, source: str) -> None:
    found = view("hall", "it", kind, value)
    found = msgspec.structs.replace(found, state=said(value, source))
    look = states.shown(kind, "online", found.state).look
    quiet = _headline([room("Hall", found)]) == ("All is quiet.",)
    assert quiet == (look in NOT_LOOKED_AT)
    if kind is Kind.COVER and isinstance(value, CoverValue) and value.position is None:
        assert not quiet


@given(
    kind=st.sampled_from(Kind),
    status=st.sampled_from(get_args(Status)),
    value=VALUES,
    fault=st.sampled_from([None, "mismatch", "sensor", "restless", "smoke"]),
)
def test_sums_go_by_the_looks_that_cards_have(kind: Kind, status: Status, value: Value, fault: str | None) -> None:
    for state in (None, msgspec.structs.replace(said(value), fault=fault)):
        assert look_of(kind, status, state) == states.shown(kind, status, state).look
