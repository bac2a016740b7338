"""The RPi.GPIO pins on a library that records its calls: no click at start, none at stop, errors translated."""

import sys
from collections.abc import Callable
from typing import Any

import pytest

from device_agents import pins_rpi
from device_agents.pins import PinUse
from device_agents.pins_rpi import RpiPins
from shared.config import ConfigError
from shared.problem import HomeError


class FakePwm:
    """A PWM channel."""

    def __init__(self, gpio: "FakeGpio", pin: int, hertz: int) -> None:
        self.gpio, self.pin, self.hertz = gpio, pin, hertz

    def start(self, duty: int) -> None:
        self.gpio.calls.append(("start", self.pin, duty))

    def ChangeDutyCycle(self, duty: int) -> None:
        self.gpio.calls.append(("duty", self.pin, duty))


class FakeGpio:
    """The part of RPi.GPIO that we use. Raw levels; lines that are outputs keep theirs."""

    BCM, OUT, IN, BOTH, PUD_UP, PUD_DOWN, PUD_OFF = 11, 0, 1, 33, 22, 21, 20

    def __init__(self) -> None:
        self.calls: list[tuple[Any, ...]] = []
        self.functions: dict[int, int] = {}
        self.levels: dict[int, int] = {}
        self.callbacks: dict[int, Callable[[int], None]] = {}
        self.error: Exception | None = None

    def setwarnings(self, flag: bool) -> None:
        assert not flag

    def setmode(self, mode: int) -> None:
        assert mode == self.BCM

    def gpio_function(self, pin: int) -> int:
        return self.functions.get(pin, self.IN)

    def setup(self, pin: int, direction: int, initial: int | None = None, pull_up_down: int | None = None) -> None:
        if self.error is not None:
            raise self.error
        self.functions[pin] = direction
        if initial is not None:
            self.levels[pin] = initial
        self.calls.append(("setup", pin, direction, initial, pull_up_down))

    def output(self, pin: int, level: int) -> None:
        if self.error is not None:
            raise self.error
        self.levels[pin] = level

    def input(self, pin: int) -> int:
        return self.levels.get(pin, 0)

    def PWM(self, pin: int, hertz: int) -> FakePwm:
        return FakePwm(self, pin, hertz)

    def add_event_detect(self, pin: int, edge: int, callback: Callable[[int], None]) -> None:
        assert edge == self.BOTH
        self.callbacks[pin] = callback


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
    assert (gpio.levels[17], pins.read(17)) == (0, 1)


def test_a_line_that_is_still_driven_is_taken_over_as_it_stands(gpio: FakeGpio) -> None:
    gpio.functions[17], gpio.levels[17] = gpio.OUT, 0
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
    pins.watch(heard.append)
    assert gpio.calls == [("setup", 22, gpio.IN, None, gpio.PUD_UP)]
    gpio.callbacks[22](22)
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
        pins.watch(print)


def test_a_machine_without_the_library_is_told_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "RPi", None)
    with pytest.raises(ConfigError, match=r"homesystem\[rpi5\]"):
        pins_rpi.load()
