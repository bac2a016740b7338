"""The room's inputs: each edge is noted as it happens, with what the pin read then, and understood in its own time.

The loop may be held up for a while, by a disk that syncs above all. What a hand did meanwhile must not be lost.
"""

import logging
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from device_agents.device import Device
from device_agents.devices.input import Happening, unsettled
from device_agents.pins import Pins
from shared.log import facts
from shared.problem import HomeError

log = logging.getLogger(__name__)

DEAF_SECONDS = 1.0
EDGES_MOST = 1024
"""A pin that flutters costs its oldest edges, never the board's memory; what it reads in the end is read anyway."""

News = tuple[Device, tuple[Happening, ...]]


class Edge(NamedTuple):
    """A pin changed, or bounced, at `at` (monotonic seconds); `level` is what it read just then, None if it could not
    be read.
    """

    pin: int
    level: int | None
    at: float


class Listening:
    """All inputs of a room. Only the loop calls it, save for `hear`."""

    def __init__(self, pins: Pins, devices: Iterable[Device]) -> None:
        self._pins = pins
        self._by_pin = {device.input.pin: device for device in devices if device.input is not None}
        self._edges: deque[Edge] = deque(maxlen=EDGES_MOST)

    def start(self) -> Iterator[Device]:
        """Every input as it reads. Raises HomeError("pin-failed")."""
        for pin, device in self._by_pin.items():
            assert device.input is not None
            device.heard = self._pins.read(pin)
            device.signal = device.input.start(device.heard)
            yield device

    def hear(self, pin: int, at: float) -> None:
        """An edge; called from any thread, at once."""
        try:
            level: int | None = self._pins.read(pin)
        except HomeError:
            level = None  # `listen` reads it again, and tells
        self._edges.append(Edge(pin, level, at))

    def listen(self, now: float) -> Iterator[News]:
        """Understand what was heard, in its order, then what is due; yields each input at each of its steps."""
        while self._edges:
            edge = self._edges.popleft()
            if (device := self._by_pin.get(edge.pin)) is not None and device.input is not None:
                yield from _steps(device, edge.at)
                device.signal = device.input.edge(device.signal, edge.at)
                device.heard = device.heard if edge.level is None else edge.level
        for pin, device in self._by_pin.items():
            if device.signal.deadline is not None and device.signal.deadline <= now:
                yield from self._look(pin, device, now)

    def _look(self, pin: int, device: Device, now: float) -> Iterator[News]:
        """What is due; an input whose pin cannot be read is asked again in a second, and holds up nothing else."""
        assert device.input is not None
        try:
            level = self._pins.read(pin)
        except HomeError as error:
            if not device.deaf:
                log.error("Input cannot be read", extra=facts(device=device.id, reason=error.detail))
            device.deaf = True
            device.signal = unsettled(device.signal, DEAF_SECONDS, now)
            yield device, ()
            return
        if device.deaf:
            device.deaf, device.heard = False, level
        yield from _steps(device, now)
        if level != device.heard:  # an edge that is on its way to us, or that nobody told of
            device.heard = level
            device.signal = device.input.edge(device.signal, now)


def _steps(device: Device, until: float) -> Iterator[News]:
    """Let the input's time go on to `until`, deadline by deadline, with the level that it held."""
    assert device.input is not None
    while (at := device.signal.deadline) is not None and at <= until:
        told = device.input.tick(device.signal, device.heard, at)
        device.signal = told.signal
        yield device, told.events
