"""A request that does not fit the device is refused before anything is sent."""

import pytest

from gateway.asking import CommandRequest, check
from gateway.devices import Device, device_of
from shared.messages import DeviceDescription
from shared.names import Action
from shared.problem import HomeError
from tests.unit.gateway.parts import BLIND, CONTACT, DIMMER, DOOR, LAMP, registered


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


def test_a_room_that_said_nothing_yet_offers_what_its_kinds_do() -> None:
    assert device_of("hall", registered(DIMMER), None).actions == (Action.ON, Action.OFF, Action.SET)
    assert device_of("hall", registered(DOOR), None).safe_actions == (Action.LOCK,)
