"""Which board this machine is, which of its chips has the pins that people wire, and which of these are free."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from device_agents.pins import board as header
from device_agents.pins import chips
from device_agents.pins import gpiod as pins_gpiod
from device_agents.pins.chips import Chip
from shared.running.config import ConfigError

MODEL = Path("/proc/device-tree/model")
_LINES_TOLD = 64
"""An expander or a small board has no more; of a larger one gpioinfo shows the rest."""


class Line(NamedTuple):
    """One line of a chip: its number, its name ("" where the chip has none for it), and who uses it (None: nobody)."""

    number: int
    name: str
    user: str | None


class Board(NamedTuple):
    """What a room's file says of it: `chip` as the file names it, None where there is none; `words` in its comment."""

    chip: str | None
    words: tuple[str, ...]


def found(load: Callable[[], Any] = pins_gpiod.load, path: Path = MODEL) -> Board:
    """This machine's. Opens chips and moves nothing."""
    name = model(path)
    try:
        gpiod = load()
    except ConfigError as error:
        return _without(name, str(error))
    there = chips.there(gpiod)
    chip = chosen(there)
    if chip is None:
        return _without(name, "it has no GPIO chip that can be opened")
    return told(name, chip, _lines(gpiod, chip), [one for one in there if one != chip])


def chosen(there: Sequence[Chip]) -> Chip | None:
    """The chip of a Raspberry Pi's header, else the first one that does not work inside a board."""
    outer = [chip for chip in there if not pins_gpiod.is_inner(chip.label)]
    return next((chip for chip in outer if pins_gpiod.is_header(chip.label)), outer[0] if outer else None)


def told(called: str, chip: Chip, lines: Sequence[Line], others: Sequence[Chip]) -> Board:
    """In words for the room's file."""
    named = chip.label if chip.alone and chip.label else str(chip.path)
    words = [f"This board: {called}. Its pins are those of {chip.label or 'a chip without a name'} ({chip.path})."]
    used = {line.number: line.user for line in lines if line.user is not None}
    if pins_gpiod.is_header(chip.label):
        words += _header_words(used)
    else:
        free = [f"{line.number} ({line.name})" if line.name else f"{line.number}" for line in lines if not line.user]
        shown = ", ".join(free[:_LINES_TOLD]) or "none"
        words.append(f"Free here, as the chip's line numbers: {shown}" + ("; …" if len(free) > _LINES_TOLD else "."))
        words += _used_words(used)
    if others:
        named_others = ", ".join(f"{one.label} ({one.path})" for one in others)
        words.append(f"Other chips: {named_others}; docs/wiring.md has how to name one.")
    return Board(named, tuple(words))


def _header_words(used: dict[int, str]) -> list[str]:
    free = [pin for pin in header.HEADER if pin not in used and not header.is_spoken_for(pin)]
    quiet = [pin for pin in free if pin in header.QUIET]
    rest = [pin for pin in free if pin not in header.QUIET]
    return [
        f"Free here, as BCM number (pin of the header): {_pins(quiet)}.",
        f"Free as well unless a bus, PWM or sound of this board uses them: {_pins(rest)}.",
        *_used_words({pin: user for pin, user in used.items() if pin in header.HEADER}),
    ]


def _used_words(used: dict[int, str]) -> list[str]:
    taken = ", ".join(f"{number} ({user})" for number, user in sorted(used.items())[:_LINES_TOLD])
    return [f"In use by something else: {taken}."] if taken else []


def _pins(pins: Iterable[int]) -> str:
    return ", ".join(f"{pin} ({header.PLACES[pin]})" for pin in pins) or "none"


def _without(called: str, why: str) -> Board:
    words = (
        f"This machine: {called}. Pins are simulated here, so nothing is switched: {why}.",
        'Once there are pins: pins = "gpiod", and the chip (gpiodetect lists them), in place of these two lines.',
    )
    return Board(None, words)


def _lines(gpiod: Any, chip: Chip) -> list[Line]:
    with chips.opened(gpiod, chip.path) as opened:
        return [_line(opened, number) for number in range(chip.lines)]


def _line(chip: Any, number: int) -> Line:
    try:
        info = chip.get_line_info(number)
    except UnicodeDecodeError:  # its name, or its user's
        return Line(number, "", "?")
    return Line(number, _plain(info.name or ""), _plain(info.consumer or "?") if info.used else None)


def model(path: Path) -> str:
    """What the board calls itself, on one line."""
    try:
        return _plain(path.read_bytes().decode(errors="replace")) or "of an unknown make"
    except OSError:
        return "of an unknown make"


def _plain(text: str) -> str:
    """In a comment of a file: nothing that ends its line."""
    return "".join(sign for sign in text if sign.isprintable()).strip()[:80]
