"""Which pins a room's file gets, and what `--check-config` can say of them without touching one."""

import sys
from pathlib import Path
from typing import Any

import pytest

from device_agents.__main__ import check_pins, pins_of
from device_agents.config import RoomConfig
from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins import rpi as pins_rpi
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.rpi import RpiPins
from device_agents.pins.simulated import SimulatedPins
from shared.running.config import ConfigError
from tests.unit.device_agents.fakes import DEVICES, room_config
from tests.unit.device_agents.pins.wires import FakeGpio, FakeGpiod

GPIOD: dict[str, Any] = {"pins": "gpiod", "chip": Path("/dev/gpiochip0")}


@pytest.fixture
def gpio(monkeypatch: pytest.MonkeyPatch) -> FakeGpio:
    made = FakeGpio()
    monkeypatch.setattr(pins_rpi, "load", lambda: made)
    return made


@pytest.fixture
def gpiod(monkeypatch: pytest.MonkeyPatch) -> FakeGpiod:
    made = FakeGpiod()
    monkeypatch.setattr(pins_gpiod, "load", lambda: made)
    return made


def undimmed(folder: Path) -> RoomConfig:
    return room_config(folder, [device for device in DEVICES if device["kind"] != "dimmer"], **GPIOD)


@pytest.mark.usefixtures("gpio", "gpiod")
def test_each_room_gets_the_pins_that_its_file_names(tmp_path: Path) -> None:
    for room, kind in (
        (room_config(tmp_path), SimulatedPins),
        (room_config(tmp_path, pins="rpi"), RpiPins),
        (undimmed(tmp_path), GpiodPins),
    ):
        pins = pins_of(room)
        assert type(pins) is kind
        pins.close()


def test_a_check_says_what_is_in_the_way_and_touches_nothing(
    tmp_path: Path, gpio: FakeGpio, gpiod: FakeGpiod, capsys: pytest.CaptureFixture[str]
) -> None:
    check_pins(room_config(tmp_path))
    check_pins(room_config(tmp_path, pins="rpi"))
    check_pins(undimmed(tmp_path))
    assert capsys.readouterr().err == ""
    gpio.functions[17] = gpio.SPI
    with pytest.raises(ConfigError, match=r"pin 17 \(lamp\) carries SPI"):
        check_pins(room_config(tmp_path, pins="rpi"))
    gpiod.consumers[17] = "uart"
    with pytest.raises(ConfigError, match=r"(?s)17 \(lamp\) is used by 'uart'.*18 \(dimmer\): a dimmer needs PWM"):
        check_pins(room_config(tmp_path, **GPIOD))
    assert (gpio.calls, gpiod.board.edges) == ([], {})


def test_a_machine_without_the_library_checks_the_file_and_says_what_it_did_not_see(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "gpiod", None)
    check_pins(undimmed(tmp_path))
    assert "its pins were not looked at" in capsys.readouterr().err
    with pytest.raises(ConfigError, match=r"install\.sh room"):
        pins_of(undimmed(tmp_path))
