"""The pins of a Raspberry Pi through the RPi.GPIO API (on a Pi 5 its drop-in rpi-lgpio). BCM numbers.

`GPIO.cleanup()` is never called: it would let every line fall to its pull, and switch an active-low relay on.
"""

import importlib
from collections.abc import Callable, Iterable
from typing import Any

from device_agents.pins import PinUse
from shared.config import ConfigError
from shared.problem import HomeError

BOARD_PINS = range(28)
"""The BCM numbers on the 40-pin header."""


def load() -> Any:
    """The RPi.GPIO module. Raises ConfigError where it is absent or this is no Raspberry Pi."""
    try:
        return importlib.import_module("RPi.GPIO")
    except (ImportError, RuntimeError) as error:
        raise ConfigError(
            f'pins = "rpi": RPi.GPIO cannot be used ({error}); install homesystem[rpi], on a Pi 5 homesystem[rpi5], '
            'or set pins = "simulated"'
        ) from error


class RpiPins:
    """See device_agents.pins.Pins. `gpio` is the module that `load` returns."""

    def __init__(self, gpio: Any, uses: Iterable[PinUse]) -> None:
        self._gpio = gpio
        self._uses = {use.pin: use for use in uses}
        self._duty: dict[int, tuple[Any, int]] = {}
        gpio.setwarnings(False)  # noqa: FBT003 - the library's own signature
        gpio.setmode(gpio.BCM)

    def driven(self, pin: int) -> int | None:
        """A line that is still an output keeps its level through a restart of the process."""
        gpio, use = self._gpio, self._uses[pin]
        with _translated(pin):
            if gpio.gpio_function(pin) != gpio.OUT:
                return None
            gpio.setup(pin, gpio.OUT)  # without `initial`: takes it over as it stands
            return int(gpio.input(pin)) ^ use.active_low

    def claim(self, pin: int, level: int) -> None:
        """The level is set before the direction, so that a relay never sees another one."""
        gpio, use = self._gpio, self._uses[pin]
        with _translated(pin):
            # A dimmed lamp starts from dark rather than with a flash.
            gpio.setup(pin, gpio.OUT, initial=_raw(use, level if use.frequency is None else level // 100))
            if use.frequency is not None:
                pwm = gpio.PWM(pin, use.frequency)
                pwm.start(_duty(use, level))
                self._duty[pin] = (pwm, level)

    def write(self, pin: int, level: int) -> None:
        """Set the level or the duty cycle."""
        use = self._uses[pin]
        with _translated(pin):
            if use.frequency is None:
                self._gpio.output(pin, _raw(use, level))
            else:
                pwm, _ = self._duty[pin]
                pwm.ChangeDutyCycle(_duty(use, level))
                self._duty[pin] = (pwm, level)

    def read(self, pin: int) -> int:
        """What the line reads; for PWM what was set last, as there is nothing to read."""
        if pin in self._duty:
            return self._duty[pin][1]
        with _translated(pin):
            return int(self._gpio.input(pin)) ^ self._uses[pin].active_low

    def watch(self, changed: Callable[[int], None]) -> None:
        """Inputs with their pulls, and an interrupt for both edges."""
        gpio = self._gpio
        pulls = {"up": gpio.PUD_UP, "down": gpio.PUD_DOWN, "none": gpio.PUD_OFF}
        for use in self._uses.values():
            if not use.output:
                with _translated(use.pin):
                    gpio.setup(use.pin, gpio.IN, pull_up_down=pulls[use.pull])
                    gpio.add_event_detect(use.pin, gpio.BOTH, callback=changed)

    def close(self) -> None:
        """Nothing to do: every line keeps its level."""


def _raw(use: PinUse, level: int) -> int:
    return level ^ use.active_low


def _duty(use: PinUse, level: int) -> int:
    return 100 - level if use.active_low else level


class _translated:  # noqa: N801 - reads as a word: `with _translated(pin)`
    """The library's own errors become HomeError("pin-failed")."""

    def __init__(self, pin: int) -> None:
        self._pin = pin

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        # RPi.GPIO raises RuntimeError and ValueError, rpi-lgpio its own lgpio.error besides.
        if isinstance(error, Exception):
            raise HomeError("pin-failed", f"pin {self._pin}: {error}") from error
