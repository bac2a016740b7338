"""The pins of a Raspberry Pi through the RPi.GPIO API (on a Pi 5 its drop-in rpi-lgpio). BCM numbers.

`GPIO.cleanup()` is never called: it would let every line fall to its pull, and switch an active-low relay on.
"""

import importlib
from collections.abc import Iterable, Iterator
from typing import Any

from device_agents.pins.pins import Board, Changed, PinUse, translated
from shared.running import installed
from shared.running.config import ConfigError

_INSTEAD = 'set pins = "gpiod", or install rpi-lgpio in its place'


def load() -> Any:
    """The RPi.GPIO module. Raises ConfigError where it is absent or this is no Raspberry Pi."""
    try:
        return importlib.import_module("RPi.GPIO")
    except (ImportError, RuntimeError, OSError) as error:  # OSError: lgpio cannot make its pipe in the working folder
        raise ConfigError(
            f'pins = "rpi": RPi.GPIO cannot be used ({error}); run `{installed.lgpio()}`, which installs what '
            'rpi-lgpio needs, or set pins = "simulated"'
        ) from error


def check(gpio: Any, uses: Iterable[PinUse]) -> None:
    """Ask the board what every pin carries, and touch none. Raises ConfigError naming everything that is in the way.

    rpi-lgpio knows only inputs and outputs, so there a bus is found by none but the rules of device_agents.pins.board.
    """
    carried = {
        gpio.I2C: "I²C",
        gpio.SPI: "SPI",
        gpio.SERIAL: "the serial port",
        gpio.HARD_PWM: "sound or another hardware PWM",
    }
    gpio.setwarnings(False)  # noqa: FBT003 - the library's own signature
    try:
        gpio.setmode(gpio.BCM)
        wrong = [f"devices: {what}" for what in _complaints(gpio, uses, carried)]
    except Exception as error:  # of any kind: RuntimeError from RPi.GPIO, lgpio.error from rpi-lgpio
        raise ConfigError(
            f'pins = "rpi": the pins cannot be reached ({error}); add the user to the group gpio: '
            "sudo usermod -aG gpio USER, and see that there is a /dev/gpiomem, on a Pi 5 a /dev/gpiochip0; where the "
            f"kernel has none, as Debian's own, {_INSTEAD}"
        ) from error
    if wrong:
        raise ConfigError("\n".join(wrong))


class RpiPins:
    """See device_agents.pins.pins.Pins. `gpio` is the module that `load` returns.

    Raises ConfigError before any pin is touched, naming everything that is in the way.
    """

    def __init__(self, gpio: Any, uses: Iterable[PinUse]) -> None:
        self._gpio = gpio
        self._uses = {use.pin: use for use in uses}
        self._duty: dict[int, tuple[Any, int]] = {}
        self._watched: list[int] = []
        check(gpio, self._uses.values())

    def driven(self, pin: int) -> int | None:
        """A line that is still an output keeps its level through a restart of the process."""
        gpio, use = self._gpio, self._uses[pin]
        if hasattr(gpio, "lgpio"):
            # rpi-lgpio reads only what it has claimed, and would make the line an input to look at it: a click.
            return None
        with translated(pin):
            if gpio.gpio_function(pin) != gpio.OUT:
                return None
            gpio.setup(pin, gpio.OUT)  # without `initial`: takes it over as it stands
            return int(gpio.input(pin)) ^ use.active_low

    def claim(self, pin: int, level: int) -> None:
        """The level is set before the direction, so that a relay never sees another one."""
        gpio, use = self._gpio, self._uses[pin]
        with translated(pin):
            # A dimmed lamp starts from dark rather than with a flash.
            gpio.setup(pin, gpio.OUT, initial=_raw(use, level if use.frequency is None else level // 100))
            if use.frequency is not None:
                pwm = gpio.PWM(pin, use.frequency)
                pwm.start(_duty(use, level))
                self._duty[pin] = (pwm, level)

    def write(self, pin: int, level: int) -> None:
        """Set the level or the duty cycle."""
        use = self._uses[pin]
        with translated(pin):
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
        with translated(pin):
            return int(self._gpio.input(pin)) ^ self._uses[pin].active_low

    def watch(self, changed: Changed, _board: Board) -> None:
        """Inputs with their pulls, and an interrupt for both edges; the library tells neither which nor when it was.

        So a pulse that is over before the call is one that nobody knows of. Not with `bouncetime`: rpi-lgpio then tells
        of a short press once, when it is over.
        """
        gpio = self._gpio
        pulls = {"up": gpio.PUD_UP, "down": gpio.PUD_DOWN, "none": gpio.PUD_OFF}
        for use in self._uses.values():
            if not use.output:
                with translated(use.pin):
                    gpio.setup(use.pin, gpio.IN, pull_up_down=pulls[use.pull])
                    try:
                        gpio.add_event_detect(use.pin, gpio.BOTH, callback=changed)
                    except RuntimeError as error:
                        raise RuntimeError(f"{error}; on this kernel RPi.GPIO hears no edges: {_INSTEAD}") from error
                self._watched.append(use.pin)

    def close(self) -> None:
        """Hear no more edges; every line keeps its level."""
        while self._watched:
            pin = self._watched.pop()
            with translated(pin):
                self._gpio.remove_event_detect(pin)


def _raw(use: PinUse, level: int) -> int:
    return level ^ use.active_low


def _duty(use: PinUse, level: int) -> int:
    return 100 - level if use.active_low else level


def _complaints(gpio: Any, uses: Iterable[PinUse], carried: dict[int, str]) -> Iterator[str]:
    for use in uses:
        try:
            function = gpio.gpio_function(use.pin)
        except ValueError:
            yield f"there is no pin {use.pin} ({use.device}) on this board; use another pin"
            continue
        if function not in (gpio.IN, gpio.OUT):
            what = carried.get(function, "something of another driver")
            yield (
                f"pin {use.pin} ({use.device}) carries {what}; use another pin, or switch that off in raspi-config "
                "or config.txt"
            )
