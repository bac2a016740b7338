"""What a device's state looks like to people, pure: a word, a look, and since when and by what.

A room that is not online, and a value that does not fit the kind, are "unknown" in words; the last value is never
shown as if it were live (the fourth promise), and a device at fault is never shown as if it could be trusted.
static/wording.js says the same for what the stream brings; a test holds both against one another.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from gateway.picture.views import RoomView, Status
from shared.words.messages import By, CoverValue, State
from shared.words.names import ACTIONS, FULL, Kind, is_gateway


class Shown(NamedTuple):
    """A state in words. `look` is what CSS goes by; the note reads `before`, the moment `at`, `after`."""

    word: str
    look: str
    before: str
    at: datetime | None = None
    after: str = ""
    level: int | None = None


class Seen(NamedTuple):
    """One device's share in the headline."""

    name: str
    room: str
    look: str


UNHEARD = Shown("Unknown", "unknown", "The room has not been heard.")
OFFLINE = Shown("Offline", "offline", "The room is offline.")
SILENT = Shown("Unknown", "unknown", "The room has not said yet.")
UNFIT = Shown("Unknown", "unknown", "The room reported something that does not fit.")

_WORDS: dict[str, dict[str, tuple[str, str]]] = {
    Kind.SWITCH: {"on": ("On", "on"), "off": ("Off", "off")},
    Kind.LOCK: {"locked": ("Locked", "locked"), "unlocked": ("Unlocked", "unlocked"), "jammed": ("Jammed", "jammed")},
    Kind.CONTACT: {"open": ("Open", "ajar"), "closed": ("Closed", "shut")},
    Kind.MOTION: {"motion": ("Motion", "motion"), "clear": ("Still", "clear")},
}
_FAULTS = {
    "mismatch": ("Does not follow", "mismatch"),
    "sensor": ("No reading", "sensor"),
    "restless": ("Does not hold still", "fault"),
}
_FAULT = ("Fault", "fault")
"""What a room calls a fault in a word that we do not know."""
_MOVING = {"opening": "Opening", "closing": "Closing"}
_UNITS = {Kind.TEMPERATURE: "°C", Kind.HUMIDITY: "%"}
_MOMENTARY = (Kind.PULSE, Kind.BUTTON)
_LAMPS = ("lamp", "light", "bulb")
_ICONS: dict[str, str] = {
    Kind.SWITCH: "power",
    Kind.DIMMER: "lamp",
    Kind.LOCK: "lock",
    Kind.COVER: "blind",
    Kind.PULSE: "gate",
    Kind.CONTACT: "door",
    Kind.MOTION: "motion",
    Kind.BUTTON: "bell",
    Kind.TEMPERATURE: "thermometer",
    Kind.HUMIDITY: "drop",
}
_ICON_OF_LOOK = {
    "unlocked": "unlock",
    "jammed": "warning",
    "mismatch": "warning",
    "sensor": "warning",
    "fault": "warning",
    "ajar": "door-open",
}
_FACTS: tuple[tuple[str, str, str], ...] = (
    ("jammed", "is jammed", "locks are jammed"),
    ("mismatch", "does not follow", "devices do not follow"),
    ("fault", "has a fault", "devices have a fault"),
    ("unlocked", "is unlocked", "locks are unlocked"),
    ("ajar", "is open", "contacts are open"),
    ("sensor", "gives no reading", "devices give no reading"),
    ("motion", "sees motion", "sensors see motion"),
    ("moving", "is moving", "devices are moving"),
    ("adrift", "is at an unknown position", "covers are at unknown positions"),
    ("on", "is on", "devices are on"),
    ("unknown", "is unknown", "devices are unknown"),
)
"""What the headline tells, in this order: the look, said of one by name, and of several."""


def shown(kind: str, status: Status, state: State | None) -> Shown:
    """A device's state, given whether its room is there."""
    if status == "offline":
        return OFFLINE
    if status != "online":
        return UNHEARD
    if state is None or (state.value is None and state.fault is None and kind in _UNITS):
        return SILENT  # a sensor's first reading is still to come
    said = _word(kind, state)
    if state.fault is not None:
        return _faulty(kind, state, said)
    if said is None:
        return UNFIT
    word, look, level = said
    if kind in _MOMENTARY:
        before = "not pressed since" if state.by.source == "boot" else "last pressed"
        after = "" if state.by.source in ("boot", "input") else _by(kind, state.by)
        return Shown(word, look, before, state.since, after, level)
    return Shown(word, look, "since", state.since, _by(kind, state.by), level)


def icon(kind: str, device: str, look: str) -> str:
    """Which drawing of icons.svg stands for it."""
    if look in _ICON_OF_LOOK:
        return _ICON_OF_LOOK[look]
    return base_icon(kind, device)


def base_icon(kind: str, device: str) -> str:
    """The drawing of a device at rest; a switch that is called a lamp gets a lamp's."""
    if kind == Kind.SWITCH and any(lamp in device for lamp in _LAMPS):
        return "lamp"
    return _ICONS.get(kind, "power")


def headline(rooms: Iterable[RoomView]) -> tuple[str, ...]:
    """The home in a few short sentences; what is not known comes before any "all is quiet"."""
    rooms = tuple(rooms)
    devices = [
        Seen(device.name, room.name, shown(device.kind, device.status, device.state).look)
        for room in rooms
        if room.status == "online"
        for device in room.devices
    ]
    sentences = []
    for look, of_one, of_many in _FACTS:
        found = [device for device in devices if device.look == look]
        if len(found) == 1:
            sentences.append(f"{found[0].name} in {found[0].room} {of_one}.")
        elif found:
            sentences.append(f"{len(found)} {of_many}.")
    for status in ("offline", "unknown"):
        names = [room.name for room in rooms if room.status == status]
        if len(names) == 1:
            sentences.append(f"{names[0]} is {status}.")
        elif names:
            sentences.append(f"{len(names)} rooms are {status}.")
    if not sentences:
        return ("All is quiet.",) if devices else ("There is nothing here yet.",)
    return tuple(sentences)


def _faulty(kind: str, state: State, said: tuple[str, str, int | None] | None) -> Shown:
    """What the fault is; of a pin that does not follow also what it reads, which is all that is known."""
    word, look = _FAULTS.get(state.fault or "", _FAULT)
    if look == "mismatch" and said is not None and kind not in _MOMENTARY:
        return Shown(word, look, f"reads “{said[0]}” since", state.since, "", said[2])
    return Shown(word, look, "since", state.since)


def _word(kind: str, state: State) -> tuple[str, str, int | None] | None:
    """Word, look and level; None for a value that does not fit its kind."""
    value = state.value
    if kind in _WORDS:
        found = _WORDS[kind].get(value) if isinstance(value, str) else None
        return (*found, None) if found is not None else None
    if kind in _MOMENTARY:
        return ("At rest", "rest", None) if value is None else None
    if kind == Kind.COVER:
        return _cover(value) if isinstance(value, CoverValue) else None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if kind == Kind.DIMMER:
        return _dimmer(value)
    if kind in _UNITS:
        return f"{value:.1f} {_UNITS[Kind(kind)]}", "reading", None
    return None


def _dimmer(value: float) -> tuple[str, str, int | None] | None:
    if value != int(value) or not 0 <= value <= FULL:
        return None
    level = int(value)
    return (f"On, {level} %", "on", level) if level else ("Off", "off", 0)


def _cover(value: CoverValue) -> tuple[str, str, int | None] | None:
    if value.position is not None and not 0 <= value.position <= FULL:
        return None
    if value.moving is not None:
        return _MOVING[value.moving], "moving", value.position
    if value.position is None:
        return "Position unknown", "adrift", None
    if value.position == 0:
        return "Closed", "closed", 0
    if value.position == FULL:
        return "Open", "open", FULL
    return f"Open, {value.position} %", "open", value.position


def _by(kind: str, by: By) -> str:
    """What caused it; an input needs no saying that it was an input."""
    if by.source == "command":
        return ", by a command" if by.issuer is None or is_gateway(by.issuer) else f", by a command from {by.issuer}"
    if by.source == "input":
        return ", by a button" if kind in ACTIONS else ""
    if by.source == "timer":
        return ", by a timer"
    if by.source == "failsafe":
        return ", by a safety rule"
    return ", when the room started"
