"""What the chip's pads do, from every write to its registers (BCM2835 ARM Peripherals, chapter 6; a Pi 3 is alike)."""

from collections.abc import Iterator

import msgspec

PADS = 54
OUTPUT = 1
SELECT, SET, CLEAR = range(0x00, 0x18, 4), (0x1C, 0x20), (0x28, 0x2C)
RISING, FALLING, PULL, PULLED = 0x4C, 0x58, 0x94, 0x98
"""Of pads 0 to 31: which edges are listened for, the pull to be given, and to which of them."""
PULL_UP = 2
_SELECTS = 10
"""Pads a GPFSEL register, three bits each."""


class Pad(msgspec.Struct):
    """`function` as in GPFSEL: 0 input, 1 output, else another part of the chip. The latch is what drives an output."""

    function: int = 0
    latch: int = 0

    def level(self, resistor: int) -> int:
        """What a meter shows on the wire, where `resistor` pulls it while nobody drives it."""
        return self.latch if self.function == OUTPUT else resistor


class Pads:
    """All of them, since the chip's reset."""

    def __init__(self) -> None:
        self._now = [Pad() for _ in range(PADS)]
        self._used: set[int] = set()
        self._history: list[list[Pad]] = [[Pad()] for _ in range(PADS)]

    def write(self, register: int, value: int) -> None:
        """A write of 32 bits to a register, named by its offset."""
        for number, pad in self._written(register, value):
            if pad != self._history[number][-1]:
                self._history[number].append(pad)
                self._used.add(number)
            self._now[number] = pad

    def function(self, number: int) -> int:
        return self._now[number].function

    def used(self) -> set[int]:
        """Those that were ever made something other than the inputs that they are after a reset."""
        return set(self._used)

    def selected(self, register: int) -> int:
        """What a GPFSEL register holds."""
        first = register // 4 * _SELECTS
        return sum(pad.function << 3 * at for at, pad in enumerate(self._now[first : first + _SELECTS]))

    def levels(self, number: int, resistor: int) -> list[int]:
        """The level of a pad before the first of the writes since this was last asked, and each that followed."""
        history, self._history[number] = self._history[number], [self._now[number]]
        levels: list[int] = []
        for pad in history:
            if not levels or pad.level(resistor) != levels[-1]:
                levels.append(pad.level(resistor))
        return levels

    def _written(self, register: int, value: int) -> Iterator[tuple[int, Pad]]:
        if register in SELECT:
            first = register // 4 * _SELECTS
            for at, number in enumerate(range(first, min(first + _SELECTS, PADS))):
                yield number, Pad(value >> 3 * at & 7, self._now[number].latch)
        for registers, latch in ((SET, 1), (CLEAR, 0)):
            if register in registers:
                first = 32 * registers.index(register)
                for number in range(first, min(first + 32, PADS)):
                    if value >> number - first & 1:
                        yield number, Pad(self._now[number].function, latch)
