"""A DS18B20 through the files of the kernel's driver w1_therm. It takes 750 ms to convert, and reading waits for it."""

import errno
import re
from pathlib import Path
from typing import NoReturn

from device_agents.sensors.readings import SensorError

ROOT = Path("/sys/bus/w1/devices")

_CHECKED = re.compile(r"((?:[0-9a-f]{2} ){9}): crc=[0-9a-f]{2} (YES|NO)\n.* t=(-?\d+)\n?")
_WRONG = "it is unplugged while others answer, or the wire disturbs it: look at its length and its pull-up"
"""The kernel shows nothing that tells these apart, until it drops the folder of one that ten searches did not find."""
_LOW = "00-*"
"""What a search finds on a wire that is held low."""
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
            text = (folder / "w1_slave").read_text()
            scratchpad, milli = _checked(text) if text else _unanswered(folder)
        except FileNotFoundError:
            scratchpad, milli = None, self._plain(folder)
        except OSError as error:
            raise SensorError(f"{folder.name} cannot be read: {error.strerror}") from error
        near = self._last is not None and abs(milli - self._last) <= _NEAR
        if milli == _POWER_ON and not near and (scratchpad is None or scratchpad[6] != _CONVERTED):
            raise SensorError("it reads 85.0, which is what it says before it has measured")
        self._last = milli
        return milli / 1000

    def _plain(self, folder: Path) -> int:
        """m°C from the file without a scratchpad; the kernel has looked at the checksum."""
        try:
            return int((folder / "temperature").read_text())
        except FileNotFoundError as error:
            raise SensorError(self._gone(f"there is no {folder.name}")) from error
        except OSError as error:
            raise SensorError(f"{folder.name} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise SensorError("the kernel's answer is no number") from error

    def _folder(self) -> Path:
        if self._address is not None:
            return self._root / self._address
        found = self._present()
        if len(found) == 1:
            return self._root / found[0]
        if not found:
            raise SensorError(self._gone("there is no 28-…"))
        raise SensorError(f"there are {', '.join(found)}; set `address` to one of them")

    def _present(self) -> list[str]:
        return sorted(path.name for path in self._root.glob("28-*"))

    def _gone(self, what: str) -> str:
        """`what` is missing, and what the kernel found on the wire instead."""
        if not any(self._root.glob("w1_bus_master*")):
            return f"{what}, as there is no 1-wire bus in {self._root}; switch 1-wire on, and restart the board"
        if any(self._root.glob(_LOW)):
            return f"{what}, and the wire is held low; look for a short circuit"
        if found := self._present():
            return f"{what} on the wire, only {', '.join(found)}; it is unplugged, or another one by now"
        return f"{what} on the wire; it is unplugged, or the wire cut"


def _checked(text: str) -> tuple[bytes, int]:
    """The scratchpad and m°C."""
    found = _CHECKED.fullmatch(text)
    if found is None:
        raise SensorError("the kernel's answer has not the form that it should have")
    scratchpad = bytes.fromhex(found[1])
    if found[2] != "YES":
        raise SensorError(f"its checksum is wrong; {_WRONG}")
    if not any(scratchpad):
        # Nine zeros have the right checksum, and would be 0.0 °C.
        raise SensorError("the wire is held low; look for a short circuit")
    return scratchpad, int(found[3])


def _unanswered(folder: Path) -> NoReturn:
    """Why the kernel shows an empty file, where its file for hwmon has an error. Raises SensorError.

    Not `resolution`, whose errors come sooner: reading it on a wire that is held low has the driver convert for 95 ms
    from then on, too short for every later value (w1_therm.c).
    """
    for file in folder.glob("hwmon/hwmon*/temp1_input"):
        try:
            file.read_text()
        except OSError as error:
            if error.errno == errno.ENODEV:
                raise SensorError("nobody answers on the wire; it is unplugged, or the wire cut") from error
            if error.errno == errno.EIO:
                raise SensorError(f"its checksum is wrong; {_WRONG}") from error
            raise SensorError(f"{folder.name} cannot be read: {error.strerror}") from error
        raise SensorError("its checksum was wrong once, and right when asked again; look at the wire and its pull-up")
    raise SensorError(f"the kernel has no answer of it; {_WRONG}")
