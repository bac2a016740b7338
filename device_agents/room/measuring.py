"""The room's sensors in the loop: readings come in, states go out when there is news, and silence is noticed."""

import logging
import time
from collections.abc import Callable

import msgspec

from device_agents.devices.sensor import Gauge, Sensor
from device_agents.room import build
from device_agents.room.device import Device
from device_agents.room.faults import SENSOR
from device_agents.room.room import Room
from device_agents.sensors.readings import Reading, Sensors
from shared.running.log import facts
from shared.words.messages import By, State, utc

log = logging.getLogger(__name__)


class _Measured(msgspec.Struct, kw_only=True, eq=False):
    device: Device
    sensor: Sensor
    gauge: Gauge
    reason: str = ""
    told: set[str] = msgspec.field(default_factory=set)
    """Why it gives no reading, as far as the log says so since it gave one."""


class Measuring:
    """Only the loop calls it. Times are monotonic seconds; `wall` is what a state's `since` goes by."""

    def __init__(self, room: Room, sensors: Sensors | None, *, wall: Callable[[], float] = time.time) -> None:
        self._room = room
        self._sensors = sensors
        self._wall = wall
        every = [device.config for device in room.devices.values()]
        self._measured = {
            device.id: _Measured(device=device, sensor=build.sensor(device.config, every), gauge=Gauge())
            for device in room.devices.values()
            if device.config.is_sensor
        }

    def start(self, now: float, heard: Callable[[Reading], None]) -> None:
        """Begin to read. Every state stays null until its first reading."""
        for one in self._measured.values():
            one.gauge = one.sensor.start(now)
        if self._sensors is not None:
            self._sensors.start(heard)

    def stop(self) -> None:
        """Read no more."""
        if self._sensors is not None:
            self._sensors.close()

    def take(self, reading: Reading, now: float) -> None:
        """A reading came; the next `tick` tells whether it is news."""
        one = self._measured.get(reading.device)
        if one is None:
            return
        one.gauge = one.sensor.read(one.gauge, reading.value, now)
        if reading.value is None:
            one.reason = reading.reason
        elif not one.sensor.is_plausible(reading.value):
            one.reason = f"it reads {reading.value:g}, which it cannot measure"

    def tick(self, now: float) -> list[Device]:
        """The devices of which there is news, their states already remembered."""
        news = []
        for one in self._measured.values():
            one.gauge = one.sensor.tick(one.gauge, now)
            if self._stand(one):
                self._room.remember(one.device)
                news.append(one.device)
        return news

    def deadline(self) -> float | None:
        """When the first sensor will have been silent for too long."""
        due = [one.gauge.deadline for one in self._measured.values() if one.gauge.deadline is not None]
        return min(due, default=None)

    def _stand(self, one: _Measured) -> bool:
        fault = SENSOR if one.gauge.fault else None
        state = one.device.state
        if fault is not None:
            _tell(one)
        if (state.value, state.fault) == (one.gauge.value, fault):
            return False
        if fault is None:
            if state.fault is not None:
                log.info("Sensor reads again", extra=facts(device=one.device.id))
            one.told.clear()
        since = utc(self._wall())
        one.device.state = State(value=one.gauge.value, since=since, by=By(source="input"), fault=fault)
        return True


def _tell(one: _Measured) -> None:
    """Each reason once: the kernel knows more of a sensor that is gone after a while, and some failures take turns."""
    reason = one.reason or ("" if one.told else "it stays silent")
    kind = "".join(sign for sign in reason if not sign.isdigit())  # a number in it may be another each time
    if reason and kind not in one.told:
        one.told.add(kind)
        log.warning("Sensor gives no reading", extra=facts(device=one.device.id, reason=reason))
    one.reason = ""
