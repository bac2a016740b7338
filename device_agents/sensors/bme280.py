"""A BME280 on an I²C bus that the kernel does not drive itself, through the library RPi.bme280.

Why this one: docs/decisions/0010-sensors.md.
"""

import errno
import importlib
from collections.abc import Callable
from typing import Any

from device_agents.sensors.readings import SensorError
from shared.running.config import ConfigError
from shared.words.names import Kind

_ID_REGISTER = 0xD0
_ID = 0x60
_DRIVEN = 'the kernel drives it; set source = "iio" and address = "bme280", or take its overlay out'
_SKIPPED = {Kind.TEMPERATURE: 0x80000, Kind.HUMIDITY: 0x8000}
"""What the chip's registers hold while it has not measured; compensated, it would look like a value."""


def load() -> tuple[Any, Callable[[int], Any]]:
    """The library, and what opens a bus by its number. Raises ConfigError where they are absent."""
    try:
        return importlib.import_module("bme280"), importlib.import_module("smbus2").SMBus
    except ImportError as error:
        raise ConfigError(
            f'source = "bme280": RPi.bme280 cannot be used ({error}); install homesystem[bme280], or let the kernel '
            'read the sensor and set source = "iio"'
        ) from error


class Bme280:
    """One channel of one sensor. `address` is the bus's number and the sensor's address, such as 1:0x76."""

    def __init__(self, library: Any, open_bus: Callable[[int], Any], address: str, kind: Kind) -> None:
        self._library = library
        self._open_bus = open_bus
        number, _, place = address.partition(":")
        self._number = int(number)
        self._place = int(place, 16)
        self._kind = kind
        self._opened: tuple[Any, Any] | None = None

    def read(self) -> float:
        """°C or %. Raises SensorError."""
        try:
            bus, calibration = self._opened = self._opened or self._open()
            sample = self._library.sample(bus, self._place, calibration)
        except OSError as error:
            self._let_go()
            what = _DRIVEN if error.errno == errno.EBUSY else error.strerror or error
            raise SensorError(f"I²C bus {self._number}, address {self._place:#x}: {what}") from error
        if getattr(sample.uncompensated, self._kind.value) == _SKIPPED[self._kind]:
            self._let_go()  # it may have lost its power, or be another one by now
            raise SensorError("it has not measured")
        return float(getattr(sample, self._kind.value))

    def _open(self) -> tuple[Any, Any]:
        """The bus, and what this very sensor was calibrated to."""
        bus = self._open_bus(self._number)
        try:
            if (found := bus.read_byte_data(self._place, _ID_REGISTER)) != _ID:
                raise SensorError(f"the chip says {found:#x}, and a BME280 says {_ID:#x}; a BMP280 has no humidity")
            return bus, self._library.load_calibration_params(bus, self._place)
        except (OSError, SensorError):
            bus.close()
            raise

    def _let_go(self) -> None:
        if self._opened is not None:
            bus, _ = self._opened
            self._opened = None
            bus.close()
