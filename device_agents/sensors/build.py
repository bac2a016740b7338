"""From a room's settings to what reads its sensors."""

import logging
from collections.abc import Callable, Iterator

from device_agents.config import SENSOR_EVERY, DeviceConfig, RoomConfig, pace
from device_agents.sensors import bme280
from device_agents.sensors.ds18b20 import Ds18b20
from device_agents.sensors.iio import Iio
from device_agents.sensors.reader import Probe
from shared.running.log import facts

log = logging.getLogger(__name__)


def probes(config: RoomConfig) -> Iterator[Probe]:
    """How each sensor of the room is read. Raises ConfigError where a library is missing."""
    for device in config.devices:
        if device.is_sensor:
            wire = f"{device.source} {device.address or ''}".strip()
            asked, every = device.every or SENSOR_EVERY, pace(device, config.devices)
            if every > asked:
                log.warning(
                    "Sensor is read less often than asked: those on its wire measure one after the other",
                    extra=facts(device=device.id, every=asked, seconds=every),
                )
            yield Probe(device.id, wire, every, _read(device))


def _read(device: DeviceConfig) -> Callable[[], float]:
    if device.source == "ds18b20":
        return Ds18b20(device.address).read
    assert device.address is not None
    if device.source == "iio":
        return Iio(device.address, device.kind).read
    library, open_bus = bme280.load()
    return bme280.Bme280(library, open_bus, device.address, device.kind).read
