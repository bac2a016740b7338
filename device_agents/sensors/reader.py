"""The threads that read sensors, one for each: a sensor that hangs holds up neither the loop nor another sensor."""

import logging
import threading
import time
from collections.abc import Callable, Iterable
from typing import NamedTuple

from device_agents.sensors.readings import Reading, SensorError
from shared.running.log import facts

log = logging.getLogger(__name__)


class Probe(NamedTuple):
    """How one device is read: `read` gives °C or %, or raises SensorError. `every`: from one beginning to the next.

    Devices on the same `wire` share a sensor, and are read one after the other.
    """

    device: str
    wire: str
    every: float
    read: Callable[[], float]


class Reader:
    """See device_agents.sensors.readings.Sensors."""

    def __init__(self, probes: Iterable[Probe]) -> None:
        self._wires: dict[str, list[Probe]] = {}
        for probe in probes:
            self._wires.setdefault(probe.wire, []).append(probe)
        self._heard: Callable[[Reading], None] = lambda _reading: None
        self._closed = threading.Event()
        self._saying = threading.Lock()

    def start(self, heard: Callable[[Reading], None]) -> None:
        """One thread per wire; a first reading of each device at once."""
        self._heard = heard
        for wire, probes in self._wires.items():
            threading.Thread(target=self._serve, args=(probes,), name=f"sensor {wire}", daemon=True).start()

    def close(self) -> None:
        """A thread that is just reading ends when that is over, and says nothing any more."""
        with self._saying:
            self._closed.set()

    def _serve(self, probes: list[Probe]) -> None:
        due = dict.fromkeys(probes, 0.0)
        while True:
            probe = min(probes, key=lambda one: due[one])
            if self._closed.wait(due[probe] - time.monotonic()):
                return
            due[probe] = time.monotonic() + probe.every
            reading = _read(probe)
            with self._saying:
                if self._closed.is_set():
                    return
                self._heard(reading)


def _read(probe: Probe) -> Reading:
    try:
        return Reading(probe.device, probe.read())
    except SensorError as error:
        return Reading(probe.device, None, str(error))
    except Exception as error:
        log.exception("Reading a sensor failed", extra=facts(device=probe.device))
        return Reading(probe.device, None, str(error))
