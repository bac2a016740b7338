"""From a room's settings to what reads its sensors."""

import sys
from pathlib import Path
from typing import Any

import pytest

from device_agents.__main__ import sensors_of
from device_agents.sensors.build import probes
from device_agents.sensors.reader import Reader
from shared.running.config import ConfigError
from tests.unit.device_agents.fakes import FakePins, room_config

DEVICES: tuple[dict[str, Any], ...] = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17},
    {"id": "cellar", "name": "Cellar", "kind": "temperature", "source": "ds18b20"},
    {"id": "warmth", "name": "Temperature", "kind": "temperature", "source": "iio", "address": "dht11", "every": 5},
    {"id": "damp", "name": "Humidity", "kind": "humidity", "source": "iio", "address": "dht11"},
    {"id": "mist", "name": "Bath", "kind": "humidity", "source": "bme280", "address": "1:0x77"},
)


def test_every_sensor_is_read_and_channels_of_one_sensor_share_its_wire(tmp_path: Path) -> None:
    made = [(probe.device, probe.wire, probe.every) for probe in probes(room_config(tmp_path, DEVICES))]
    assert made == [
        ("cellar", "ds18b20", 30.0),
        ("warmth", "iio dht11", 5.0),
        ("damp", "iio dht11", 30.0),
        ("mist", "bme280 1:0x77", 30.0),
    ]


def test_what_a_wire_has_no_time_for_is_told_at_the_start(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    wire = [DEVICES[1] | {"id": f"t{n}", "address": f"28-00000000000{n}"} for n in range(8)]
    assert {probe.every for probe in probes(room_config(tmp_path, wire))} == {30.0}
    assert not caplog.records
    wire[3]["every"] = 2
    assert [probe.every for probe in probes(room_config(tmp_path, wire))] == [30.0] * 3 + [6.0] + [30.0] * 4
    (record,) = caplog.records
    assert record.__dict__["facts"] == {"device": "t3", "every": 2.0, "seconds": 6.0}


def test_real_pins_come_with_real_sensors(tmp_path: Path) -> None:
    assert isinstance(sensors_of(room_config(tmp_path, DEVICES, pins="rpi"), FakePins()), Reader)


def test_a_library_that_is_missing_is_told_before_anything_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "bme280", None)
    room = room_config(tmp_path, DEVICES, pins="rpi")
    with pytest.raises(ConfigError, match=r"homesystem\[bme280\]"):
        sensors_of(room, FakePins())
    assert isinstance(sensors_of(room_config(tmp_path, DEVICES[:4], pins="rpi"), FakePins()), Reader)
