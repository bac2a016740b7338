"""The form for one device of a room's file, pure: which fields its kind has, and a table of the file out of what came.

What the form does not know of a table (a button's binds, what a newer agent has) stays in it as it was.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from gateway.pages.forms import Form
from shared.words.languages import later
from shared.words.names import Kind
from shared.words.problem import HomeError
from shared.words.room_file import DeviceTable, OfferedPin

KINDS: Final = {
    Kind.SWITCH: later("Switch: on and off"),
    Kind.DIMMER: later("Dimmer: as bright as you like"),
    Kind.LOCK: later("Lock: of a door"),
    Kind.COVER: later("Cover: a blind, a gate"),
    Kind.PULSE: later("Pulse: a short press"),
    Kind.CONTACT: later("Contact (door, window)"),
    Kind.MOTION: later("Motion sensor"),
    Kind.BUTTON: later("Button on the wall"),
    Kind.TEMPERATURE: later("Thermometer"),
    Kind.HUMIDITY: later("Hygrometer"),
}
_SECONDS: Final = frozenset({"max_on", "min_off", "min_interval", "relock_after", "travel_time", "dead_time", "hold"})
_WHOLE: Final = frozenset({"pulse_ms"})
_TICKS: Final = frozenset({"active_low", "critical", "confirm"})
LABELS: Final = {
    "max_on": later("On for so many seconds at the most"),
    "min_off": later("Off for so many seconds at least"),
    "min_interval": later("So many seconds from one change to the next"),
    "interlock": later("Group of which one at most is on"),
    "dead_time": later("Seconds of rest before another of its group, or the other way"),
    "relock_after": later("Locks by itself after so many seconds"),
    "contact": later("Contact that says whether its door is closed"),
    "travel_time": later("Seconds from shut to open"),
    "pulse_ms": later("Milliseconds of a press"),
    "hold": later("Seconds of quiet until it is clear"),
    "source": later("Read by"),
    "address": later("Its address"),
}
"""What is typed of a device beside its name and pins."""
_EXCLUSIVE: Final = ("max_on", "min_off", "min_interval", "interlock", "dead_time")
_TYPED: Final[dict[Kind, tuple[str, ...]]] = {
    Kind.SWITCH: _EXCLUSIVE,
    Kind.DIMMER: _EXCLUSIVE,
    Kind.LOCK: ("relock_after", "contact", "min_interval"),
    Kind.COVER: ("travel_time", "interlock", "dead_time"),
    Kind.PULSE: ("pulse_ms", "travel_time", "interlock", "dead_time"),
    Kind.CONTACT: (),
    Kind.MOTION: ("hold",),
    Kind.BUTTON: (),
    Kind.TEMPERATURE: ("source", "address"),
    Kind.HUMIDITY: ("source", "address"),
}
_OUTPUTS: Final = frozenset({Kind.SWITCH, Kind.DIMMER, Kind.LOCK, Kind.COVER, Kind.PULSE})
_SENSORS: Final = frozenset({Kind.TEMPERATURE, Kind.HUMIDITY})


class Pin(NamedTuple):
    """One to choose: as the file has it, in words, and which other device has it."""

    value: str
    name: str
    taken: str | None


def kind_of(text: str) -> Kind:
    """Raises bad-request."""
    try:
        return Kind(text)
    except ValueError:
        raise HomeError("bad-request", "kind is one of the kinds of devices.") from None


def typed(kind: Kind) -> tuple[str, ...]:
    """The settings of such a device that are typed."""
    return _TYPED[kind]


def pin_fields(kind: Kind) -> tuple[str, ...]:
    """The fields in which its pins are chosen; none for what is no wire of the board's."""
    if kind in _SENSORS:
        return ()
    return ("pin_open", "pin_close") if kind is Kind.COVER else ("pin",)


def ticks(kind: Kind) -> tuple[str, ...]:
    """What is ticked of such a device."""
    if kind in _OUTPUTS:
        return ("active_low", "critical", "confirm")
    return ("critical",) if kind in _SENSORS else ("active_low", "critical")


def filled(table: DeviceTable) -> Form:
    """The form as it stands for a device of the file."""
    fields = {name: _shown(value) for name, value in table.items() if not isinstance(value, (dict, list, tuple))}
    pins = table.get("pins")
    if isinstance(pins, (list, tuple)) and len(pins) == 2:
        fields["pin_open"], fields["pin_close"] = map(str, pins)
    return Form(fields)


def table(form: Form, kind: Kind, before: DeviceTable, taken: Iterable[str]) -> DeviceTable:
    """The table that the form asks for; a new device gets an id out of its name, other than those `taken`."""
    made = dict(before)
    made["id"] = before.get("id") or form.text("id").strip() or _id(form.text("name"), set(taken))
    made["name"], made["kind"] = form.text("name").strip(), kind.value
    chosen = [_pin(form.text(field)) for field in pin_fields(kind)]
    if len(chosen) == 2:
        _put(made, "pins", chosen if all(one is not None for one in chosen) else None)
    elif chosen:
        _put(made, "pin", chosen[0])
    for name in ticks(kind):
        # A tick that is taken out of what the file says stays said: false is not always what is so without a word.
        _put(made, name, True if form.text(name) else (False if name in before else None))
    for name in typed(kind):
        _put(made, name, _value(name, form.text(name).strip()))
    return made


def pins(offered: Iterable[OfferedPin], tables: Iterable[DeviceTable], own: str | None) -> list[Pin]:
    """Those of the board to choose from, what is quiet first; `own` is the device whose form it is."""
    users: dict[str, str] = {}
    for one in tables:
        both = one.get("pins")
        for pin in (one.get("pin"), *(both if isinstance(both, (list, tuple)) else ())):
            if pin is not None and one.get("id") != own:
                users[str(pin).removeprefix("GPIO")] = str(one.get("name"))
    ordered = sorted(offered, key=lambda pin: (not pin.quiet, pin.line))
    return [Pin(str(one.line), _called(one), users.get(str(one.line))) for one in ordered]


def _called(pin: OfferedPin) -> str:
    name = f"{pin.line} ({pin.name})" if pin.name and pin.name != f"GPIO{pin.line}" else str(pin.line)
    return f"{name} · {pin.place}" if pin.place is not None else name


def _put(made: DeviceTable, name: str, value: Any) -> None:
    if value is None:
        made.pop(name, None)
    else:
        made[name] = value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "on" if value else ""
    return f"{value:g}" if isinstance(value, float) else str(value)


def _pin(text: str) -> int | str | None:
    """A number, or the name that the file has for it."""
    text = text.strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 6 else text or None


def _value(name: str, text: str) -> Any:
    """As the file has it; what makes no sense goes as it was typed, and the room says what is wrong with it."""
    if not text:
        return None
    try:
        if name in _SECONDS:
            return float(text.replace(",", "."))
        return int(text) if name in _WHOLE else text
    except ValueError:
        return text


def _id(name: str, taken: set[str]) -> str:
    for sign, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        name = name.lower().replace(sign, letters)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:28] or "device"
    made = made if made[0].isalpha() else f"d-{made}"[:28]
    return next(one for one in (made, *(f"{made}-{number}" for number in range(2, 999))) if one not in taken)
