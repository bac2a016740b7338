"""Simulated sensors: what is driven is read at once, stays over a restart, and may be a failure."""

import queue
from collections.abc import Iterator
from pathlib import Path

import pytest

from device_agents.config import pin_uses
from device_agents.pins import simulation
from device_agents.pins.simulated import SimulatedPins
from device_agents.sensors.readings import Reading
from device_agents.sensors.simulated import SimulatedSensors
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.device_agents.fakes import room_config

DEVICES = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17},
    {"id": "contact", "name": "Contact", "kind": "contact", "pin": 22},
    {"id": "warmth", "name": "Temperature", "kind": "temperature", "source": "ds18b20"},
    {"id": "damp", "name": "Humidity", "kind": "humidity", "source": "bme280", "address": "1:0x76"},
)


class Simulation:
    """A simulated room's pins and sensors, and what is heard of the latter."""

    def __init__(self, folder: Path) -> None:
        config = room_config(folder, DEVICES, sim_dir=folder)
        self.pins = SimulatedPins(folder, "hall", pin_uses(config))
        self.sensors = SimulatedSensors(folder, "hall", config.devices, self.pins.stage)
        self.heard: queue.SimpleQueue[Reading] = queue.SimpleQueue()
        self.pins.watch(lambda *_edge, **_more: None, lambda *, there: None)
        self.sensors.start(self.heard.put)

    def hear(self, count: int) -> list[Reading]:
        return [self.heard.get(timeout=DEADLINE) for _ in range(count)]

    def close(self) -> None:
        self.sensors.close()
        self.pins.close()


@pytest.fixture
def room(tmp_path: Path) -> Iterator[Simulation]:
    made = Simulation(tmp_path)
    yield made
    made.close()


def test_what_was_never_driven_is_an_ordinary_room(room: Simulation) -> None:
    assert room.hear(2) == [Reading("warmth", 20.0), Reading("damp", 50.0)]


def test_a_driven_value_is_read_at_once(tmp_path: Path, room: Simulation) -> None:
    room.hear(2)
    simulation.drive(tmp_path, "hall", "warmth", "21.5")
    assert room.hear(1) == [Reading("warmth", 21.5)]
    simulation.drive(tmp_path, "hall", "warmth", "-5")
    assert room.hear(1) == [Reading("warmth", -5.0)]


def test_a_sensor_that_is_driven_to_fail_has_failed_often_enough_at_once(tmp_path: Path, room: Simulation) -> None:
    room.hear(2)
    simulation.drive(tmp_path, "hall", "damp", "fail")
    assert room.hear(3) == [Reading("damp", None, "it was driven to fail")] * 3


def test_what_was_driven_outlives_the_process(tmp_path: Path) -> None:
    room = Simulation(tmp_path)
    simulation.drive(tmp_path, "hall", "warmth", "21.5")
    simulation.drive(tmp_path, "hall", "damp", "fail")
    room.close()
    again = Simulation(tmp_path)
    assert again.hear(4) == [Reading("warmth", 21.5)] + [Reading("damp", None, "it was driven to fail")] * 3
    again.close()


def test_after_the_end_nothing_is_heard(tmp_path: Path, room: Simulation) -> None:
    room.hear(2)
    room.sensors.close()
    simulation.drive(tmp_path, "hall", "warmth", "21.5")
    assert room.heard.empty()


@pytest.mark.parametrize(
    ("device", "value", "words"),
    [
        ("warmth", "warm", "'warmth' takes a number from -55 to 125 (°C), or fail, not 'warm'."),
        ("warmth", "nan", "takes a number from -55 to 125"),
        ("warmth", "126", "takes a number from -55 to 125"),
        ("damp", "-1", "'damp' takes a number from 0 to 100 (%), or fail, not '-1'."),
        ("contact", "21.5", "'contact' takes open, closed, not '21.5'."),
        (
            "lamp",
            "on",
            "'lamp' is an output; send it a command, or break it: stuck, free. Inputs are: contact, damp, warmth.",
        ),
        ("attic", "21.5", "no device 'attic'; inputs are: contact, damp, warmth"),
    ],
)
def test_what_cannot_be_driven_is_told(tmp_path: Path, room: Simulation, device: str, value: str, words: str) -> None:
    with pytest.raises(HomeError) as told:
        simulation.drive(tmp_path, "hall", device, value)
    assert words in told.value.detail


def test_driven_readings_that_are_damaged_are_forgotten(tmp_path: Path) -> None:
    (tmp_path / "hall.sensors.json").write_text("{")
    again = Simulation(tmp_path)
    assert again.hear(1) == [Reading("warmth", 20.0)]
    again.close()
