"""Every edge of a chip's outputs with the kernel's own time of it, heard from outside whoever holds the lines."""

import os
import re
import time
from collections.abc import Collection
from typing import NamedTuple

from tests.unit.device_agents.pins.chips import TRACE, Chip

_SET = re.compile(r"\s(\d+\.\d+): gpio_value: (\d+) set ([01])")


class Edge(NamedTuple):
    """An output became `level` (1 is high) at `at`, monotonic seconds."""

    at: float
    pin: int
    level: int


class Tape:
    """Runs along from when it is made. A dimmed line belongs to no tape: its edges are many and mean nothing."""

    def __init__(self, chip: Chip, pins: Collection[int]) -> None:
        self.edges: list[Edge] = []
        self._chip = chip
        self._level = {pin: chip.level(pin) for pin in pins}
        (TRACE / "trace_clock").write_text("mono")
        (TRACE / "events/gpio/gpio_value/filter").write_text("get==0")
        (TRACE / "trace").write_text("")
        self._pipe = os.open(TRACE / "trace_pipe", os.O_RDONLY | os.O_NONBLOCK)
        self._text = ""

    def level(self, pin: int) -> int:
        """What the tape has the line at."""
        self.roll()
        return self._level[pin]

    def roll(self) -> None:
        """Take what the kernel has told since."""
        while True:
            try:
                part = os.read(self._pipe, 65536).decode()
            except BlockingIOError:
                return
            assert "LOST" not in part, "the kernel's trace has lost edges: roll more often"
            *lines, self._text = (self._text + part).split("\n")
            for line in lines:
                if (found := _SET.search(line)) is not None:
                    self._saw(Edge(float(found[1]), int(found[2]) - self._chip.base, int(found[3])))

    def look(self) -> None:
        """Take what nobody set as well: a line whose holder is gone went to its resistor. Nobody may move any now."""
        self.roll()
        now = time.monotonic()
        for pin in self._level:
            self._saw(Edge(now, pin, self._chip.level(pin)))

    def close(self) -> None:
        """Listen no more."""
        os.close(self._pipe)
        (TRACE / "events/gpio/gpio_value/filter").write_text("0")

    def _saw(self, edge: Edge) -> None:
        if self._level.get(edge.pin, edge.level) != edge.level:
            self._level[edge.pin] = edge.level
            self.edges.append(edge)
