"""Lines by the names that their chip has for them: newer kernels and boards name them, and numbers may change."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from device_agents.pins import chips
from device_agents.pins.chips import Chip
from shared.running.config import ConfigError


def numbers(gpiod: Any, chip: Chip, wanted: Iterable[tuple[str, str]]) -> dict[str, int]:
    """The numbers of lines for (name, device). Raises ConfigError naming all that are not there, or there twice."""
    wanted = list(wanted)
    if not wanted:
        return {}
    with chips.opened(gpiod, chip.path) as opened:
        named = _named(opened, chip.lines)
    wrong = [f"devices: {chip.path}: {what}" for what in _complaints(named, wanted)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return {name: named[name][0] for name, _ in wanted}


def _named(chip: Any, lines: int) -> dict[str, list[int]]:
    named = defaultdict(list)
    for number in range(lines):
        try:
            name = chip.get_line_info(number).name
        except UnicodeDecodeError:  # it, or its user's: nobody can write it into a room's file
            continue
        if name:
            named[name].append(number)
    return dict(named)


def _complaints(named: Mapping[str, list[int]], wanted: Iterable[tuple[str, str]]) -> Iterator[str]:
    for name, device in wanted:
        found = named.get(name, [])
        if len(found) > 1:
            yield f"lines {' and '.join(map(str, found))} are all called {name!r} ({device}); use the number"
        elif not found:
            yield f"no line is called {name!r} ({device}); {_near(name, named)}"


def _near(name: str, named: Mapping[str, list[int]]) -> str:
    import difflib  # costs memory that an agent may not need: only a file that is wrong asks for it

    if not named:
        return "this chip names none, so use numbers (gpioinfo shows them)"
    near = difflib.get_close_matches(name.upper(), named, n=3)
    return f"near are {', '.join(near)}" if near else "gpioinfo shows all"
