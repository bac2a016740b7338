"""Which pins a room's file gets, and what `--check-config` can say of them without touching one."""

import sys
from pathlib import Path
from typing import Any

import pytest

from device_agents.__main__ import check_pins, pins_of, pins_when_there
from device_agents.config import RoomConfig
from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins import rpi as pins_rpi
from device_agents.pins.chips import AwayError
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.rpi import RpiPins
from device_agents.pins.simulated import SimulatedPins
from shared.running.config import EX_CONFIG, EX_TEMPFAIL, ConfigError
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
        numbered, pins = pins_of(room)
        assert numbered == room
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


# --- names ---------------------------------------------------------------------------------------------------------

NAMED = (
    {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": "RELAY1"},
    {"id": "blind", "name": "Blind", "kind": "cover", "pins": ["UP", 6], "travel_time": 20.0},
)


def test_names_are_the_chips_own_lines(tmp_path: Path, gpiod: FakeGpiod) -> None:
    gpiod.names = {3: "RELAY1", 5: "UP"}
    room, pins = pins_of(room_config(tmp_path, NAMED, **GPIOD))
    assert [device.every_pin for device in room.devices] == [(3,), (5, 6)]
    pins.claim(3, 0)
    pins.close()


def test_a_name_that_is_unknown_or_there_twice_is_told_with_what_is_near(tmp_path: Path, gpiod: FakeGpiod) -> None:
    gpiod.names = {1: "UP", 2: "UP", 3: "RELAY2", 4: "RELAY3"}
    for attempt in (pins_of, check_pins):
        with pytest.raises(ConfigError) as told:
            attempt(room_config(tmp_path, NAMED, **GPIOD))
        assert str(told.value).splitlines() == [
            "devices: /dev/gpiochip0: no line is called 'RELAY1' (lamp); near are RELAY3, RELAY2",
            "devices: /dev/gpiochip0: lines 1 and 2 are all called 'UP' (blind); use the number",
        ]
    gpiod.names = {}
    with pytest.raises(ConfigError, match="this chip names none, so use numbers"):
        check_pins(room_config(tmp_path, NAMED, **GPIOD))
    assert gpiod.board.edges == {}


def test_a_name_and_its_number_are_one_pin(tmp_path: Path, gpiod: FakeGpiod) -> None:
    gpiod.names = {6: "RELAY1", 5: "UP"}
    with pytest.raises(ConfigError, match="pin 6 is used by lamp and blind"):
        pins_of(room_config(tmp_path, NAMED, **GPIOD))


def test_a_line_whose_name_nobody_can_read_is_passed_over(tmp_path: Path, gpiod: FakeGpiod) -> None:
    gpiod.names = {3: "RELAY1", 5: "UP"}
    gpiod.garbled = {9}
    pins_of(room_config(tmp_path, NAMED, **GPIOD))[1].close()


def test_a_line_whose_user_is_no_utf_8_is_a_complaint_and_no_traceback(tmp_path: Path, gpiod: FakeGpiod) -> None:
    gpiod.garbled = {17}
    with pytest.raises(ConfigError, match=r"line 17 \(lamp\): its name, or that of its user, is no UTF-8.*gpioinfo"):
        check_pins(undimmed(tmp_path))
    with pytest.raises(ConfigError, match=r"line 17 \(lamp\): its name, or that of its user, is no UTF-8"):
        pins_of(undimmed(tmp_path))


def test_a_start_waits_for_a_chip_that_comes_late(
    tmp_path: Path, gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    slept: list[float] = []
    fed: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        assert len(fed) == len(slept), "a watchdog is fed before each wait"
        gpiod.name = "gpiochip0" if len(slept) == 5 else "none"

    monkeypatch.setattr("device_agents.__main__.time.sleep", sleep)
    gpiod.name = "none"
    pins_when_there(undimmed(tmp_path), fed.append)[1].close()
    assert slept == [1.0] * 5
    assert fed == sorted(fed)
    assert caplog.text.count("Chip is not there") == 1
    slept.clear()
    monkeypatch.setattr("device_agents.__main__.time.sleep", slept.append)
    gpiod.name = "none"
    with pytest.raises(AwayError, match="there is no /dev/gpiochip0") as away:
        pins_when_there(undimmed(tmp_path), fed.append)
    assert away.value.exit_code == EX_TEMPFAIL
    assert len(slept) == 60


def test_a_chip_that_has_just_come_may_be_roots_alone_for_a_moment(
    tmp_path: Path, gpiod: FakeGpiod, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []

    def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == 2:
            gpiod.refused = None

    monkeypatch.setattr("device_agents.__main__.time.sleep", sleep)
    gpiod.refused = PermissionError(13, "Permission denied")
    pins_when_there(undimmed(tmp_path), lambda _now: None)[1].close()
    assert len(slept) == 2
    gpiod.refused = PermissionError(13, "Permission denied")
    with pytest.raises(ConfigError, match="usermod") as told:
        pins_when_there(undimmed(tmp_path), lambda _now: None)
    assert told.value.exit_code == EX_CONFIG, "what stays so is the file's or the group's fault"
    assert len(slept) < 10


def test_a_check_does_not_wait_and_says_that_the_chip_is_not_there(tmp_path: Path, gpiod: FakeGpiod) -> None:
    gpiod.name = "none"
    with pytest.raises(ConfigError, match="there is no /dev/gpiochip0") as told:
        check_pins(undimmed(tmp_path))
    assert told.value.exit_code == EX_CONFIG


def test_the_unit_starts_an_agent_again_that_waits_for_its_chip() -> None:
    unit = (Path(__file__).parents[4] / "deploy/systemd/homesystem-agent@.service").read_text().splitlines()
    assert {"Restart=always", "RestartPreventExitStatus=78", "StartLimitIntervalSec=0"} <= set(unit)
    assert "RuntimeDirectoryPreserve=restart" in unit, "there stands what the chip was called"
    assert not [line for line in unit if line.startswith("TimeoutStartSec")], "90 s is more than a start waits"
