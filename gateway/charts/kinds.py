"""Of which kinds there are charts, and in which unit."""

from typing import Final

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
_WORDS: Final = {Kind.LOCK: ("locked", "unlocked"), Kind.COVER: ("closed", "open")}


def is_measured(kind: Kind) -> bool:
    """Whether it is a value that is shown; else it is how long something was on."""
    return kind in (Kind.TEMPERATURE, Kind.HUMIDITY)


def words(kind: Kind) -> tuple[str, str]:
    """What "off" and "on" are for such a device."""
    return _WORDS.get(kind, ("off", "on"))
