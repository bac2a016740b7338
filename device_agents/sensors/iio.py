"""Sensors that the kernel knows as industrial I/O: DHT11 and DHT22 (driver dht11), BME280 (bmp280), and many more.

Files and units: Documentation/ABI/testing/sysfs-bus-iio (milli-degrees, milli-percent).
"""

from pathlib import Path

from device_agents.sensors.readings import SensorError
from shared.words.names import Kind

ROOT = Path("/sys/bus/iio/devices")

_FILES = {Kind.TEMPERATURE: "in_temp_input", Kind.HUMIDITY: "in_humidityrelative_input"}


class Iio:
    """One channel. `address` is the device's name (dht11), its folder in `root`, or a path to it or its parent."""

    def __init__(self, address: str, kind: Kind, root: Path = ROOT) -> None:
        self._address = address
        self._file = _FILES[kind]
        self._root = root

    def read(self) -> float:
        """°C or %. Raises SensorError."""
        try:
            text = (self._folder() / self._file).read_text()
            return float(text) / 1000
        except FileNotFoundError as error:
            raise SensorError(f"{self._address} has no {self._file}") from error
        except OSError as error:
            raise SensorError(f"{self._address} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise SensorError("the kernel's answer is no number") from error

    def _folder(self) -> Path:
        if self._address.startswith("/"):
            path = Path(self._address)
            found = [path] if (path / "name").exists() else sorted(path.glob("iio:device*"))
        else:
            found = [path for path in sorted(self._root.glob("iio:device*")) if self._address in _names(path)]
        if len(found) == 1:
            return found[0]
        if not found:
            raise SensorError(f"there is no {self._address} in {self._root}; is its overlay loaded?")
        paths = ", ".join(str(path.resolve().parent) for path in found)
        raise SensorError(f"{len(found)} devices are called {self._address}; set `address` to one of {paths}")


def _names(folder: Path) -> tuple[str, str]:
    return folder.name, (folder / "name").read_text().strip()
