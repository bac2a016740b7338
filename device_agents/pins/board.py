"""The 40-pin header of a Raspberry Pi: its BCM numbers, and those that carry something before anybody wires a device.

The HAT specification keeps 0 and 1 for the EEPROM; 2 and 3 have 1.8 kΩ to 3.3 V on the board itself.
"""

import re
from collections.abc import Collection, Iterable, Iterator

HEADER = range(28)
"""The BCM numbers on the 40-pin header."""

_CARRIES = {
    0: "the data line to a HAT's EEPROM",
    1: "the clock line to a HAT's EEPROM",
    2: "I²C data, and has a pull-up that nothing can switch off",
    3: "I²C clock, and has a pull-up that nothing can switch off",
    14: "the serial console's output, which moves while the Pi starts",
    15: "the serial console's input",
}
QUIET = frozenset({5, 6, 16, 17, *range(20, 28)})
"""Those that carry nothing by default, whatever is switched on: the first to use."""
PLACES = dict(
    zip(
        HEADER,
        (27, 28, 3, 5, 7, 29, 31, 26, 24, 21, 19, 23, 32, 33, 8, 10, 36, 11, 12, 35, 38, 40, 15, 16, 18, 22, 37, 13),
        strict=True,
    )
)
"""Where on the header each BCM number is."""
_NAME = re.compile(r"GPIO(\d{1,3})")


def numbers(names: Iterable[str]) -> dict[str, int]:
    """The BCM numbers of those that are names of pins, such as GPIO17."""
    return {name: int(found[1]) for name in names if (found := _NAME.fullmatch(name)) is not None}


def is_spoken_for(pin: int) -> bool:
    """Whether a pin carries something before anybody wires a device."""
    return pin in _CARRIES


def complaints(users: Iterable[tuple[int, str]], free: Collection[int]) -> Iterator[str]:
    """What is wrong with these pins for these devices, as (pin, device).

    `free` are pins of which the owner says that they may be used all the same.
    """
    for pin, device in users:
        if pin in free:
            continue  # also one beyond the header: a compute module has more
        if pin not in HEADER:
            yield f"there is no pin {pin} ({device}) on the header; BCM numbers go from 0 to {HEADER[-1]}"
        elif pin in _CARRIES:
            yield (
                f"pin {pin} ({device}) carries {_CARRIES[pin]}; use another pin, "
                "or list it in free_pins where nothing else needs it"
            )
