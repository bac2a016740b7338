"""Test benches: one kind of pins each, with hands on the wires. Levels on wires are 1 for high, 0 for low."""

import contextlib
from pathlib import Path
from typing import Protocol

import msgspec

from device_agents.pins import simulation
from device_agents.pins.chips import Chip
from device_agents.pins.gpiod import GpiodPins
from device_agents.pins.pins import Pins, PinUse
from device_agents.pins.rpi import RpiPins
from device_agents.pins.simulated import SimulatedPins
from shared.words.problem import HomeError
from tests.unit.device_agents.pins.wires import Board, FakeGpio, FakeGpiod, FakeLgpio

LAMP, HEATER, CONTACT, BELL = 17, 27, 22, 23
USES = (
    PinUse(pin=LAMP, device="lamp", output=True, active_low=True),
    PinUse(pin=HEATER, device="heater", output=True),
    PinUse(pin=CONTACT, device="contact", output=False, active_low=True, pull="up", values=("open", "closed")),
    PinUse(pin=BELL, device="bell", output=False, pull="down", values=("motion", "clear")),
)
CHIP = Chip(path=Path("/dev/gpiochip0"), label="fake", lines=32)


class Bench(Protocol):
    """A board that outlives processes."""

    looks: bool
    """Whether these pins can tell what an earlier process left driven."""
    keeps: bool
    """Whether an output stays when its process is gone, whatever the wiring pulls it to."""

    def pins(self) -> Pins:
        """The pins of a new process."""

    def failing(self) -> Pins:
        """The pins of a process from which the board is torn away."""

    def rests(self, pin: int, level: int) -> None:
        """The wiring's own resistor: where the wire goes when nobody drives it."""

    def drive(self, pin: int, level: int) -> None:
        """Somebody moves an input."""

    def hold(self, pin: int) -> None:
        """Somebody holds an output's wire where it is."""

    def wire(self, pin: int) -> int:
        """What a meter on the wire shows."""

    def edges(self, pin: int) -> list[int]:
        """Every level that the wire took since the last time this was asked."""


class WiredBench:
    """The fakes of real libraries."""

    keeps = True

    def __init__(self, library: FakeGpio | FakeGpiod) -> None:
        self._library = library
        self._board = library.board
        self.looks = not isinstance(library, FakeLgpio)
        for pin in (LAMP, CONTACT):
            self.rests(pin, 1)
            self.edges(pin)

    def pins(self) -> Pins:
        if isinstance(self._library, FakeGpiod):
            return GpiodPins(self._library, CHIP, "hall", USES)
        return RpiPins(self._library, USES)

    def failing(self) -> Pins:
        pins = self.pins()
        self._board.gone = True
        return pins

    def rests(self, pin: int, level: int) -> None:
        self._board.change(pin, outside=level)

    def drive(self, pin: int, level: int) -> None:
        self._board.change(pin, outside=level)

    def hold(self, pin: int) -> None:
        self._board.change(pin, held=self.wire(pin))

    def wire(self, pin: int) -> int:
        return self._board.wires[pin].level

    def edges(self, pin: int) -> list[int]:
        return self._board.edges.pop(pin, [])


def rpi() -> Bench:
    return WiredBench(FakeGpio(Board()))


def rpi5() -> Bench:
    return WiredBench(FakeLgpio(Board()))


def gpiod() -> Bench:
    return WiredBench(FakeGpiod(Board()))


class SimulatedBench:
    """Files instead of wires: they hold logical levels, and nothing but the pins drives them."""

    looks = keeps = True

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._waveform = folder / "hall.jsonl"
        self._uses = {use.pin: use for use in USES}
        self._seen = dict.fromkeys(self._uses, 0)

    def pins(self) -> Pins:
        return SimulatedPins(self._folder, "hall", USES)

    def failing(self) -> Pins:
        self._waveform.symlink_to("/dev/full")
        return self.pins()

    def rests(self, pin: int, level: int) -> None:
        pass  # what nobody drives is off

    def drive(self, pin: int, level: int) -> None:
        use = self._uses[pin]
        values = {0: use.values[0], 1: use.values[1]} if pin == CONTACT else {1: use.values[0], 0: use.values[1]}
        with contextlib.suppress(HomeError):  # nobody listens any more
            simulation.drive(self._folder, "hall", use.device, values[level ^ use.active_low])

    def hold(self, pin: int) -> None:
        simulation.drive(self._folder, "hall", self._uses[pin].device, "stuck")

    def wire(self, pin: int) -> int:
        levels = self._levels(pin)
        return levels[-1] if levels else int(self._uses[pin].active_low)

    def edges(self, pin: int) -> list[int]:
        levels = self._levels(pin)
        new = levels[self._seen[pin] :]
        self._seen[pin] = len(levels)
        return new

    def _levels(self, pin: int) -> list[int]:
        text = self._waveform.read_bytes() if self._waveform.exists() else b""
        lines = [msgspec.json.decode(line) for line in text.splitlines()]
        return [line["level"] ^ self._uses[pin].active_low for line in lines if line["pin"] == pin]
