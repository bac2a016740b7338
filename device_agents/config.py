"""A room's configuration: its devices, its pins, and how to reach the broker. Wrong settings are told all at once."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from device_agents import board
from device_agents.devices.output import BootPolicy
from device_agents.pins import PinUse, Pull
from shared.config import Config, ConfigError, load
from shared.mqtt import BrokerConfig
from shared.names import ACTIONS, Action, Kind, is_identity, is_reserved

Positive = Annotated[float, msgspec.Meta(gt=0)]

MOST_DEVICES = 64
COVER_DEAD_TIME = 0.5
PULSE_MS = 500
DIMMER_HERTZ = 200
DEBOUNCE_MS = 30
MOTION_HOLD = 30.0
DOUBLE_MS = 400
LONG_MS = 800

_COMMON = frozenset({"id", "name", "kind", "critical", "pin"})
_OUTPUT = _COMMON | {"confirm", "active_low", "boot", "on_link_loss", "safe_actions"}
_INPUT = _COMMON | {"active_low", "pull", "debounce_ms"}
_SETTINGS: dict[Kind, frozenset[str]] = {
    Kind.SWITCH: _OUTPUT | {"max_on"},
    Kind.DIMMER: _OUTPUT | {"max_on", "frequency"},
    Kind.LOCK: _OUTPUT,
    Kind.COVER: (_OUTPUT | {"pins", "travel_time", "dead_time"}) - {"pin"},
    Kind.PULSE: _OUTPUT | {"pulse_ms", "travel_time"},
    Kind.CONTACT: _INPUT,
    Kind.MOTION: _INPUT | {"hold"},
    Kind.BUTTON: _INPUT | {"double_ms", "long_ms"},
}
"""Which settings each kind has; the kinds that are missing here are not built yet."""
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


class DeviceConfig(Config, frozen=True):
    """One device. Which settings it may have depends on its kind; durations are seconds unless they end in `_ms`.

    `pins` are a cover's opening and closing relay. `safe_actions` names what is safe beyond the kind's own.
    """

    id: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    pin: int | None = None
    pins: tuple[int, int] | None = None
    critical: bool = False
    confirm: bool = False
    active_low: bool | None = None
    boot: BootPolicy = "off"
    on_link_loss: Literal["hold", "off", "on", "locked", "unlocked"] = "hold"
    safe_actions: tuple[Action, ...] = ()
    max_on: Positive | None = None
    pulse_ms: Annotated[int, msgspec.Meta(ge=10, le=60_000)] | None = None
    travel_time: Positive | None = None
    dead_time: Annotated[float, msgspec.Meta(ge=0.1, le=60)] | None = None
    frequency: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    pull: Pull | None = None
    debounce_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    hold: Annotated[float, msgspec.Meta(ge=0)] | None = None
    double_ms: Annotated[int, msgspec.Meta(ge=0, le=5000)] | None = None
    long_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] | None = None

    @property
    def is_output(self) -> bool:
        """Whether it obeys commands."""
        return self.kind in ACTIONS

    @property
    def every_pin(self) -> tuple[int, ...]:
        """All pins that it needs."""
        return self.pins or (() if self.pin is None else (self.pin,))


class RoomConfig(Config, frozen=True):
    """One room's agent. `data` is the folder of its ledger, `sim_dir` that of simulated pins.

    `free_pins` may be used although a board usually needs them for something else.
    """

    room: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    broker: BrokerConfig
    pins: Literal["simulated", "rpi"]
    data: Path
    devices: tuple[DeviceConfig, ...]
    sim_dir: Path | None = None
    free_pins: tuple[int, ...] = ()
    log_dir: Path | None = None
    link_loss_after: Annotated[float, msgspec.Meta(ge=16)] = 60.0
    """Seconds without any gateway's heartbeat (one comes every 5 s) before `on_link_loss` is obeyed."""


def read(path: Path) -> RoomConfig:
    """Read and check a room's file. Raises ConfigError naming everything that is wrong."""
    config = load(RoomConfig, path)
    wrong = [f"{path}: {complaint}" for complaint in complaints(config)]
    if wrong:
        raise ConfigError("\n".join(wrong))
    return config


def pin_uses(config: RoomConfig) -> tuple[PinUse, ...]:
    """What every pin of the room is for."""
    return tuple(_use(device, pin) for device in config.devices for pin in device.every_pin)


_VALUES: dict[Kind, tuple[str, ...]] = {
    Kind.CONTACT: ("open", "closed"),
    Kind.MOTION: ("motion", "clear"),
    Kind.BUTTON: ("press", "double", "long"),
}


def _use(device: DeviceConfig, pin: int) -> PinUse:
    if device.is_output:
        frequency = (device.frequency or DIMMER_HERTZ) if device.kind is Kind.DIMMER else None
        active_low = bool(device.active_low)
        return PinUse(pin=pin, device=device.id, output=True, active_low=active_low, frequency=frequency)
    # Most sensors close to ground, so that a broken wire reads as open; motion sensors drive their line high.
    grounding = device.kind is not Kind.MOTION
    return PinUse(
        pin=pin,
        device=device.id,
        output=False,
        active_low=grounding if device.active_low is None else device.active_low,
        pull=device.pull or ("up" if grounding else "down"),
        values=_VALUES[device.kind],
        idle=1 if device.kind is Kind.CONTACT else 0,
    )


def complaints(config: RoomConfig) -> Iterator[str]:
    """Everything that is wrong with a room that could be read: where, what, and what would be right."""
    if not is_identity(config.room) or is_reserved(config.room):
        yield f"room: {config.room!r} is no name for a room; use small letters, digits and dashes, such as hall"
    if config.broker.identity != config.room:
        yield f"broker.identity: is {config.broker.identity!r}; it must be the room's own name, {config.room!r}"
    if config.pins == "simulated" and config.sim_dir is None:
        yield "sim_dir: simulated pins need a folder to record in; set it"
    if not 0 < len(config.devices) <= MOST_DEVICES:
        yield f"devices: there are {len(config.devices)}; a room has 1 to {MOST_DEVICES}, each a [[devices]] table"
    for index, device in enumerate(config.devices):
        for name, what in (*_setting_complaints(device), *_policy_complaints(device)):
            yield f"devices[{index}].{name}: {what} ({device.id})"
    for id_, count in Counter(device.id for device in config.devices).items():
        if count > 1:
            yield f"devices: {id_!r} is there {count} times; every device needs an id of its own"
    yield from _pin_complaints(config)


def _pin_complaints(config: RoomConfig) -> Iterator[str]:
    users: dict[int, list[str]] = {}
    for device in config.devices:
        for pin in device.every_pin:
            users.setdefault(pin, []).append(device.id)
    for pin, ids in users.items():
        if len(ids) > 1:
            yield f"devices: pin {pin} is used by {' and '.join(ids)}; every device needs pins of its own"
    for what in board.complaints(((pin, ids[0]) for pin, ids in users.items()), config.free_pins):
        yield f"devices: {what}"


def _setting_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    if not is_identity(device.id):
        yield "id", f"{device.id!r} is no id; use small letters, digits and dashes, such as front-door"
    allowed = _SETTINGS.get(device.kind)
    if allowed is None:
        yield "kind", f"{device.kind} is not built into this agent yet; it has {', '.join(_SETTINGS)}"
        return
    for field in msgspec.structs.fields(device):
        if field.name not in allowed and getattr(device, field.name) != field.default:
            yield field.name, f"a {device.kind} has no such setting; it has {', '.join(sorted(allowed))}"
    if "pin" in allowed and device.pin is None:
        yield "pin", "is missing; give the BCM number of its pin"
    if "pins" in allowed and device.pins is None:
        yield "pins", "is missing; give the opening relay's pin and the closing one's, such as [5, 6]"
    if device.kind is Kind.COVER and device.travel_time is None:
        yield "travel_time", "is missing; measure how many seconds it takes from shut to open"


def _policy_complaints(device: DeviceConfig) -> Iterator[tuple[str, str]]:
    if not device.is_output:
        return
    boot, link_loss, actions = _BOOT[device.kind], _LINK_LOSS[device.kind], ACTIONS[device.kind]
    if device.boot not in boot:
        yield "boot", f"a {device.kind} cannot start {device.boot!r}; it may be {', '.join(boot)}"
    elif device.max_on is not None and device.boot != "off":
        yield "boot", f'{device.boot!r} would lengthen max_on with every start; set boot = "off"'
    if device.on_link_loss not in link_loss:
        yield "on_link_loss", f"a {device.kind} cannot do {device.on_link_loss!r}; it may be {', '.join(link_loss)}"
    for action in device.safe_actions:
        if action not in actions:
            yield "safe_actions", f"a {device.kind} has no action {action}; it has {', '.join(actions)}"
