"""The form for one device of a room's file, pure: filled by its table, and a table of the file out of what came.

Fields are called as the settings are (device_settings.py), but for a cover's `pin_open` and `pin_close`, `safe_ACTION`
for each action that may be called safe, and `bind_HAPPENING` ("DEVICE/ACTION") with `bind_HAPPENING_value` for what a
button does. What the form does not know of a table (what is for a hand alone, what a newer agent has) stays as it was.
"""

import math
import re
import unicodedata
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

from gateway.pages import device_settings
from gateway.pages.forms import Form
from shared.words.names import ACTIONS, Action, Kind
from shared.words.problem import HomeError
from shared.words.room_file import DeviceTable, OfferedPin


class Pin(NamedTuple):
    """One to choose: as the file has it, in words, and which other device has it."""

    value: str
    name: str
    taken: str | None


class Deed(NamedTuple):
    """Something that a button may do: as the form sends it, which device it is done to, and the action or `toggle`."""

    value: str
    name: str
    action: str


def kind_of(text: str) -> Kind:
    """Raises bad-request."""
    try:
        return Kind(text)
    except ValueError:
        raise HomeError("bad-request", "kind is one of the kinds of devices.") from None


def filled(table: DeviceTable) -> Form:
    """The form as it stands for a device of the file."""
    fields = {name: _shown(value) for name, value in table.items() if not isinstance(value, (dict, list, tuple))}
    pins = table.get("pins")
    if isinstance(pins, (list, tuple)) and len(pins) == 2:
        fields["pin_open"], fields["pin_close"] = map(str, pins)
    safe = table.get("safe_actions")
    fields |= {f"safe_{action}": "on" for action in (safe if isinstance(safe, (list, tuple)) else ())}
    for happening, bind in _binds(table).items():
        if isinstance(bind, dict):
            fields[f"bind_{happening}"] = f"{bind.get('device')}/{bind.get('action')}"
            fields[f"bind_{happening}_value"] = str(bind.get("value", ""))
    return Form(fields)


def table(form: Form, kind: Kind, before: DeviceTable, taken: Iterable[str]) -> DeviceTable:
    """The table that the form asks for; a new device gets an id out of its name, other than those `taken`."""
    made = dict(before)
    made["id"] = before.get("id") or form.text("id").strip() or _id(form.text("name"), set(taken))
    made["name"], made["kind"] = form.text("name").strip(), kind.value
    layout = device_settings.LAYOUTS[kind]
    chosen = [_pin(form.text(field)) for field in layout.pins]
    if len(chosen) == 2:
        _put(made, "pins", chosen if all(one is not None for one in chosen) else None)
    elif chosen:
        _put(made, "pin", chosen[0])
    for name in (*layout.ticks, *layout.further_ticks):
        # A tick that is taken out of what the file says stays said: false is not always what is so without a word.
        _put(made, name, True if form.text(name) else (False if name in before else None))
    for name in (*layout.usual, *layout.further):
        _put(made, name, _value(name, form.text(name).strip()))
    _put(made, "safe_actions", _safe(form, layout.safe, made) or None)
    if layout.happenings:
        _put(made, "binds", _bound(form, layout.happenings, made) or None)
    return made


def deeds(tables: Iterable[DeviceTable], own: str | None) -> list[Deed]:
    """All that a button of the room may do; `own` is the device whose form it is."""
    return [
        Deed(f"{one.get('id')}/{action}", str(one.get("name")), action)
        for one in tables
        if one.get("id") != own and one.get("kind") in ACTIONS
        for action in device_settings.bindable(Kind(one["kind"]))
    ]


def field_of(setting: str) -> str:
    """The field beside which a complaint about that setting stands."""
    if setting == "pins":
        return "pin_open"
    parts = setting.split(".")
    if parts[0] == "binds" and len(parts) > 1:
        return f"bind_{parts[1]}" + ("_value" if parts[-1] == "value" else "")
    return setting


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


def _safe(form: Form, offered: Iterable[Action], made: DeviceTable) -> list[Any]:
    """What is ticked, behind what the form does not offer and the file has."""
    had = made.get("safe_actions")
    kept = [one for one in (had if isinstance(had, (list, tuple)) else ()) if one not in offered]
    return [*kept, *(action.value for action in offered if form.text(f"safe_{action}"))]


def _bound(form: Form, happenings: Iterable[str], made: DeviceTable) -> dict[str, Any]:
    bound = dict(_binds(made))
    for happening in happenings:
        device, _, action = form.text(f"bind_{happening}").partition("/")
        bound.pop(happening, None)
        if device:
            bound[happening] = {"device": device, "action": action}
            if action == Action.SET:
                _put(bound[happening], "value", _number(form.text(f"bind_{happening}_value").strip(), int))
    return bound


def _binds(table: DeviceTable) -> dict[str, Any]:
    binds = table.get("binds")
    return binds if isinstance(binds, dict) else {}


def _value(name: str, text: str) -> Any:
    if name in device_settings.SECONDS:
        return _number(text.replace(",", "."), float)
    return _number(text, int) if name in device_settings.WHOLE else text or None


def _number(text: str, kind: Callable[[str], float]) -> float | str | None:
    """As the file has it; what makes no sense goes as it was typed, and the room says what is wrong with it."""
    try:
        number = kind(text) if text else None
    except ValueError:
        return text
    return number if number is None or math.isfinite(number) else text


def _id(name: str, taken: set[str]) -> str:
    for sign, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        name = name.lower().replace(sign, letters)
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode()
    made = re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:28] or "device"
    made = made if made[0].isalpha() else f"d-{made}"[:28]
    return next(one for one in (made, *(f"{made}-{number}" for number in range(2, 999))) if one not in taken)
