"""Reads a room's configuration, and says everything that is wrong with it at once: where, what, what would be right."""

import contextlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from device_agents.config import MOST_DEVICES, TOGGLE, Bind, DeviceConfig, RoomConfig, numbered
from device_agents.devices.output import BootPolicy
from device_agents.devices.sensor import RANGES, Source
from device_agents.pins import board
from device_agents.watchdog import LEAST, MOST
from shared.running.config import ConfigError, UnfitError, convert, load
from shared.words.names import ACTIONS, FULL, SAFE_ACTIONS, Kind, is_hub, is_identity

_COMMON = frozenset({"id", "name", "kind", "critical", "pin"})
_OUTPUT = _COMMON | {
    "confirm",
    "active_low",
    "boot",
    "on_link_loss",
    "link_loss_after",
    "safe_actions",
    "stamped",
    "lockout",
    "min_interval",
}
_EXCLUSIVE = {"interlock", "dead_time"}
_INPUT = _COMMON | {"active_low", "pull", "debounce_ms"}
_SENSOR = (_COMMON | {"source", "address", "every", "report_change"}) - {"pin"}
_SETTINGS: dict[Kind, frozenset[str]] = {
    Kind.SWITCH: _OUTPUT | _EXCLUSIVE | {"max_on", "min_off"},
    Kind.DIMMER: _OUTPUT | _EXCLUSIVE | {"max_on", "min_off", "frequency"},
    Kind.LOCK: _OUTPUT | {"relock_after", "contact"},
    Kind.COVER: (_OUTPUT | _EXCLUSIVE | {"pins", "travel_time"}) - {"pin"},
    Kind.PULSE: _OUTPUT | _EXCLUSIVE | {"pulse_ms", "travel_time"},
    Kind.CONTACT: _INPUT,
    Kind.MOTION: _INPUT | {"hold"},
    Kind.BUTTON: _INPUT | {"double_ms", "long_ms", "binds"},
    Kind.TEMPERATURE: _SENSOR,
    Kind.HUMIDITY: _SENSOR,
}
"""Which settings each kind has."""
_BOOT: dict[Kind, tuple[BootPolicy, ...]] = {
    Kind.SWITCH: ("off", "on", "restore"),
    Kind.DIMMER: ("off", "on", "restore"),
    Kind.LOCK: ("off",),
    Kind.COVER: ("off",),
    Kind.PULSE: ("off",),
}
_LINK_LOSS: dict[Kind, tuple[str, ...]] = {
    Kind.SWITCH: ("hold", "off", "on"),
    Kind.DIMMER: ("hold", "off", "on"),
    Kind.LOCK: ("hold", "locked", "unlocked"),
    Kind.COVER: ("hold",),
    Kind.PULSE: ("hold",),
}


def read(path: Path) -> RoomConfig:
    """Read and check a room's file. Raises ConfigError naming everything that is wrong."""
    try:
        config = load(RoomConfig, path)
    except UnfitError as unfit:
        beside = [f"{path}: {complaint}" for complaint in _of_readable(unfit.raw)]
        raise ConfigError("\n".join((str(unfit), *beside))) from unfit
    wrong = [f"{path}: {complaint}" for complaint in of(config)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return config if config.pins == "gpiod" else numbered(config, _header_numbers(config.devices))


def of(config: RoomConfig) -> Iterator[str]:
    """Everything that is wrong with a room that could be read: where, what, and what would be right."""
    if not is_identity(config.room) or is_hub(config.room):
        yield f"room: {config.room!r} is no name for a room; use small letters, digits and dashes, such as hall"
    if config.broker.identity != config.room:
        yield f"broker.identity: is {config.broker.identity!r}; it must be the room's own name, {config.room!r}"
    if config.pins == "simulated" and config.sim_dir is None:
        yield "sim_dir: simulated pins need a folder to record in; set it"
    if not LEAST <= config.watchdog_seconds <= MOST:
        yield (
            f"watchdog_seconds: is {config.watchdog_seconds}; {LEAST} to {MOST} would be right: a Pi's timer counts no "
            "further, takes longer times all the same and resets the board too early, with 16 at once"
        )
    if len(config.devices) > MOST_DEVICES:
        yield f"devices: there are {len(config.devices)}; a room has {MOST_DEVICES} at the most"
    for index, device in enumerate(config.devices):
        for name, what in (*_own_complaints(device), *_partner_complaints(device, config)):
            yield f"devices[{index}].{name}: {what} ({device.id})"
    yield from repetitions(config.devices, {} if config.pins == "gpiod" else _header_numbers(config.devices))
    yield from _board_complaints(config)
    yield from _source_complaints(config)


def _board_complaints(config: RoomConfig) -> Iterator[str]:
    if config.pins == "gpiod" and config.chip is None:
        yield 'chip: is missing; name the chip whose lines the pins are, such as "/dev/gpiochip0" (see gpiodetect)'
    if config.pins != "gpiod" and config.chip is not None:
        yield 'chip: only pins = "gpiod" has one; take it out'
    if config.pins != "gpiod":  # whose chip says itself which lines there are
        yield from _header_complaints(config.devices, config.free_pins)


def _header_complaints(devices: Sequence[DeviceConfig], free: Collection[int]) -> Iterator[str]:
    numbers = _header_numbers(devices)
    users = {}
    for device in reversed(devices):
        for line in device.lines:
            if (number := numbers.get(line) if isinstance(line, str) else line) is None:
                yield f"devices: there is no pin {line!r} ({device.id}) on the header; GPIO17 would be BCM number 17"
            else:
                users[number] = device.id
    for what in board.complaints(sorted(users.items()), free):
        yield f"devices: {what}"


def _header_numbers(devices: Sequence[DeviceConfig]) -> dict[str, int]:
    return board.numbers(line for device in devices for line in device.lines if isinstance(line, str))


def _of_readable(raw: dict[str, Any]) -> Iterator[str]:
    """Of a room that could not be read, what its other devices break, each for itself and by being alike."""
    tables = raw.get("devices")
    devices = []
    for index, table in enumerate(tables if isinstance(tables, list) else ()):
        with contextlib.suppress(msgspec.ValidationError):  # told already
            devices.append(device := convert(table, DeviceConfig))
            for name, what in _own_complaints(device):
                yield f"devices[{index}].{name}: {what} ({device.id})"
    yield from repetitions(devices, _header_numbers(devices) if raw.get("pins") in ("rpi", "simulated") else {})
    if raw.get("pins") in ("rpi", "simulated"):
        free = raw.get("free_pins")
        yield from _header_complaints(devices, free if isinstance(free, list) else ())


def _own_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    """What is wrong with a device whatever else the room has."""
    yield from _setting_complaints(device)
    yield from _policy_complaints(device)
    yield from _sensor_complaints(device)


def repetitions(devices: Sequence[DeviceConfig], numbers: Mapping[str, int]) -> Iterator[str]:
    """What is there more than once: an id, or a pin, be it by its number or by a name for it, as `numbers` knows."""
    for id_, count in Counter(device.id for device in devices).items():
        if count > 1:
            yield f"devices: {id_!r} is there {count} times; every device needs an id of its own"
    users: dict[int | str, list[str]] = {}
    for device in devices:
        for line in device.lines:
            users.setdefault(numbers.get(line, line) if isinstance(line, str) else line, []).append(device.id)
    for pin, ids in users.items():
        if len(ids) > 1:
            yield f"devices: pin {pin} is used by {' and '.join(ids)}; every device needs pins of its own"


def _setting_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    if not is_identity(device.id):
        yield "id", f"{device.id!r} is no id; use small letters, digits and dashes, such as front-door"
    allowed = _SETTINGS[device.kind]
    for field in msgspec.structs.fields(device):
        if field.name not in allowed and getattr(device, field.name) != _default(field):
            yield field.name, f"a {device.kind} has no such setting; it has {', '.join(sorted(allowed))}"
    if "pin" in allowed and device.pin is None:
        yield "pin", "is missing; give the number of its pin, or its name"
    if "pins" in allowed and device.pins is None:
        yield "pins", "is missing; give the opening relay's pin and the closing one's, such as [5, 6]"
    if device.kind is Kind.COVER and device.travel_time is None:
        yield "travel_time", "is missing; measure how many seconds it takes from shut to open"


def _default(field: msgspec.structs.FieldInfo) -> object:
    return field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()


def _policy_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    if not device.is_output:
        return
    boot, link_loss = _BOOT[device.kind], _LINK_LOSS[device.kind]
    if device.boot not in boot:
        yield "boot", f"a {device.kind} cannot start {device.boot!r}; it may be {', '.join(boot)}"
    elif device.max_on is not None and device.boot == "on":
        yield "boot", '"on" would lengthen max_on with every start; set boot = "off" or "restore"'
    if device.on_link_loss not in link_loss:
        yield "on_link_loss", f"a {device.kind} cannot do {device.on_link_loss!r}; it may be {', '.join(link_loss)}"
    elif device.on_link_loss == "hold" and device.link_loss_after is not None:
        yield "link_loss_after", 'does nothing with on_link_loss = "hold"; say what it is to do, or leave it out'
    yield from _limit_complaints(device)


def _limit_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    actions = ACTIONS[device.kind]
    for action in device.safe_actions:
        if action not in actions:
            yield "safe_actions", f"a {device.kind} has no action {action}; it has {', '.join(actions)}"
        elif device.min_off is not None and action not in SAFE_ACTIONS[device.kind]:
            yield "safe_actions", f"{action} would pass min_off by; leave one of them out"
    if device.dead_time is not None and device.interlock is None and device.kind is not Kind.COVER:
        yield "dead_time", "belongs to an interlock; name its group"
    if device.contact is not None and device.relock_after is None:
        yield "contact", "says when it may lock by itself; set relock_after too"


def _partner_complaints(device: DeviceConfig, config: RoomConfig) -> Iterator[tuple[str, str]]:
    """What does not fit other devices of the room."""
    others = {other.id: other for other in config.devices if other is not device}
    if device.interlock is not None:
        group = [other for other in others.values() if other.interlock == device.interlock]
        if not group:
            yield "interlock", f"{device.interlock!r} has no other member; name the same group at another output"
        if device.boot != "off":
            yield "boot", 'every member of an interlock starts off; set boot = "off"'
        if device.on_link_loss == "on" and any(other.on_link_loss == "on" for other in group):
            yield "on_link_loss", f"two members of {device.interlock!r} cannot both be on; leave one of them off"
    if device.contact is not None:
        contact = others.get(device.contact)
        if contact is None or contact.kind is not Kind.CONTACT:
            yield "contact", f"{device.contact!r} is no contact of this room; name the one at its door"
    yield from _bind_complaints(device, others)


def _bind_complaints(device: DeviceConfig, others: dict[str, DeviceConfig]) -> Iterator[tuple[str, str]]:
    for happening, bind in device.binds.items():
        target = others.get(bind.device)
        if target is None or not target.is_output:
            yield f"binds.{happening}.device", f"{bind.device!r} is no output of this room; name one"
        elif (what := _unbindable(bind, target)) is not None:
            yield f"binds.{happening}.{what[0]}", what[1]
        if happening == "motion":
            yield "binds.motion", "a button tells press, double and long; name one of them"


def _unbindable(bind: Bind, target: DeviceConfig) -> tuple[str, str] | None:
    actions = [action.value for action in ACTIONS[target.kind]]
    if target.kind in (Kind.SWITCH, Kind.DIMMER):
        actions.append(TOGGLE)
    if bind.action not in actions:
        return "action", f"a {target.kind} has no action {bind.action}; it has {', '.join(actions)}"
    if (bind.value is not None) != (bind.action == "set"):
        return "value", "goes with set, and only with it"
    if bind.value is not None and not 0 <= bind.value <= FULL:
        return "value", f"is {bind.value}; a whole number from 0 to {FULL} would be right"
    return None


_ADDRESSES: dict[Source, tuple[str, str]] = {
    "ds18b20": (r"28-[0-9a-f]{12}", "a 1-wire id, such as 28-0316a2795dff; ls /sys/bus/w1/devices shows it"),
    "iio": (r"/.+|[\w:@.-]+", "the device's name, such as dht11; cat /sys/bus/iio/devices/*/name shows it"),
    "bme280": (r"\d{1,2}:0x7[67]", "the I²C bus, then 0x76 or 0x77, such as 1:0x76"),
}
"""What an address of each source looks like."""


def _sensor_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    if not device.is_sensor:
        return
    sources = [source for source, kind in RANGES if kind is device.kind]
    if device.source is None:
        yield "source", f"is missing; it may be {', '.join(sources)}"
        return
    if device.source not in sources:
        yield "source", f"a {device.source} measures no {device.kind}; it may be {', '.join(sources)}"
    form, meaning = _ADDRESSES[device.source]
    if device.address is None and device.source != "ds18b20":
        yield "address", f"is missing; give {meaning}"
    elif device.address is not None and re.fullmatch(form, device.address) is None:
        yield "address", f"{device.address!r} is none of a {device.source}; give {meaning}"


def _source_complaints(config: RoomConfig) -> Iterator[str]:
    users: dict[tuple[str, Kind], list[str]] = {}
    on_wire = [device.id for device in config.devices if device.source == "ds18b20"]
    for device in config.devices:
        if device.source == "ds18b20" and device.address is None and len(on_wire) > 1:
            yield f"devices: {device.id} needs an address, as there are {len(on_wire)} ds18b20: {', '.join(on_wire)}"
        elif device.is_sensor and device.address is not None:
            users.setdefault((device.address, device.kind), []).append(device.id)
    for (address, kind), ids in users.items():
        if len(ids) > 1:
            yield f"devices: the {kind} of {address} is read by {' and '.join(ids)}; one device is enough"
