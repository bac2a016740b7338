"""A request that does not fit the device is refused before anything is sent."""

from datetime import datetime

import msgspec
import pytest

from gateway.desk.asking import CommandRequest, check, issued
from gateway.picture.devices import Device, LockoutBy, device_of
from shared.words.messages import DeviceDescription
from shared.words.names import Action, Kind
from shared.words.problem import HomeError
from tests.unit.gateway.parts import BLIND, CONTACT, DIMMER, DOOR, LAMP, described, registered


def device(said: DeviceDescription) -> Device:
    return device_of("hall", registered(said), said)


@pytest.mark.parametrize(
    ("said", "asked", "slug"),
    [
        (LAMP, CommandRequest(action="unlock"), "unknown-action"),
        (LAMP, CommandRequest(action="toggle"), "unknown-action"),
        (LAMP, CommandRequest(action=""), "unknown-action"),
        (CONTACT, CommandRequest(action="on"), "unknown-action"),
        (LAMP, CommandRequest(action="on", value=1), "invalid-value"),
        (DIMMER, CommandRequest(action="set"), "invalid-value"),
        (DIMMER, CommandRequest(action="set", value=101), "invalid-value"),
        (DIMMER, CommandRequest(action="set", value=-1), "invalid-value"),
        (DOOR, CommandRequest(action="unlock"), "confirmation-required"),
    ],
)
def test_what_does_not_fit_is_refused(said: DeviceDescription, asked: CommandRequest, slug: str) -> None:
    with pytest.raises(HomeError) as refused:
        check(device(said), asked)
    assert refused.value.slug == slug


@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (LAMP, CommandRequest(action="on")),
        (DIMMER, CommandRequest(action="set", value=0)),
        (BLIND, CommandRequest(action="set", value=100)),
        (DOOR, CommandRequest(action="unlock", confirm=True)),
        (DOOR, CommandRequest(action="lock")),
    ],
)
def test_what_fits_is_an_action(said: DeviceDescription, asked: CommandRequest) -> None:
    assert check(device(said), asked) == Action(asked.action)


PUMP = msgspec.structs.replace(described("pump"), safe_actions=(Action.ON, Action.OFF))
GATE = described("gate", Kind.PULSE)


@pytest.mark.parametrize("by", ["master", "room"])
@pytest.mark.parametrize(
    ("said", "asked"),
    [
        (LAMP, CommandRequest(action="on")),
        (PUMP, CommandRequest(action="on")),
        (DIMMER, CommandRequest(action="set", value=0)),
        (DOOR, CommandRequest(action="unlock")),
        (DOOR, CommandRequest(action="unlock", confirm=True)),
        (BLIND, CommandRequest(action="close")),
        (GATE, CommandRequest(action="press")),
    ],
)
def test_a_device_that_is_locked_out_is_never_energised(
    by: LockoutBy, said: DeviceDescription, asked: CommandRequest
) -> None:
    locked = msgspec.structs.replace(device(said), lockout_by=by)
    with pytest.raises(HomeError) as refused:
        check(locked, asked)
    assert (refused.value.slug, refused.value.status) == ("locked-out", 409)
    assert refused.value.facts == {"outcome": "rejected", "reason": "locked-out"}


@pytest.mark.parametrize(("said", "action"), [(LAMP, "off"), (PUMP, "off"), (DOOR, "lock"), (BLIND, "stop")])
def test_a_device_that_is_locked_out_still_obeys_its_kinds_safe_actions(said: DeviceDescription, action: str) -> None:
    locked = msgspec.structs.replace(device(said), lockout_by="master")
    assert check(locked, CommandRequest(action=action)) == action


@pytest.mark.parametrize(
    ("said", "by", "sentence"),
    [
        (LAMP, "master", "Only off works until the master user lifts the lock-out."),
        (BLIND, "master", "Only stop works until the master user lifts the lock-out."),
        (GATE, "master", "Nothing works until the master user lifts the lock-out."),
        (LAMP, "room", "Only off works: the lock-out is set in the room's own file, and lifted there."),
    ],
)
def test_a_refusal_says_what_still_works_and_who_lifts_it(
    said: DeviceDescription, by: LockoutBy, sentence: str
) -> None:
    asked = CommandRequest(action=said.actions[0])
    with pytest.raises(HomeError) as refused:
        check(msgspec.structs.replace(device(said), lockout_by=by), asked)
    assert refused.value.detail == sentence


def test_what_the_device_never_does_is_said_before_the_lock_out() -> None:
    locked = msgspec.structs.replace(device(LAMP), lockout_by="master")
    with pytest.raises(HomeError, match="unknown-action"):
        check(locked, CommandRequest(action="unlock"))


def test_a_room_that_said_nothing_yet_offers_what_its_kinds_do() -> None:
    assert device_of("hall", registered(DIMMER), None).actions == (Action.ON, Action.OFF, Action.SET)
    assert device_of("hall", registered(DOOR), None).safe_actions == (Action.LOCK,)


def test_in_a_lockdown_nothing_is_confirmed_that_is_refused_all_the_same() -> None:
    assert check(device(DOOR), CommandRequest(action="unlock"), locked_down=True) == "unlock"
    assert check(device(DOOR), CommandRequest(action="lock"), locked_down=True) == "lock"


@pytest.mark.parametrize(
    ("pressed_at", "moment"),
    [
        (None, 1_800_000_000.0),
        ("2027-01-15T07:59:30Z", 1_799_999_970.0),
        ("2027-01-15T08:59:30.250+01:00", 1_799_999_970.25),
        ("2027-01-15T08:00:07Z", 1_800_000_000.0),  # a clock that is ahead makes no wish younger
        ("0001-01-01T00:00:00+23:59", 0.0),
        ("9999-12-31T23:59:59-23:59", 1_800_000_000.0),
    ],
)
def test_a_wish_was_issued_when_it_was_pressed_and_at_its_arrival_at_the_latest(
    pressed_at: str | None, moment: float
) -> None:
    pressed = None if pressed_at is None else datetime.fromisoformat(pressed_at)
    assert issued(pressed, 1_800_000_000.0) == moment
