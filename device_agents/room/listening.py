"""The room's inputs: each edge is noted as it happens, with which way it went, and understood in its own time.

The loop may be held up for a while, by a disk that syncs above all. What a hand did meanwhile must not be lost. Where
edges were lost all the same, nothing is guessed: once the input rests it is what it reads, as at a start.
"""

import contextlib
import logging
import math
from collections import deque
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from device_agents.config import DEBOUNCE_MS
from device_agents.devices.input import Happening, Signal
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
EDGES_MOST = 256
"""A pin that flutters costs its own oldest edges, never the board's memory nor another pin's press."""

News = tuple[Device, tuple[Happening, ...]]


class Edge(NamedTuple):
    """A pin changed, or bounced, at `at` (monotonic seconds) to `level`, None if it could not be read; `missed`: others
    before it are not known.
    """

    level: int | None
    at: float
    missed: bool


class Listening:
    """All inputs of a room. Only the loop calls it, save for `hear`."""

    def __init__(self, pins: Pins, devices: Iterable[Device]) -> None:
        self._pins = pins
        self._by_pin = {device.input.pin: device for device in devices if device.input is not None}
        self._edges: dict[int, deque[Edge]] = {pin: deque(maxlen=EDGES_MOST) for pin in self._by_pin}
        self._told: dict[str, str] = {}
        self._told_at: dict[tuple[str, str], float] = {}

    def start(self) -> tuple[Device, ...]:
        """Every input as it reads, all of them before anything is done with one: a hand that comes while states go to
        the disk has pressed, and did not hold down all along. Raises HomeError("pin-failed").

        A hand may come before even that. What was heard by now says where the input stood before.
        """
        for pin, device in self._by_pin.items():
            assert device.input is not None
            device.heard = self._pins.read(pin)
            self._pins.read(pin)  # tells of an edge that came together with the level
            if (edges := self._edges[pin]) and edges[0].level is not None and not edges[0].missed:
                device.heard = 1 - edges[0].level
            device.signal = device.input.start(device.heard)
        return tuple(self._by_pin.values())

    def hear(self, pin: int, level: int | None, at: float, *, missed: bool = False) -> None:
        """An edge; called from any thread, at once. Without a `level` it is what the pin reads."""
        if level is None:
            with contextlib.suppress(HomeError):  # `listen` reads it again, and tells
                level = self._pins.read(pin)
        edges = self._edges[pin]
        if len(edges) == EDGES_MOST:
            with contextlib.suppress(IndexError):  # taken just now
                edges[1] = edges[1]._replace(missed=True)
        edges.append(Edge(level, at, missed))

    @property
    def is_behind(self) -> bool:
        """Whether an edge was heard that `listen` has not understood yet."""
        return any(self._edges.values())

    def listen(self, now: float) -> Iterator[News]:
        """Understand what was heard, in its order, then what is due; yields each input at each of its steps."""
        yield from self._understand()
        for pin, device in self._by_pin.items():
            if device.signal.deadline is not None and device.signal.deadline <= now:
                level = self._read(pin, device)
                yield from self._understand()  # reading tells of every edge that was on its way
                yield from _look(device, level, now)

    def _understand(self) -> Iterator[News]:
        while waiting := [(edges[0].at, pin) for pin, edges in self._edges.items() if edges]:
            pin = min(waiting)[1]
            device, edge = self._by_pin[pin], self._edges[pin].popleft()
            yield from _steps(device, edge.at)
            device.heard = device.heard if edge.level is None else edge.level
            yield from _stir(device, edge.at, missed=edge.missed)

    def _read(self, pin: int, device: Device) -> int | None:
        try:
            return self._pins.read(pin)
        except HomeError as error:
            if not device.deaf:
                log.error("Input cannot be read", extra=facts(device=device.id, reason=error.detail))
            return None

    def lose(self, now: float) -> Iterator[News]:
        """No pin can be read any more; yields each input."""
        for device in self._by_pin.values():
            yield from _look(device, None, now)

    def remember_told(self, device: Device, fault: str) -> None:
        """An earlier process told of this fault: its end is to be told."""
        self._told[device.id] = fault

    def ailing(self, now: float) -> list[tuple[Device, str, bool]]:
        """The inputs that have got a fault since this was asked last, or (True) that have it no more, and which."""
        news = []
        for device in self._by_pin.values():
            fault, told = device.ailment, self._told.get(device.id)
            if fault == told:
                continue
            if told is not None:
                del self._told[device.id]
                news.append((device, told, True))
            if fault is not None and now >= self._told_at.get((device.id, fault), -math.inf) + RETOLD_SECONDS:
                self._told_at[device.id, fault] = now
                self._told[device.id] = fault
                news.append((device, fault, False))
        return news


def _look(device: Device, level: int | None, now: float) -> Iterator[News]:
    """What is due, where the pin reads `level`; one that cannot be read is asked again in a second."""
    assert device.input is not None
    if level is None:
        device.deaf, device.restless, device.blurred = True, False, False
        device.signal = Signal(value=None, level=device.heard, settle_at=now + DEAF_SECONDS)
        yield device, ()
        return
    if device.deaf:
        device.deaf, device.heard = False, level
        device.signal = device.input.start(level)
        yield device, ()
    yield from _steps(device, now)
    if level != device.heard:  # an edge that nobody told of, or not yet
        device.heard = level
        yield from _stir(device, now)


def _stir(device: Device, at: float, *, missed: bool = False) -> Iterator[News]:
    """The pin has changed, or bounced: to be waited out, unless that has been going on for too long.

    `missed`: it has changed before, nobody knows how often.
    """
    assert device.input is not None
    debounce = (DEBOUNCE_MS if device.config.debounce_ms is None else device.config.debounce_ms) / 1000
    rest = math.inf if device.edge_at is None else 0.0 if missed else at - device.edge_at
    if rest >= max(REST_SECONDS, debounce):
        device.stirred_at = at
    if rest >= RESTLESS_SECONDS:
        device.unsteady_at = at
    device.edge_at = at
    trembles = device.config.kind is Kind.CONTACT and at - device.unsteady_at >= UNSTEADY_SECONDS
    if not device.restless and not trembles and at - device.stirred_at < max(RESTLESS_SECONDS, 2 * debounce):
        if missed:
            device.blurred = True
            device.signal = Signal(value=device.signal.value, level=device.heard)
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
    while (at := device.signal.deadline) is not None and at <= until and not device.deaf:
        if device.restless or device.blurred:  # not any more: as at a start, nothing has happened but that it reads so
            if device.restless:
                log.info("Input holds still again", extra=facts(device=device.id))
                device.edge_at = None
            device.restless = device.blurred = False
            device.signal = device.input.start(device.heard)
            yield device, ()
            continue
        told = device.input.tick(device.signal, device.heard, at)
        device.signal = told.signal
        yield device, told.events
