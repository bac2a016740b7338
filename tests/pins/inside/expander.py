"""A PCA9555, an expander of sixteen lines on I²C, as the kernel's own driver sees it on registers in memory.

Its registers are read, and what is written to them is heard, from outside whoever holds the lines.
"""

import re
from pathlib import Path

from smbus2 import SMBus

from tests.pins.inside.loading import load

PLACE = 0x20
OUTPUT, DIRECTION = 2, 6
"""Of the lines 0 to 7; those of 8 to 15 come next. 1 in the direction is an input (NXP PCA9555, table 5)."""
_TRACE = Path("/sys/kernel/tracing")
_WRITE = re.compile(r"smbus_write: i2c-\d+ a=020 f=\w+ c=(\w+) (?:BYTE|WORD)_DATA l=\d+ \[([0-9a-f-]+)\]")


class Expander:
    """One of them, with everything at rest."""

    def __init__(self) -> None:
        load("i2c-stub", f"chip_addr={PLACE:#x}")
        load("i2c-dev")
        load("gpio-pca953x")
        bus = next(p for p in Path("/sys/bus/i2c/devices").glob("i2c-*") if "stub" in (p / "name").read_text())
        self._bus = SMBus(int(bus.name.removeprefix("i2c-")))
        for register, value in {0: 0xFF, 1: 0xFF, 2: 0xFF, 3: 0xFF, 4: 0, 5: 0, 6: 0xFF, 7: 0xFF}.items():
            self._bus.write_byte_data(PLACE, register, value)  # as after power-on
        (bus / "new_device").write_text(f"pca9555 {PLACE:#x}\n")
        self.path = Path("/dev") / next(bus.glob(f"*-00{PLACE:02x}/gpiochip*")).name
        (_TRACE / "events/smbus/smbus_write/enable").write_text("1")

    def drives(self, line: int) -> int | None:
        """What an output is driven to; None for an input."""
        register, bit = divmod(line, 8)
        if self._read(DIRECTION + register) >> bit & 1:
            return None
        return self._read(OUTPUT + register) >> bit & 1

    def settle(self) -> None:
        """The wires follow what drives them, others their resistors to 3.3 V; memory does not do that by itself."""
        for register in (0, 1):
            level = self._read(OUTPUT + register) | self._read(DIRECTION + register)
            self._bus.write_byte_data(PLACE, register, level, force=True)

    def written(self, line: int) -> list[str]:
        """Each "output 0", "output 1", "drives" or "listens" that was written since, as far as it concerns the line."""
        register, bit = divmod(line, 8)
        said = (_TRACE / "trace").read_text()
        (_TRACE / "trace").write_text("")
        words = []
        for where, what in _WRITE.findall(said):
            first, values = int(where, 16), [int(value, 16) for value in what.split("-")]
            for offset, value in enumerate(values):
                if first + offset == OUTPUT + register:
                    words.append(f"output {value >> bit & 1}")
                elif first + offset == DIRECTION + register:
                    words.append("listens" if value >> bit & 1 else "drives")
        return words

    def _read(self, register: int) -> int:
        return int(self._bus.read_byte_data(PLACE, register, force=True))
