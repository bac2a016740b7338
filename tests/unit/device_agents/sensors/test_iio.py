"""Sensors behind the kernel's industrial I/O, on a tree of files like the kernel's."""

from pathlib import Path

import pytest

from device_agents.sensors.iio import Iio
from device_agents.sensors.readings import SensorError
from shared.words.names import Kind


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """As on a board: a folder of links into the real devices."""
    (tmp_path / "bus").mkdir()
    add(tmp_path / "bus", "platform/dht11@4", 0, "dht11", in_temp_input="21500\n", in_humidityrelative_input="48600\n")
    add(tmp_path / "bus", "i2c-1/1-0076", 1, "bme280", in_temp_input="-3250\n", in_humidityrelative_input="41074.0\n")
    (tmp_path / "bus" / "trigger0").mkdir()
    return tmp_path / "bus"


def add(root: Path, place: str, number: int, name: str, **files: str) -> Path:
    folder = root.parent / "devices" / place / f"iio:device{number}"
    folder.mkdir(parents=True)
    for file, text in (files | {"name": name + "\n"}).items():
        (folder / file).write_text(text)
    (root / folder.name).symlink_to(folder)
    return folder


@pytest.mark.parametrize(
    ("address", "kind", "value"),
    [
        ("dht11", Kind.TEMPERATURE, 21.5),
        ("dht11", Kind.HUMIDITY, 48.6),
        ("bme280", Kind.TEMPERATURE, -3.25),
        ("bme280", Kind.HUMIDITY, 41.074),
        ("iio:device0", Kind.HUMIDITY, 48.6),
    ],
)
def test_a_channel_is_read_by_name(root: Path, address: str, kind: Kind, value: float) -> None:
    assert Iio(address, kind, root).read() == value


def test_a_channel_is_read_by_path_whatever_its_number(root: Path) -> None:
    devices = root.parent / "devices"
    assert Iio(str(devices / "platform" / "dht11@4"), Kind.TEMPERATURE, root).read() == 21.5
    assert Iio(str(root / "iio:device1"), Kind.TEMPERATURE, root).read() == -3.25


def failure(sensor: Iio) -> str:
    with pytest.raises(SensorError) as told:
        sensor.read()
    return str(told.value)


def test_what_is_not_there_is_told(root: Path) -> None:
    assert "there is no dht22" in failure(Iio("dht22", Kind.TEMPERATURE, root))
    assert "there is no /sys/nowhere" in failure(Iio("/sys/nowhere", Kind.TEMPERATURE, root))
    (root / "iio:device1" / "in_humidityrelative_input").unlink()
    assert failure(Iio("bme280", Kind.HUMIDITY, root)) == "bme280 has no in_humidityrelative_input"


def test_two_of_a_name_are_told_apart_by_their_path(root: Path) -> None:
    add(root, "platform/dht11@5", 2, "dht11", in_temp_input="9000\n")
    told = failure(Iio("dht11", Kind.TEMPERATURE, root))
    assert "2 devices are called dht11; set `address` to one of " in told
    path = told.rpartition(", ")[2]
    assert Iio(path, Kind.TEMPERATURE, root).read() == 9.0


def test_what_cannot_be_read_is_told(root: Path) -> None:
    file = root / "iio:device0" / "in_temp_input"
    file.write_text("\n")
    assert failure(Iio("dht11", Kind.TEMPERATURE, root)) == "the kernel's answer is no number"
    file.unlink()
    file.mkdir()
    assert failure(Iio("dht11", Kind.TEMPERATURE, root)) == "dht11 cannot be read: Is a directory"
