"""What the form of a device offers is what rooms take: held against the code that reads a room's file."""

from typing import Any

import pytest

from device_agents import complaints
from device_agents.config import TOGGLE, DeviceConfig, RoomConfig
from gateway.pages import device_form, device_settings
from gateway.pages.forms import Form
from shared.running.config import convert
from shared.words.names import ACTIONS, Kind

ROOM: dict[str, Any] = {
    "room": "hall",
    "name": "Hall",
    "pins": "gpiod",
    "chip": "/dev/gpiochip0",
    "data": "/nowhere",
    "broker": {"host": "hub", "identity": "hall", "tls": {"ca": "/c", "certificate": "/p", "key": "/k"}},
}
DOOR = {"id": "door", "name": "Door", "kind": "contact", "pin": 90}
FITTING: dict[str, Any] = {"contact": "door", "source": "iio", "address": "dht11", "interlock": "pair"}
ALONE = {"interlock", "dead_time"}
"""Takes a second member, or excludes what else may be chosen."""


def filled(kind: Kind) -> dict[str, Any]:
    """A device that has everything which is typed in its form, each a number that its setting may be."""
    table: dict[str, Any] = {"id": "it", "name": "It", "kind": kind.value}
    table |= {"pins": [5, 6]} if kind is Kind.COVER else {"pin": 5} if device_settings.LAYOUTS[kind].pins else {}
    layout = device_settings.LAYOUTS[kind]
    for name in (*layout.usual, *layout.further):
        if not layout.choices(name) and name not in ALONE:
            table[name] = FITTING.get(name, 500 if name in device_settings.WHOLE else 20.0)
    return table


def wrong(*tables: dict[str, Any]) -> list[str]:
    """What a room says of such a file."""
    return list(complaints.of(convert(ROOM | {"devices": [*tables, DOOR]}, RoomConfig)))


@pytest.mark.parametrize("kind", list(Kind))
def test_every_kind_has_a_form_that_brings_back_what_it_showed(kind: Kind) -> None:
    layout = device_settings.LAYOUTS[kind]
    table = filled(kind) | {"critical": False, "newer": {"x": 1}}
    table |= {name: layout.choices(name)[-1][0] for name in layout.further if layout.choices(name)}
    table |= {"safe_actions": ["later", *layout.safe]} if layout.safe else {}
    table |= dict.fromkeys(layout.further_ticks, True)
    table |= {"binds": {"long": {"device": "lamp", "action": "set", "value": 5}}} if layout.happenings else {}
    assert device_form.table(device_form.filled(table), kind, table, ()) == table


@pytest.mark.parametrize("kind", list(Kind))
def test_a_room_takes_whatever_the_form_of_a_kind_offers(kind: Kind) -> None:
    layout = device_settings.LAYOUTS[kind]
    whole = filled(kind)
    without = {name: value for name, value in whole.items() if name not in ("max_on", "min_off", "link_loss_after")}
    lossy = layout.choices("on_link_loss")[-1][0] if "on_link_loss" in layout.further else None
    assert wrong(whole if lossy is None else whole | {"on_link_loss": lossy}) == []
    for name in layout.further:
        for value, _ in layout.choices(name):
            assert wrong(without | {name: value}) == [], (name, value)
    for action in layout.safe:
        assert wrong(without | {"safe_actions": [action]}) == []
    for name in (*layout.ticks, *layout.further_ticks):
        assert wrong(without | {name: True}) == []


@pytest.mark.parametrize("kind", list(ACTIONS))
def test_a_room_takes_whatever_a_button_may_be_told(kind: Kind) -> None:
    target = {name: value for name, value in filled(kind).items() if name not in device_settings.WHOLE}
    deeds = device_form.deeds([target, DOOR], "bell")
    assert {deed.value for deed in deeds} >= {f"it/{action}" for action in ACTIONS[kind]}
    assert ("it/toggle" in {deed.value for deed in deeds}) is (kind in (Kind.SWITCH, Kind.DIMMER))
    for happening in device_settings.HAPPENINGS:
        for deed in deeds:
            fields = {"name": "Bell", "pin": "91", f"bind_{happening}": deed.value, f"bind_{happening}_value": "40"}
            bell = device_form.table(Form(fields), Kind.BUTTON, {}, ())
            said = wrong(bell, target | {"on_link_loss": "hold", "link_loss_after": None})
            assert [one for one in said if "binds" in one] == [], deed


def test_the_form_leaves_only_to_a_hand_what_it_says() -> None:
    fields = {name for layout in device_settings.LAYOUTS.values() for name in layout.open_fields | layout.folded_fields}
    settings = set(DeviceConfig.__struct_fields__) - {"id", "kind", "pins"}
    assert settings - fields == {"lockout", "binds"}
    assert device_settings.TOGGLE == TOGGLE
