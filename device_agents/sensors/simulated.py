"""Sensors that nobody has to solder: they read what `homesystem sim ROOM/DEVICE 21.5` (or `fail`) drove them to."""

import functools
import logging
import threading
from collections.abc import Callable, Iterable
from pathlib import Path

import msgspec

from device_agents.config import SENSOR_EVERY, DeviceConfig
from device_agents.devices.sensor import FAILURES, RANGES, UNITS
from device_agents.pins.simulation import Driven, Stage
from device_agents.sensors.readings import Reading
from shared.running.log import facts
from shared.words.names import Kind

log = logging.getLogger(__name__)

FAIL = "fail"
IDLE = {Kind.TEMPERATURE: 20.0, Kind.HUMIDITY: 50.0}
"""What is read before anybody drove it."""


class SimulatedSensors:
    """See device_agents.sensors.readings.Sensors. What was driven outlives the process, in `{room}.sensors.json`."""

    def __init__(self, folder: Path, room: str, devices: Iterable[DeviceConfig], stage: Stage) -> None:
        self._file = folder / f"{room}.sensors.json"
        self._devices = tuple(device for device in devices if device.is_sensor)
        self._driven = self._remembered()
        self._heard: Callable[[Reading], None] = lambda _reading: None
        self._closed = threading.Event()
        self._saying = threading.Lock()
        for device in self._devices:
            stage.register(device.id, functools.partial(self._drive, device))

    def start(self, heard: Callable[[Reading], None]) -> None:
        """A first reading of each at once, and one whenever it is driven."""
        if self._devices:
            self._heard = heard
            threading.Thread(target=self._serve, name="sensors", daemon=True).start()

    def close(self) -> None:
        """Say nothing any more."""
        with self._saying:
            self._closed.set()

    def _serve(self) -> None:
        every = min(device.every or SENSOR_EVERY for device in self._devices)
        while not self._closed.is_set():
            for device in self._devices:
                with self._saying:
                    self._say(device)
            self._closed.wait(every)

    def _say(self, device: DeviceConfig) -> None:
        if self._closed.is_set():
            return
        value = self._driven.get(device.id, IDLE[device.kind])
        if value is not None:
            self._heard(Reading(device.id, value))
            return
        for _ in range(FAILURES):  # all at once, as nobody who drives it wants to wait
            self._heard(Reading(device.id, None, f"it was driven to {FAIL}"))

    def _drive(self, device: DeviceConfig, value: str) -> Driven:
        """Called from the stage's thread."""
        assert device.source is not None
        lowest, highest = RANGES[device.source, device.kind]
        number = _number(value)
        if value != FAIL and (number is None or not lowest <= number <= highest):
            takes = f"a number from {lowest:g} to {highest:g} ({UNITS[device.kind]}), or {FAIL}"
            return Driven(ok=False, detail=f"{device.id!r} takes {takes}, not {value!r}.")
        with self._saying:
            self._driven = self._driven | {device.id: number}
            self._remember(device)
            self._say(device)
        return Driven(ok=True)

    def _remember(self, device: DeviceConfig) -> None:
        beside = self._file.with_suffix(".new")
        try:
            beside.write_bytes(msgspec.json.encode(self._driven))
            beside.replace(self._file)
        except OSError as error:
            log.warning("Driven reading will not outlive a restart", extra=facts(device=device.id, reason=error))

    def _remembered(self) -> dict[str, float | None]:
        try:
            return msgspec.json.decode(self._file.read_bytes(), type=dict[str, float | None])
        except FileNotFoundError:
            return {}
        except (OSError, msgspec.DecodeError) as error:
            log.warning("Driven readings are lost", extra=facts(file=self._file, reason=error))
            return {}


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None
