"""The RPi.GPIO pins on a library that records its calls: no click at start, none at stop, errors translated."""

import sys

import pytest

from device_agents.pins import rpi as pins_rpi
from device_agents.pins.pins import PinUse
from device_agents.pins.rpi import RpiPins
from shared.running.config import ConfigError
from shared.words.problem import HomeError
from tests.unit.device_agents.pins.wires import FakeGpio, FakeLgpio

USES = (
    PinUse(pin=17, device="lamp", output=True, active_low=True),
    PinUse(pin=18, device="dimmer", output=True, frequency=200),
    PinUse(pin=19, device="strip", output=True, frequency=100, active_low=True),
    PinUse(pin=22, device="contact", output=False, active_low=True, pull="up"),
)


@pytest.fixture
def gpio() -> FakeGpio:
    return FakeGpio()


def test_the_level_is_set_with_the_direction(gpio: FakeGpio) -> None:
    pins = RpiPins(gpio, USES)
    pins.claim(17, 0)
    assert gpio.calls == [("setup", 17, gpio.OUT, 1, None)]
    pins.write(17, 1)
    assert (gpio.board.wires[17].level, pins.read(17)) == (0, 1)


def test_a_line_that_is_still_driven_is_taken_over_as_it_stands(gpio: FakeGpio) -> None:
    gpio.board.change(17, output=True, latch=0)
    pins = RpiPins(gpio, USES)
    assert pins.driven(17) == 1
    assert pins.driven(18) is None
    assert gpio.calls == [("setup", 17, gpio.OUT, None, None)]


def test_pwm_has_a_duty_cycle(gpio: FakeGpio) -> None:
    pins = RpiPins(gpio, USES)
    pins.claim(18, 40)
    pins.claim(19, 30)
    pins.write(18, 0)
    pins.write(19, 100)
    assert gpio.calls[1::2][:1] == [("start", 18, 40)]
    assert gpio.calls[-3:] == [("start", 19, 70), ("duty", 18, 0), ("duty", 19, 0)]
    assert (pins.read(18), pins.read(19)) == (0, 100)


def test_inputs_get_their_pull_and_tell_their_edges(gpio: FakeGpio) -> None:
    pins = RpiPins(gpio, USES)
    heard: list[int] = []
    pins.watch(lambda pin, *_edge, **_more: heard.append(pin), lambda *, there: None)
    assert gpio.calls == [("setup", 22, gpio.IN, None, gpio.PUD_UP)]
    assert pins.read(22) == 0
    gpio.board.change(22, outside=0)
    assert heard == [22]
    assert pins.read(22) == 1


def test_closing_lets_every_level_be(gpio: FakeGpio) -> None:
    pins = RpiPins(gpio, USES)
    pins.claim(17, 1)
    calls = list(gpio.calls)
    pins.close()
    assert gpio.calls == calls
    assert not hasattr(gpio, "cleanup")


@pytest.mark.parametrize("error", [RuntimeError("not allowed"), ValueError("no such channel"), OSError("gone")])
def test_what_the_library_raises_is_a_pin_that_failed(gpio: FakeGpio, error: Exception) -> None:
    pins = RpiPins(gpio, USES)
    pins.claim(17, 0)
    gpio.error = error
    with pytest.raises(HomeError, match="pin 17"):
        pins.write(17, 1)
    with pytest.raises(HomeError, match="pin 22"):
        pins.watch(lambda *_edge, **_more: None, lambda *, there: None)


def test_inputs_that_the_kernel_no_longer_lets_it_hear_are_told(gpio: FakeGpio) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise RuntimeError("Failed to add edge detection")

    gpio.add_event_detect = refuse  # type: ignore[method-assign]
    with pytest.raises(HomeError, match=r'pin 22: Failed to add edge detection.*on this kernel.*pins = "gpiod"'):
        RpiPins(gpio, USES).watch(lambda *_edge, **_more: None, lambda *, there: None)


def test_rpi_lgpio_is_never_asked_to_look_at_a_line_since_that_moves_it() -> None:
    gpio = FakeLgpio()
    gpio.board.change(17, output=True, latch=1)
    pins = RpiPins(gpio, USES)
    assert pins.driven(17) is None
    pins.claim(17, 0)
    assert gpio.board.edges[17] == [1]  # ours, above


# --- before any pin is touched ------------------------------------------------------------------------------------


def test_everything_that_is_in_the_way_is_told_before_a_pin_is_touched(gpio: FakeGpio) -> None:
    gpio.functions = {17: gpio.I2C, 18: gpio.HARD_PWM, 19: gpio.SPI, 22: gpio.UNKNOWN}
    with pytest.raises(ConfigError) as told:
        RpiPins(gpio, (*USES, PinUse(pin=99, device="gate", output=True)))
    assert str(told.value).splitlines() == [
        "devices: pin 17 (lamp) carries I²C; use another pin, or switch that off in raspi-config or config.txt",
        "devices: pin 18 (dimmer) carries sound or another hardware PWM; use another pin, or switch that off in "
        "raspi-config or config.txt",
        "devices: pin 19 (strip) carries SPI; use another pin, or switch that off in raspi-config or config.txt",
        "devices: pin 22 (contact) carries something of another driver; use another pin, or switch that off in "
        "raspi-config or config.txt",
        "devices: there is no pin 99 (gate) on this board; use another pin",
    ]
    assert gpio.calls == []


def test_rpi_lgpio_which_knows_no_buses_is_believed() -> None:
    gpio = FakeLgpio()
    gpio.functions[17] = gpio.I2C
    pins_rpi.check(gpio, USES)


@pytest.mark.parametrize("error", [RuntimeError("No access to /dev/mem"), Exception("can not open gpiochip")])
def test_pins_that_may_not_be_reached_are_told_with_the_group(gpio: FakeGpio, error: Exception) -> None:
    gpio.error = error
    with pytest.raises(ConfigError, match=rf"{error}.*usermod -aG gpio") as told:
        RpiPins(gpio, USES)
    assert len(str(told.value).splitlines()) == 1


def test_a_machine_without_the_library_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(ConfigError, match=r"install\.sh room"):
        pins_rpi.load()
