"""What sensors give, as the loop sees it. `reader` and `simulated` in device_agents.sensors implement `Sensors`."""

from collections.abc import Callable
from typing import NamedTuple, Protocol


class Reading(NamedTuple):
    """One attempt to read a device's sensor: a value (°C or %), or why there is none."""

    device: str
    value: float | None
    reason: str = ""


class SensorError(Exception):
    """A sensor could not be read; the text says why."""


class Sensors(Protocol):
    """Every sensor of a room that has no pin. Reading one may take long, so none is read by the loop."""

    def start(self, heard: Callable[[Reading], None]) -> None:
        """From now on `heard` is called, from any thread, with each reading."""

    def close(self) -> None:
        """`heard` is called no more. Does not wait for a sensor that hangs."""
