"""A room's file, sensors: what fits is read, and what does not is told with what would."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from device_agents import complaints as rules
from device_agents import config
from device_agents.room import build
from shared.running.config import ConfigError
from tests.unit.device_agents.fakes import room_config

WARMTH = {"id": "warmth", "name": "Temperature", "kind": "temperature", "source": "ds18b20"}
DAMP = {"id": "damp", "name": "Humidity", "kind": "humidity", "source": "iio", "address": "dht11"}


def complaints(folder: Path, *devices: dict[str, Any]) -> list[str]:
    room = room_config(folder, [WARMTH])
    raw = [{name: value for name, value in device.items() if value is not None} for device in devices]
    made = msgspec.convert(raw, tuple[config.DeviceConfig, ...])
    return list(rules.of(msgspec.structs.replace(room, devices=made)))


@pytest.mark.parametrize(
    "device",
    [
        WARMTH,
        WARMTH | {"address": "28-0316a2795dff", "every": 2, "report_change": 0.1},
        WARMTH | {"source": "iio", "address": "iio:device0"},
        WARMTH | {"source": "iio", "address": "/sys/devices/platform/dht11@4"},
        WARMTH | {"source": "bme280", "address": "1:0x76"},
        DAMP,
        DAMP | {"source": "bme280", "address": "1:0x77"},
    ],
)
def test_what_fits_is_taken(tmp_path: Path, device: dict[str, Any]) -> None:
    assert complaints(tmp_path, device) == []
    (made,) = room_config(tmp_path, [device]).devices
    assert made.is_sensor
    assert not made.is_output
    assert made.every_pin == ()
    assert build.sensor(made, [made]).is_plausible(42)


@pytest.mark.parametrize(
    ("device", "told"),
    [
        (WARMTH | {"source": None}, "devices[0].source: is missing; it may be ds18b20, iio, bme280 (warmth)"),
        (DAMP | {"source": None}, "devices[0].source: is missing; it may be iio, bme280 (damp)"),
        (
            DAMP | {"source": "ds18b20", "address": None},
            "devices[0].source: a ds18b20 measures no humidity; it may be iio, bme280 (damp)",
        ),
        (
            WARMTH | {"address": "28-0316A2795DFF"},
            "devices[0].address: '28-0316A2795DFF' is none of a ds18b20; give a 1-wire id, such as 28-0316a2795dff; "
            "ls /sys/bus/w1/devices shows it (warmth)",
        ),
        (
            DAMP | {"address": None},
            "devices[0].address: is missing; give the device's name, such as dht11; "
            "cat /sys/bus/iio/devices/*/name shows it (damp)",
        ),
        (
            DAMP | {"source": "bme280", "address": "0x76"},
            "devices[0].address: '0x76' is none of a bme280; "
            "give the I²C bus, then 0x76 or 0x77, such as 1:0x76 (damp)",
        ),
        (
            DAMP | {"pin": 4},
            "devices[0].pin: a humidity has no such setting; it has address, critical, every, id, kind, name, "
            "report_change, source (damp)",
        ),
    ],
)
def test_what_does_not_fit_is_told(tmp_path: Path, device: dict[str, Any], told: str) -> None:
    assert complaints(tmp_path, device) == [told]


def test_what_has_a_pin_has_no_source(tmp_path: Path) -> None:
    lamp = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17, "source": "iio"}
    (told,) = complaints(tmp_path, lamp)
    assert told.startswith("devices[0].source: a switch has no such setting; it has ")


@pytest.mark.parametrize(
    ("setting", "told"),
    [
        ("every = 1.5", "Expected `float` >= 2"),
        ("report_change = 0.05", "Expected `float` >= 0.1"),
        ('source = "dht22"', "Invalid enum value 'dht22'"),
    ],
)
def test_numbers_and_words_out_of_range_are_told(tmp_path: Path, setting: str, told: str) -> None:
    head = '[[devices]]\nid = "warmth"\nname = "T"\nkind = "temperature"\n'
    path = tmp_path / "hall.toml"
    text = 'room = "hall"\nname = "Hall"\npins = "rpi"\ndata = "/tmp/data"\n[broker]\nidentity = "hall"\n[broker.tls]\n'
    path.write_text(text + 'ca = "/a"\ncertificate = "/b"\nkey = "/c"\n' + head + setting + "\n")
    with pytest.raises(ConfigError) as error:
        rules.read(path)
    assert told in str(error.value)
    assert f"devices[0].{setting.split()[0]}" in str(error.value)


def test_several_on_one_wire_need_addresses(tmp_path: Path) -> None:
    other = WARMTH | {"id": "cellar", "address": "28-0316a2795dff"}
    assert complaints(tmp_path, WARMTH, other) == [
        "devices: warmth needs an address, as there are 2 ds18b20: warmth, cellar"
    ]
    assert complaints(tmp_path, WARMTH | {"address": "28-0316a2795d00"}, other) == []


def test_one_sensor_is_one_device_of_each_kind(tmp_path: Path) -> None:
    warmth = DAMP | {"id": "warmth", "kind": "temperature"}
    assert complaints(tmp_path, DAMP, warmth) == []
    assert complaints(tmp_path, DAMP, DAMP | {"id": "mist"}) == [
        "devices: the humidity of dht11 is read by damp and mist; one device is enough"
    ]


def test_a_sensor_is_read_no_more_often_than_its_wire_can(tmp_path: Path) -> None:
    wire = [WARMTH | {"id": f"t{n}", "address": f"28-00000000000{n}", "every": 2} for n in range(8)]
    quick = DAMP | {"every": 2}
    devices = room_config(tmp_path, [*wire, quick]).devices
    assert [config.pace(device, devices) for device in devices] == [6.0] * 8 + [2.0]
    assert config.pace(devices[0], devices[:2]) == 2.0
