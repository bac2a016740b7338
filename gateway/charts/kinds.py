"""Of which kinds there are charts, and in which unit."""

from typing import Final

from shared.words.languages import Tongue, later
from shared.words.names import Kind

UNITS: Final = {
    Kind.TEMPERATURE: "°C",
    Kind.HUMIDITY: "%",
    Kind.SWITCH: "s",
    Kind.DIMMER: "s",
    Kind.LOCK: "s",
    Kind.COVER: "s",
}
RECORDED: Final = frozenset(UNITS)
_WORDS: Final = {
    Kind.LOCK: (later("Locked"), later("Unlocked")),
    Kind.COVER: (later("Closed"), later("Open")),
}
_SWITCHED: Final = (later("Off"), later("On"))


def is_measured(kind: Kind) -> bool:
    """Whether it is a value that is shown; else it is how long something was on."""
    return kind in (Kind.TEMPERATURE, Kind.HUMIDITY)


def words(kind: Kind, spoken: Tongue) -> tuple[str, str]:
    """What "off" and "on" are for such a device."""
    off, on = _WORDS.get(kind, _SWITCHED)
    return spoken.say(off).lower(), spoken.say(on).lower()
