"""A DS18B20 through the files of the kernel's driver w1_therm. It takes 750 ms to convert, and reading waits for it."""

import re
from pathlib import Path

from device_agents.sensors.readings import SensorError

ROOT = Path("/sys/bus/w1/devices")

_CHECKED = re.compile(r"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)\n.* t=(-?\d+)\n?")
_POWER_ON = 85_000
_NEAR = 5_000
_CONVERTED = 0x10
"""What byte 6 of the scratchpad reads after a conversion to 85 °C; after power-on it is 0x0c (w1_therm.c)."""


class Ds18b20:
    """One sensor on the wire. Without an `address` it is the only one there."""

    def __init__(self, address: str | None, root: Path = ROOT) -> None:
        self._address = address
        self._root = root
        self._last: int | None = None

    def read(self) -> float:
        """°C. Raises SensorError."""
        folder = self._folder()
        try:
            scratchpad, milli = _checked((folder / "w1_slave").read_text())
        except FileNotFoundError:
            scratchpad, milli = None, _plain(folder)
        except OSError as error:
            raise SensorError(f"{folder.name} cannot be read: {error.strerror}") from error
        near = self._last is not None and abs(milli - self._last) <= _NEAR
        if milli == _POWER_ON and not near and (scratchpad is None or scratchpad[6] != _CONVERTED):
            raise SensorError("it reads 85.0, which is what it says before it has measured")
        self._last = milli
        return milli / 1000

    def _folder(self) -> Path:
        if self._address is not None:
            return self._root / self._address
        found = sorted(self._root.glob("28-*"))
        if len(found) == 1:
            return found[0]
        if not found:
            raise SensorError(f"there is no 28-… in {self._root}; is 1-wire switched on, and the sensor connected?")
        raise SensorError(f"there are {', '.join(path.name for path in found)}; set `address` to one of them")


def _checked(text: str) -> tuple[bytes, int]:
    """The scratchpad and m°C."""
    found = _CHECKED.fullmatch(text)
    if found is None:
        raise SensorError("the kernel's answer has not the form that it should have")
    scratchpad = bytes.fromhex(found[1])
    if found[2] != "YES":
        raise SensorError("the checksum is wrong; look at the wire and its pull-up")
    if not any(scratchpad):
        # Nine zeros have the right checksum, and would be 0.0 °C.
        raise SensorError("the wire is held low; look for a short circuit")
    return scratchpad, int(found[3])


def _plain(folder: Path) -> int:
    """m°C from the file without a scratchpad; the kernel has looked at the checksum."""
    try:
        return int((folder / "temperature").read_text())
    except FileNotFoundError as error:
        raise SensorError(f"there is no {folder.name} on the wire") from error
    except OSError as error:
        raise SensorError(f"{folder.name} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise SensorError("the kernel's answer is no number") from error
