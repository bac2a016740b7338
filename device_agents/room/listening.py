"""The room's inputs: each edge is noted as it happens, with what the pin read then, and understood in its own time.

The loop may be held up for a while, by a disk that syncs above all. What a hand did meanwhile must not be lost.
"""

import logging
import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from device_agents.config import DEBOUNCE_MS
from device_agents.devices.input import Happening, Signal, unsettled
from device_agents.pins.pins import Pins
from device_agents.room.device import Device
from shared.running.log import facts
from shared.words.names import Kind
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

DEAF_SECONDS = 1.0
RESTLESS_SECONDS = 1.0
"""An input whose pin changes for so long without a rest is at fault, until it has held still for as long."""
REST_SECONDS = 0.05
"""So long a pin has to keep a level for a rest: no hand and no door is faster twenty times in a second; mains is."""
UNSTEADY_SECONDS = 5.0
"""A contact that has not held one state for a whole second in so long is at fault, too: no door opens and closes so."""
RETOLD_SECONDS = 600.0
"""An input that comes and goes is told of no more often."""
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
        self._told_restless: set[str] = set()
        self._told_at: dict[str, float] = {}

    def start(self) -> tuple[Device, ...]:
        """Every input as it reads, all of them before anything is done with one: a hand that comes while states go to
        the disk has pressed, and did not hold down all along. Raises HomeError("pin-failed").
        """
        for pin, device in self._by_pin.items():
            assert device.input is not None
            device.heard = self._pins.read(pin)
            device.signal = device.input.start(device.heard)
        return tuple(self._by_pin.values())

    def hear(self, pin: int, at: float) -> None:
        """An edge; called from any thread, at once."""
        try:
            level: int | None = self._pins.read(pin)
        except HomeError:
            level = None  # `listen` reads it again, and tells
        self._edges.append(Edge(pin, level, at))

    @property
    def is_behind(self) -> bool:
        """Whether an edge was heard that `listen` has not understood yet."""
        return bool(self._edges)

    def listen(self, now: float) -> Iterator[News]:
        """Understand what was heard, in its order, then what is due; yields each input at each of its steps."""
        while self._edges:
            edge = self._edges.popleft()
            if (device := self._by_pin.get(edge.pin)) is not None and device.input is not None:
                yield from _steps(device, edge.at)
                device.heard = device.heard if edge.level is None else edge.level
                yield from _stir(device, edge.at)
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
            yield from _stir(device, now)

    def unrest(self, now: float) -> list[tuple[Device, bool]]:
        """The inputs that stopped holding still, or (False) hold still again, since this was asked last."""
        news = []
        for device in self._by_pin.values():
            told = device.id in self._told_restless
            if device.restless == told or (not told and now < self._told_at.get(device.id, -math.inf) + RETOLD_SECONDS):
                continue
            if device.restless:
                self._told_at[device.id] = now
            self._told_restless.symmetric_difference_update({device.id})
            news.append((device, device.restless))
        return news


def _stir(device: Device, at: float) -> Iterator[News]:
    """The pin has changed, or bounced: to be waited out, unless that has been going on for too long."""
    assert device.input is not None
    debounce = (DEBOUNCE_MS if device.config.debounce_ms is None else device.config.debounce_ms) / 1000
    rest = math.inf if device.edge_at is None else at - device.edge_at
    if rest >= max(REST_SECONDS, debounce):
        device.stirred_at = at
    if rest >= RESTLESS_SECONDS:
        device.unsteady_at = at
    device.edge_at = at
    trembles = device.config.kind is Kind.CONTACT and at - device.unsteady_at >= UNSTEADY_SECONDS
    if not device.restless and not trembles and at - device.stirred_at < max(RESTLESS_SECONDS, 2 * debounce):
        device.signal = device.input.edge(device.signal, at)
        return
    news = not device.restless
    device.restless = True
    device.signal = Signal(value=None, level=device.heard, settle_at=at + RESTLESS_SECONDS)
    if news:
        log.error("Input does not hold still", extra=facts(device=device.id))
        yield device, ()


def _steps(device: Device, until: float) -> Iterator[News]:
    """Let the input's time go on to `until`, deadline by deadline, with the level that it held."""
    assert device.input is not None
    while (at := device.signal.deadline) is not None and at <= until:
        if device.restless:  # not any more: as at a start, nothing has happened but that it reads so
            log.info("Input holds still again", extra=facts(device=device.id))
            device.restless, device.edge_at = False, None
            device.signal = device.input.start(device.heard)
            yield device, ()
            continue
        told = device.input.tick(device.signal, device.heard, at)
        device.signal = told.signal
        yield device, told.events
