"""A room's pins in a process of their own, without the room: does what standard input says, a call a line of JSON.

Arguments: the library ("gpiod", "rpi" for the original RPi.GPIO, "lgpio" for what takes its place), the pins' uses as
JSON, and the chip, by its label or its path.
"""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from device_agents.pins import chips, gpiod, rpi
from device_agents.pins.pins import Pins, PinUse


def made(kind: str, uses: list[PinUse], chip: Path) -> Pins:
    if kind != "gpiod":
        sys.path.insert(0, f"/{kind}")  # both are called RPi.GPIO
        return rpi.RpiPins(rpi.load(), uses)
    library = gpiod.load()
    return gpiod.GpiodPins(library, chips.find(library, chip), "hall", uses)


def told(pins: Pins, name: str, arguments: list[Any]) -> object:
    if name == "watch":
        pins.watch(_ignore_edges, _ignore_board)
        return None
    return getattr(pins, name)(*arguments)


def _ignore_edges(pin: int, level: int | None = None, at: float | None = None, *, missed: bool = False) -> None:
    """No edge comes on this board."""


def _ignore_board(*, there: bool) -> None:
    """Nobody takes its chip away."""


def main() -> None:
    kind, written, chip = sys.argv[1:]
    uses = msgspec.json.decode(written, type=list[PinUse])
    pins: Pins | None = None
    for line in sys.stdin:
        name, *arguments = json.loads(line)
        try:
            if pins is None:
                pins = made(kind, uses, Path(chip))
            answer = {"gave": None if name == "make" else told(pins, name, arguments)}
        except Exception as error:  # noqa: BLE001 - told to whoever asked
            answer = {"raised": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), flush=True)


main()
