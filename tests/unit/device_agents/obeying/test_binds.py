"""Buttons that are bound to outputs of their own room: they work without the hub, and leave the same proof."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_agents.link.link import Down
from shared.words import messages, topics
from shared.words.messages import Acknowledgement, InputEvent, Lockdown, Lockouts
from tests.unit.device_agents.fakes import House

BUTTON, LAMP, DIMMER, DOOR, GATE = 23, 17, 18, 27, 12
DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": LAMP},
    {"id": "dimmer", "name": "Dimmer", "kind": "dimmer", "pin": DIMMER},
    {"id": "front-door", "name": "Front door", "kind": "lock", "pin": DOOR, "critical": True},
    {"id": "gate", "name": "Gate", "kind": "pulse", "pin": GATE, "travel_time": 9.0},
    {
        "id": "wall",
        "name": "Wall",
        "kind": "button",
        "pin": BUTTON,
        "binds": {
            "press": {"device": "lamp", "action": "toggle"},
            "double": {"device": "dimmer", "action": "set", "value": 30},
            "long": {"device": "front-door", "action": "unlock"},
        },
    },
    {
        "id": "post",
        "name": "Post",
        "kind": "button",
        "pin": 4,
        "double_ms": 0,
        "binds": {"press": {"device": "gate", "action": "press"}, "long": {"device": "dimmer", "action": "toggle"}},
    },
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, DEVICES)
    made.advance(10)  # what the gate did before it was first started, nobody knows
    yield made
    made.die()


def press(house: House, *, pin: int = BUTTON, times: int = 1, seconds: float = 0.1) -> None:
    for _ in range(times):
        house.edge(pin, 1)
        house.advance(seconds)
        house.edge(pin, 0)
        house.advance(0.1)
    house.advance(1)


def test_a_button_works_without_the_hub_and_says_so_when_it_is_back(house: House) -> None:
    house.agent.take(Down(None, "gone"), house.now)
    press(house)
    press(house)
    press(house, times=2)
    assert house.pins.waveform == [(LAMP, 1), (LAMP, 0), (DIMMER, 30)]
    assert [(event.what, event.who.issuer, event.detail["button"]) for event in house.events()] == [
        ("device:on", "hall", "wall"),
        ("device:off", "hall", "wall"),
        ("device:set", "hall", "wall"),
    ]


def test_its_state_names_the_input_and_nobody_is_answered(house: House) -> None:
    press(house)
    state = house.state("lamp")
    assert (state.value, state.by.source, state.by.issuer) == ("on", "input", None)
    assert house.link.heard(Acknowledgement, topics.acknowledgement("hall", "lamp")) == []
    assert [event.event for event in house.link.heard(InputEvent, topics.event("hall", "wall"))] == ["press"]


def test_a_critical_device_is_moved_only_once_the_wish_is_on_disk(house: House) -> None:
    press(house, seconds=1.0)
    assert house.pins.waveform == [(DOOR, 1)]
    asked, executed = house.events()
    assert (asked.outcome, executed.outcome, executed.severity) == ("asked", "executed", "critical")
    house.ledger.full = True
    house.command("front-door", "lock")
    press(house, seconds=1.0)
    assert house.pins.waveform == [(DOOR, 1), (DOOR, 0)]


def test_what_holds_a_command_back_holds_a_button_back(house: House) -> None:
    press(house, pin=4)
    press(house, pin=4)
    assert house.pins.waveform == [(GATE, 1), (GATE, 0)]
    assert house.events()[-1].detail["reason"] == "too-soon"
    word = Lockouts(devices=("hall/lamp",), at=messages.utc(house.wall()))
    house.hear(topics.LOCKOUTS, word, retained=True)
    press(house)
    assert house.events()[-1].detail["reason"] == "locked-out"
    house.hear(topics.LOCKDOWN, Lockdown(active=True, at=messages.utc(house.wall())), retained=True)
    press(house, times=2)
    assert house.events()[-1].detail["reason"] == "lockdown"
    assert house.pins.waveform == [(GATE, 1), (GATE, 0)]


def test_a_button_may_switch_off_in_a_lockdown(house: House) -> None:
    press(house, pin=4, seconds=1.0)
    house.hear(topics.LOCKDOWN, Lockdown(active=True, at=messages.utc(house.wall())), retained=True)
    press(house, pin=4, seconds=1.0)
    assert house.pins.waveform == [(DIMMER, 100), (DIMMER, 0)]


def test_a_button_that_is_held_while_the_agent_starts_moves_nothing(house: House) -> None:
    house.pins.inputs[BUTTON] = 1
    house.restart()
    house.advance(5)
    house.edge(BUTTON, 0)
    house.advance(5)
    assert house.pins.waveform == []
