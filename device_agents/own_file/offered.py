"""Which pins a room's board has for devices, as a page offers them: those that something else uses are left out."""

import logging
from collections.abc import Iterator
from typing import Any

from device_agents.config import RoomConfig
from device_agents.pins import board, chips
from device_agents.pins import gpiod as pins_gpiod
from shared.running.config import ConfigError
from shared.running.log import facts
from shared.words.room_file import OfferedPin

log = logging.getLogger(__name__)

MOST = 256


def of(room: RoomConfig) -> tuple[OfferedPin, ...]:
    """By number. None where the board cannot be asked; its complaints then tell why. Opens a chip, moves nothing."""
    if room.pins != "gpiod":
        return tuple(_header(room.free_pins))
    assert room.chip is not None
    try:
        library = pins_gpiod.load()
        chip = chips.find(library, room.chip)
        with chips.opened(library, chip.path) as opened:
            return tuple(_lines(opened, chip, room))[:MOST]
    except (ConfigError, OSError) as error:
        log.warning("Board cannot be asked for its pins", extra=facts(reason=error))
        return ()


def _header(free: tuple[int, ...]) -> Iterator[OfferedPin]:
    for pin in board.HEADER:
        if pin in free or not board.is_spoken_for(pin):
            yield OfferedPin(line=pin, name=f"GPIO{pin}", place=board.PLACES[pin], quiet=pin in board.QUIET)


def _lines(opened: Any, chip: chips.Chip, room: RoomConfig) -> Iterator[OfferedPin]:
    on_header = pins_gpiod.is_header(chip.label)
    header = {pin.line: pin for pin in _header(room.free_pins)}
    for number in range(chip.lines):
        if on_header and number not in header and number not in room.free_pins:
            continue
        try:
            info = opened.get_line_info(number)
        except UnicodeDecodeError:  # its name, or its user's: nobody can tell whether it is free
            continue
        if not info.used or info.consumer == pins_gpiod.consumer(room.room):
            told = header.get(number) if on_header else None
            yield told or OfferedPin(line=number, name=(info.name or "")[:64])
