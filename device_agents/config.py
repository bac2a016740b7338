"""A room's configuration: its devices, its pins, and how to reach the broker. device_agents.complaints reads it."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from device_agents.devices.input import Happening
from device_agents.devices.output import BootPolicy
from device_agents.devices.sensor import RESOLUTION, Source
from device_agents.pins.pins import PinUse, Pull
from device_agents.watchdog import MOST
from shared.broker.mqtt import BrokerConfig
from shared.running.config import Config
from shared.words.messages import DESCRIBED_MOST
from shared.words.names import ACTIONS, STAMPED_KINDS, Action, Kind

Line = int | Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
"""A pin by its number, or by the name that its chip, or a Raspberry Pi's header, has for it."""
Positive = Annotated[float, msgspec.Meta(gt=0)]
LinkLossSeconds = Annotated[float, msgspec.Meta(ge=16)]
"""A gateway's heartbeat comes every 5 s: three may be lost."""

MOST_DEVICES = DESCRIBED_MOST
DEAD_TIME = 0.5
PULSE_MS = 500
DIMMER_HERTZ = 200
DEBOUNCE_MS = 30
MOTION_HOLD = 30.0
DOUBLE_MS = 400
LONG_MS = 800
SENSOR_EVERY = 30.0
CONVERSION = 0.75
"""Seconds for which a DS18B20 that measures has its wire for itself (data sheet, 12 bits)."""
REPORT_CHANGE = {Kind.TEMPERATURE: 0.2, Kind.HUMIDITY: 1.0}

TOGGLE = "toggle"


class Bind(Config, frozen=True):
    """What a button does to an output of its room, whether the hub is there or not.

    `toggle` is off for an output that is on, else on; `value` belongs to `set`.
    """

    device: str
    action: Literal["on", "off", "set", "lock", "unlock", "open", "close", "stop", "press", "toggle"]
    value: int | None = None


class DeviceConfig(Config, frozen=True):
    """One device. Which settings it may have depends on its kind; durations are seconds unless they end in `_ms`.

    `pins` are a cover's opening and closing relay. `safe_actions` names what is safe beyond the kind's own.
    `stamped`: who switches it says when, whoever it is (see `needs_stamp`).
    `interlock` is the name of a group of which one at most is on; each rests `dead_time` after another was.
    `contact` is the input that tells a lock whether its door is closed. `binds` say what a button does here.
    `source`, `address`, `every` and `report_change` are a sensor's: docs/sensors.md.
    """

    id: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    kind: Kind
    pin: Line | None = None
    pins: tuple[Line, Line] | None = None
    critical: bool = False
    confirm: bool = False
    active_low: bool | None = None
    boot: BootPolicy = "off"
    on_link_loss: Literal["hold", "off", "on", "locked", "unlocked"] = "hold"
    link_loss_after: LinkLossSeconds | None = None
    safe_actions: tuple[Action, ...] = ()
    stamped: bool = False
    lockout: bool = False
    max_on: Positive | None = None
    min_off: Positive | None = None
    min_interval: Positive | None = None
    interlock: Annotated[str, msgspec.Meta(min_length=1, max_length=32)] | None = None
    relock_after: Positive | None = None
    contact: str | None = None
    pulse_ms: Annotated[int, msgspec.Meta(ge=10, le=60_000)] | None = None
    travel_time: Positive | None = None
    dead_time: Annotated[float, msgspec.Meta(ge=0.1, le=60)] | None = None
    frequency: Annotated[int, msgspec.Meta(ge=1, le=10_000)] | None = None
    pull: Pull | None = None
    debounce_ms: Annotated[int, msgspec.Meta(ge=0, le=1000)] | None = None
    hold: Annotated[float, msgspec.Meta(ge=0)] | None = None
    double_ms: Annotated[int, msgspec.Meta(ge=0, le=5000)] | None = None
    long_ms: Annotated[int, msgspec.Meta(ge=100, le=60_000)] | None = None
    binds: dict[Happening, Bind] = msgspec.field(default_factory=dict)
    source: Source | None = None
    address: str | None = None
    every: Annotated[float, msgspec.Meta(ge=2, le=86_400)] | None = None
    report_change: Annotated[float, msgspec.Meta(ge=RESOLUTION, le=100)] | None = None

    @property
    def is_output(self) -> bool:
        """Whether it obeys commands."""
        return self.kind in ACTIONS

    @property
    def needs_stamp(self) -> bool:
        """Whether a command that is not safe has to carry an id and when it was issued.

        Without, nobody can tell a wish from the last will of a client that died. What may not stay on for ever, and
        what cannot be undone, must not move by one.
        """
        return self.stamped or self.critical or self.max_on is not None or self.kind in STAMPED_KINDS

    @property
    def is_sensor(self) -> bool:
        """Whether it measures, and so has a source rather than a pin."""
        return self.kind in REPORT_CHANGE

    @property
    def lines(self) -> tuple[int | str, ...]:
        """All pins that it needs, as its file calls them."""
        return self.pins or (() if self.pin is None else (self.pin,))

    @property
    def every_pin(self) -> tuple[int, ...]:
        """The numbers of all pins that it needs; `numbered` has put them in the place of names."""
        assert not any(isinstance(line, str) for line in self.lines), self.lines
        return tuple(int(line) for line in self.lines)


class RoomConfig(Config, frozen=True):
    """One room's agent. `data` is the folder of its ledger, `sim_dir` that of simulated pins.

    `chip` is the GPIO chip whose lines `pins = "gpiod"` means: its path, or its label. `free_pins` may be used although
    a board usually needs them for something else.
    """

    room: str
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
    broker: BrokerConfig
    pins: Literal["simulated", "rpi", "gpiod"]
    data: Path
    devices: tuple[DeviceConfig, ...] = ()
    """None on a machine that has just joined."""
    sim_dir: Path | None = None
    chip: Path | None = None
    free_pins: tuple[int, ...] = ()
    log_dir: Path | None = None
    link_loss_after: LinkLossSeconds = 60.0
    """Seconds without any gateway's heartbeat (one comes every 5 s) before `on_link_loss` is obeyed."""
    trial_seconds: Annotated[float, msgspec.Meta(ge=10, le=600)] = 60.0
    """So long a file that was changed from a page has until the room is online by it; then the former one is back."""
    watchdog: Path | None = None
    """The board's watchdog device, such as /dev/watchdog: resets the board where the agent hangs or dies."""
    watchdog_seconds: int = MOST
    """After so long without a sign of life; device_agents.complaints says why no longer."""


def dead_time(room: RoomConfig, device: DeviceConfig) -> float:
    """How long the others of its interlock group rest after one was on: the longest that any of them asks for."""
    asked = [d.dead_time for d in room.devices if d.interlock == device.interlock and d.dead_time is not None]
    return max(asked, default=DEAD_TIME)


def numbered(config: RoomConfig, numbers: Mapping[str, int]) -> RoomConfig:
    """The same room with numbers in the place of its pins' names."""

    def number(line: int | str) -> int:
        return numbers[line] if isinstance(line, str) else line

    devices = tuple(
        msgspec.structs.replace(
            device,
            pin=None if device.pin is None else number(device.pin),
            pins=None if device.pins is None else (number(device.pins[0]), number(device.pins[1])),
        )
        for device in config.devices
    )
    return msgspec.structs.replace(config, devices=devices)


def pace(device: DeviceConfig, devices: Iterable[DeviceConfig]) -> float:
    """Seconds from one reading of a sensor to the next: `every`, or what all `devices` on its wire need in turn."""
    every = device.every or SENSOR_EVERY
    if device.source != "ds18b20":
        return every
    return max(every, CONVERSION * sum(one.source == device.source for one in devices))


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
