"""Inputs are understood in their own time: a loop that was held up hears the same as one that was prompt."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from device_agents.device import Device
from device_agents.devices.input import Happening
from device_agents.listening import Listening
from device_agents.room import Room
from shared.messages import Value
from shared.problem import HomeError
from tests.unit.device_agents.fakes import FakePins, House

CONTACT, DOORBELL, HALLWAY = 22, 23, 4
NAMES = {"contact", "doorbell", "hallway"}
Told = list[tuple[str, tuple[Happening, ...], Value]]


class Ear:
    """The inputs of a room on fakes, heard by a loop that looks when it is told to."""

    def __init__(self, room: Room) -> None:
        self.pins = FakePins()
        self.devices: list[Device] = [room.devices[name] for name in sorted(NAMES)]
        self.listening = Listening(self.pins, self.devices)
        list(self.listening.start())
        self.told: Told = []

    def edge(self, pin: int, level: int, at: float) -> None:
        self.pins.inputs[pin] = level
        self.listening.hear(pin, at)

    def look(self, now: float) -> None:
        for device, events in self.listening.listen(now):
            value = device.signal.value
            if events or value != self._value(device.id):
                self.told.append((device.id, events, value))

    def look_promptly(self, until: float) -> None:
        """At every deadline up to `until`."""
        while (due := min((d.signal.deadline for d in self.devices if d.signal.deadline), default=None)) is not None:
            if due > until:
                break
            self.look(due)

    def _value(self, name: str) -> Value:
        values = [value for id_, _, value in self.told if id_ == name]
        return values[-1] if values else {"contact": "closed", "doorbell": None, "hallway": "clear"}[name]


@pytest.fixture(scope="module")
def new_ear(tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Ear]:
    """Ears whose devices stand as they do at a start."""
    house = House(tmp_path_factory.mktemp("house"))
    house.die()
    return lambda: Ear(Room(house.config, FakePins(), house.ledger))


gaps = st.sampled_from([0.001, 0.01, 0.029, 0.031, 0.08, 0.2, 0.39, 0.41, 0.9, 1.1, 3.0])
edges = st.lists(st.tuples(gaps, st.sampled_from([CONTACT, DOORBELL, HALLWAY])), max_size=30)


@given(edges=edges, held_up=st.sets(st.integers(0, 30)))
def test_a_loop_that_was_held_up_hears_what_a_prompt_one_hears(
    new_ear: Callable[[], Ear], edges: list[tuple[float, int]], held_up: set[int]
) -> None:
    prompt, late = new_ear(), new_ear()
    now, levels = 0.0, {CONTACT: 1, DOORBELL: 0, HALLWAY: 0}
    for number, (gap, pin) in enumerate(edges):
        now += gap
        levels[pin] ^= 1
        prompt.look_promptly(now)
        for ear in (prompt, late):
            ear.edge(pin, levels[pin], now)
        prompt.look(now)
        if number not in held_up:
            late.look_promptly(now)
            late.look(now)
    prompt.look_promptly(now + 600.0)
    late.look_promptly(now + 600.0)
    late.look(now + 600.0)
    late.look_promptly(now + 1200.0)
    for name in NAMES:
        told = [one for one in prompt.told if one[0] == name]
        assert [one for one in late.told if one[0] == name] == told


def test_a_press_during_a_long_disk_sync_is_heard(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.pins.inputs[DOORBELL] = 1
    house.pins.changed(DOORBELL)
    house.now += 0.08
    house.pins.inputs[DOORBELL] = 0
    house.pins.changed(DOORBELL)
    house.now += 0.7  # only now the loop is free again
    before = len(house.link.said)
    house.agent.tick(house.now)
    assert any(b'"press"' in body for _, body, *_ in house.link.said[before:])


def test_a_pin_that_cannot_be_read_at_its_edge_is_read_again(tmp_path: Path) -> None:
    house = House(tmp_path)
    house.pins.unreadable.add(CONTACT)
    with pytest.raises(HomeError):
        house.pins.read(CONTACT)
    house.edge(CONTACT, 0)
    house.advance(0.5)
    assert house.state("contact").fault == "sensor"
    house.pins.unreadable.discard(CONTACT)
    house.advance(2.0)
    assert (house.state("contact").value, house.state("contact").fault) == ("open", None)
