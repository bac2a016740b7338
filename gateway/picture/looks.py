"""What a device's state says, pure: its word, its look and its level. By the looks go pages, streams and sums.

A value that does not fit its kind says nothing, and a device at fault is never taken for one that can be trusted.
static/wording.js says the same for what the stream brings; a test holds both against one another.
"""

from typing import Final, NamedTuple

from gateway.picture.views import Status
from shared.words.languages import later
from shared.words.messages import CoverValue, State
from shared.words.names import FULL, Action, Kind


class Said(NamedTuple):
    """A value in a word, how it looks, and in per cent where it has a level.

    The word is a sentence of the catalogue (gateway/pages/states.py says it), whose gap `value` the number fills.
    """

    word: str
    look: str
    level: int | None = None
    value: float | None = None
    digits: int = 0


_WORDS: Final[dict[str, dict[str, tuple[str, str]]]] = {
    Kind.SWITCH: {"on": (later("On"), "on"), "off": (later("Off"), "off")},
    Kind.LOCK: {
        "locked": (later("Locked"), "locked"),
        "unlocked": (later("Unlocked"), "unlocked"),
        "jammed": (later("Jammed"), "jammed"),
    },
    Kind.CONTACT: {"open": (later("Open"), "ajar"), "closed": (later("Closed"), "shut")},
    Kind.MOTION: {"motion": (later("Motion"), "motion"), "clear": (later("Still"), "clear")},
}
_FAULTS: Final = {
    "mismatch": (later("Does not follow"), "mismatch"),
    "sensor": (later("No reading"), "sensor"),
    "restless": (later("Does not hold still"), "fault"),
}
_FAULT: Final = (later("Fault"), "fault")
"""What a room calls a fault in a word that we do not know."""
_MOVING: Final = {"opening": later("Opening"), "closing": later("Closing")}
UNITS: Final = {Kind.TEMPERATURE: later("{value} °C"), Kind.HUMIDITY: later("{value} %")}
STANDS_AFTER: Final = {Action.ON: "on", Action.OFF: "off", Action.LOCK: "locked", Action.UNLOCK: "unlocked"}
"""How a device looks that is as the action has it: its button is the one that is pressed in."""
MOMENTARY: Final = (Kind.PULSE, Kind.BUTTON)


def look_of(kind: str, status: Status, state: State | None) -> str:
    """How a device looks, given whether its room is there: "on", "ajar", "unknown" …"""
    if status == "offline":
        return "offline"
    if status != "online" or is_silent(kind, state):
        return "unknown"
    assert state is not None
    if state.fault is not None:
        return fault_of(state.fault)[1]
    said = said_of(kind, state)
    return said[1] if said is not None else "unknown"


def is_pressed(action: str, look: str) -> bool | None:
    """Whether a device that looks so is as that action has it; None where that is not known, or not yes or no."""
    if action not in STANDS_AFTER or look not in STANDS_AFTER.values():
        return None
    return STANDS_AFTER[Action(action)] == look


def is_silent(kind: str, state: State | None) -> bool:
    """Whether its room has not said yet how it is: a sensor's first reading may be still to come."""
    return state is None or (state.value is None and state.fault is None and kind in UNITS)


def fault_of(fault: str) -> tuple[str, str]:
    """Word and look of a fault."""
    return _FAULTS.get(fault, _FAULT)


def said_of(kind: str, state: State) -> Said | None:
    """What the value says; None for one that does not fit its kind."""
    value = state.value
    if kind in _WORDS:
        found = _WORDS[kind].get(value) if isinstance(value, str) else None
        return Said(*found) if found is not None else None
    if kind in MOMENTARY:
        return Said(later("At rest"), "rest") if value is None else None
    if kind == Kind.COVER:
        return _cover(value) if isinstance(value, CoverValue) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if kind == Kind.DIMMER:
        return _dimmer(value)
    if kind in UNITS:
        return Said(UNITS[Kind(kind)], "reading", None, value, 1)
    return None


def _dimmer(value: float) -> Said | None:
    if value != int(value) or not 0 <= value <= FULL:
        return None
    level = int(value)
    return Said(later("On, {value} %"), "on", level, level) if level else Said(later("Off"), "off", 0)


def _cover(value: CoverValue) -> Said | None:
    if value.position is not None and not 0 <= value.position <= FULL:
        return None
    if value.moving is not None:
        return Said(_MOVING[value.moving], "moving", value.position)
    if value.position is None:
        return Said(later("Position unknown"), "adrift")
    if value.position == 0:
        return Said(later("Closed"), "closed", 0)
    if value.position == FULL:
        return Said(later("Open"), "open", FULL)
    return Said(later("Open, {value} %"), "open", value.position, value.position)
