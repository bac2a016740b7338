"""A DS18B20 on a tree of files like the kernel's: what is read, and what is not taken for a reading."""

import errno
import os
from pathlib import Path

import pytest

from device_agents.sensors.ds18b20 import Ds18b20
from device_agents.sensors.readings import SensorError

ID = "28-0316a2795dff"
GOOD = "72 01 4b 46 7f ff 0e 10 57 : crc=57 YES\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
BAD_CHECKSUM = "72 01 4b 46 7f ff 0e 10 57 : crc=91 NO\n72 01 4b 46 7f ff 0e 10 57 t=23125\n"
NOBODY = "ff ff ff ff ff ff ff ff ff : crc=c9 NO\n72 01 4b 46 7f ff 0e 10 57 t=-62\n"
HELD_LOW = "00 00 00 00 00 00 00 00 00 : crc=00 YES\n00 00 00 00 00 00 00 00 00 t=0\n"
FROST = "6f fe 4b 46 7f ff 01 10 67 : crc=67 YES\n6f fe 4b 46 7f ff 01 10 67 t=-25062\n"
POWER_ON = "50 05 4b 46 7f ff 0c 10 1c : crc=1c YES\n50 05 4b 46 7f ff 0c 10 1c t=85000\n"
BOILER = "50 05 4b 46 7f ff 10 10 9d : crc=9d YES\n50 05 4b 46 7f ff 10 10 9d t=85000\n"
BOILER_BEFORE = "40 05 4b 46 7f ff 10 10 2f : crc=2f YES\n40 05 4b 46 7f ff 10 10 2f t=84000\n"


def wire(root: Path, text: str | None = None, *, plain: str | None = None, id_: str = ID) -> None:
    """What the kernel shows of one sensor."""
    folder = root / id_
    folder.mkdir(exist_ok=True)
    (root / "w1_bus_master1").mkdir(exist_ok=True)
    if text is not None:
        (folder / "w1_slave").write_text(text)
    if plain is not None:
        (folder / "temperature").write_text(plain)


def failure(sensor: Ds18b20) -> str:
    with pytest.raises(SensorError) as told:
        sensor.read()
    return str(told.value)


@pytest.mark.parametrize(("text", "value"), [(GOOD, 23.125), (FROST, -25.062), (BOILER, 85.0)])
def test_a_good_answer_is_a_temperature(tmp_path: Path, text: str, value: float) -> None:
    wire(tmp_path, text)
    assert Ds18b20(ID, tmp_path).read() == value


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (BAD_CHECKSUM, "its checksum is wrong; it is unplugged while others answer, or the wire disturbs it"),
        (NOBODY, "its checksum is wrong; it is unplugged while others answer, or the wire disturbs it"),
        (HELD_LOW, "the wire is held low"),
        (POWER_ON, "85.0, which is what it says before it has measured"),
        ("", "the kernel has no answer of it; it is unplugged while others answer, or the wire disturbs it"),
        (GOOD[:40], "has not the form"),
    ],
)
def test_a_bad_answer_is_none(tmp_path: Path, text: str, why: str) -> None:
    wire(tmp_path, text)
    assert why in failure(Ds18b20(ID, tmp_path))


def test_a_power_cut_in_between_is_noticed_and_a_boiler_that_stays_hot_is_believed(tmp_path: Path) -> None:
    sensor = Ds18b20(ID, tmp_path)
    wire(tmp_path, GOOD)
    sensor.read()
    wire(tmp_path, POWER_ON)
    failure(sensor)
    wire(tmp_path, BOILER_BEFORE)
    sensor.read()
    wire(tmp_path, POWER_ON)  # a copy of the chip that never sets byte 6
    assert sensor.read() == 85.0


def test_without_a_scratchpad_the_plain_file_is_read(tmp_path: Path) -> None:
    wire(tmp_path, plain="21687\n")
    assert Ds18b20(ID, tmp_path).read() == 21.687
    wire(tmp_path, plain="85000\n")
    assert "85.0" in failure(Ds18b20(ID, tmp_path))
    wire(tmp_path, plain="\n")
    assert "no number" in failure(Ds18b20(ID, tmp_path))


@pytest.mark.parametrize(
    ("number", "why"),
    [
        (errno.ENODEV, "nobody answers on the wire; it is unplugged, or the wire cut"),
        (errno.EIO, "its checksum is wrong; it is unplugged while others answer, or the wire disturbs it"),
        (errno.EAGAIN, f"{ID} cannot be read: Resource temporarily unavailable"),
        (0, "its checksum was wrong once, and right when asked again"),
    ],
)
def test_an_empty_file_is_explained_by_the_file_for_hwmon(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, why: str
) -> None:
    wire(tmp_path, "")
    file = tmp_path / ID / "hwmon" / "hwmon3" / "temp1_input"
    file.parent.mkdir(parents=True)
    file.write_text("20000\n")
    read_text = Path.read_text

    def answer(path: Path) -> str:
        if path == file and number:
            raise OSError(number, os.strerror(number))
        return read_text(path)

    monkeypatch.setattr(Path, "read_text", answer)
    assert why in failure(Ds18b20(ID, tmp_path))


def test_the_only_one_needs_no_address(tmp_path: Path) -> None:
    (tmp_path / "w1_bus_master1").mkdir()
    sensor = Ds18b20(None, tmp_path)
    assert failure(sensor) == "there is no 28-… on the wire; it is unplugged, or the wire cut"
    wire(tmp_path, GOOD)
    assert sensor.read() == 23.125
    wire(tmp_path, GOOD, id_="28-0316a2795e00")
    assert f"there are {ID}, 28-0316a2795e00; set `address`" in failure(sensor)


def test_one_that_is_gone_is_told_with_what_is_there_instead(tmp_path: Path) -> None:
    sensor = Ds18b20(ID, tmp_path)
    assert f"there is no {ID}, as there is no 1-wire bus in {tmp_path}; switch 1-wire on" in failure(sensor)
    (tmp_path / "w1_bus_master1").mkdir()
    assert failure(sensor) == f"there is no {ID} on the wire; it is unplugged, or the wire cut"
    wire(tmp_path, GOOD, id_="28-0316a2795e00")
    assert f"there is no {ID} on the wire, only 28-0316a2795e00; it is unplugged, or another" in failure(sensor)
    (tmp_path / "00-800000000000").mkdir()
    assert failure(sensor) == f"there is no {ID}, and the wire is held low; look for a short circuit"


def test_one_that_cannot_be_read_is_told(tmp_path: Path) -> None:
    (tmp_path / ID / "w1_slave").mkdir(parents=True)
    assert failure(Ds18b20(ID, tmp_path)) == f"{ID} cannot be read: Is a directory"
