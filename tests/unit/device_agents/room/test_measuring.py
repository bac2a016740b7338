"""Sensors in the loop: what is told of them, when, and what is remembered."""

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from device_agents.sensors.ds18b20 import Ds18b20
from device_agents.sensors.reader import Probe, Reader
from device_agents.sensors.readings import Reading
from shared.words import messages, topics
from shared.words.messages import Description, State
from tests.unit.device_agents.fakes import House

DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17},
    {"id": "warmth", "name": "Temperature", "kind": "temperature", "source": "ds18b20"},
    {"id": "damp", "name": "Humidity", "kind": "humidity", "source": "iio", "address": "dht11", "report_change": 5},
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path, DEVICES)
    made.heartbeat()
    yield made
    if not made.link.closed:
        made.die()


def read(house: House, device: str, value: float | None, reason: str = "no answer") -> None:
    house.agent.take(Reading(device, value, "" if value is not None else reason), house.now)
    house.agent.tick(house.now)


def states(house: House, device: str) -> list[State]:
    return house.link.heard(State, topics.state("hall", device))


def test_a_room_tells_what_its_sensors_measure(house: House) -> None:
    description = house.link.heard(Description, topics.description("hall"))[-1]
    told = {device.id: (device.unit, device.minimum, device.maximum, device.actions) for device in description.devices}
    assert told == {
        "lamp": (None, None, None, ("on", "off")),
        "warmth": ("°C", -55.0, 125.0, ()),
        "damp": ("%", 0.0, 100.0, ()),
    }


def test_a_state_is_null_until_the_first_reading(house: House) -> None:
    state = house.state("warmth")
    assert (state.value, state.by.source, state.fault) == (None, "boot", None)
    read(house, "warmth", 21.4375)
    state = house.state("warmth")
    assert (state.value, state.by.source, state.fault) == (21.4, "input", None)
    assert state.since == messages.utc(house.wall())


def test_only_news_is_told_and_it_is_remembered(house: House) -> None:
    before = len(states(house, "damp"))
    for value in (50.0, 52.0, 54.9, 55.0, 54.0):
        read(house, "damp", value)
    assert [state.value for state in states(house, "damp")[before:]] == [50.0, 55.0]
    assert house.ledger.stood("damp")[0] == house.state("damp")


def test_a_sensor_that_fails_three_times_shows_its_fault_and_recovers(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    read(house, "warmth", 21.0)
    for _ in range(3):
        read(house, "warmth", None, "the wire is cut")
    state = house.state("warmth")
    assert (state.value, state.fault, state.by.source) == (None, "sensor", "input")
    assert house.ledger.stood("warmth")[0] == state
    assert "the wire is cut" in str(caplog.records[-1].__dict__)
    told = len(states(house, "warmth"))
    read(house, "warmth", None)
    assert len(states(house, "warmth")) == told
    read(house, "warmth", 21.0)
    state = house.state("warmth")
    assert (state.value, state.fault) == (21.0, None)


def test_while_a_sensor_fails_each_reason_is_logged_once(house: House, caplog: pytest.LogCaptureFixture) -> None:
    read(house, "warmth", 21.0)
    house.advance(91)
    for reason in ("its checksum is wrong", "its checksum is wrong", "there is no such", "its checksum is wrong") * 2:
        read(house, "warmth", None, reason)
    told = [record.__dict__["facts"] for record in caplog.records if record.message == "Sensor gives no reading"]
    assert [one["reason"] for one in told if one["device"] == "warmth"] == [
        "it stays silent",
        "its checksum is wrong",
        "there is no such",
    ]
    caplog.clear()
    read(house, "warmth", 21.0)
    for _ in range(3):
        read(house, "warmth", None, "its checksum is wrong")
    assert [record.message for record in caplog.records] == ["Sensor gives no reading"]


def test_a_silent_sensor_is_noticed_without_anything_else_happening(house: House) -> None:
    read(house, "warmth", 21.0)
    house.advance(89)
    assert house.state("warmth").value == 21.0
    house.advance(2)
    assert (house.state("warmth").value, house.state("warmth").fault) == (None, "sensor")
    assert house.state("damp").fault == "sensor"


def test_an_implausible_reading_is_no_reading(house: House, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        read(house, "warmth", -127.0)
    assert house.state("warmth").fault == "sensor"
    assert "it reads -127, which it cannot measure" in str(caplog.records[-1].__dict__)


def test_after_a_restart_the_state_is_null_again_until_a_reading_comes(house: House) -> None:
    read(house, "warmth", 21.0)
    house.restart()
    assert (house.state("warmth").value, house.state("warmth").by.source) == (None, "boot")


def test_a_sensor_obeys_nothing(house: House) -> None:
    ack = house.command("warmth", "on")
    assert ack is not None
    assert (ack.outcome.value, ack.reason) == ("rejected", "unknown-action")


def test_a_reading_of_nobody_is_passed_over(house: House) -> None:
    told = len(house.link.said)
    read(house, "attic", 21.0)
    assert len(house.link.said) == told


def test_a_hanging_sensor_holds_up_neither_the_others_nor_the_stop(tmp_path: Path) -> None:
    """Real threads on the files of two sensors: one never answers, the other does."""
    stuck, good = "28-000000000001", "28-000000000002"
    for name in (stuck, good):
        (tmp_path / name).mkdir()
    os.mkfifo(tmp_path / stuck / "w1_slave")
    (tmp_path / good / "temperature").write_text("21500\n")
    devices = [
        {"id": f"sensor-{address[-1]}", "name": address, "kind": "temperature", "source": "ds18b20", "address": address}
        for address in (stuck, good)
    ]
    probes = [Probe(one["id"], one["address"], 60.0, Ds18b20(one["address"], tmp_path).read) for one in devices]
    house = House(tmp_path, devices, sensors=Reader(probes))
    house.agent.inbox.wait(5.0, house.link)
    house.advance(0)
    house.agent.tick(house.now)
    assert (house.state("sensor-2").value, house.state("sensor-1").value) == (21.5, None)
    house.advance(90)
    assert house.state("sensor-1").fault == "sensor"
    threads = [thread for thread in threading.enumerate() if thread.name.startswith("sensor 28-")]
    house.agent.stop()
    (tmp_path / stuck / "w1_slave").write_text("")  # its driver lets go at last; nobody is told any more
    for thread in threads:
        thread.join(5.0)
    assert [thread.is_alive() for thread in threads] == [False, False]
