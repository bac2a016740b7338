"""From a device's settings to the device itself, and to its entry in the room's description."""

from collections.abc import Iterable

import msgspec

from device_agents.config import (
    DEAD_TIME,
    DEBOUNCE_MS,
    DOUBLE_MS,
    LONG_MS,
    MOTION_HOLD,
    PULSE_MS,
    REPORT_CHANGE,
    DeviceConfig,
    RoomConfig,
    dead_time,
    pace,
)
from device_agents.devices.button import Button
from device_agents.devices.contact import CLOSED, OPEN, Contact
from device_agents.devices.cover import Cover
from device_agents.devices.dimmer import Dimmer
from device_agents.devices.input import Input
from device_agents.devices.lock import JAMMED, LOCKED, UNLOCKED, Lock
from device_agents.devices.motion import CLEAR, MOTION, MotionSensor
from device_agents.devices.output import Output
from device_agents.devices.pulse import Pulse
from device_agents.devices.sensor import RANGES, UNITS, Sensor
from device_agents.devices.switch import Switch
from device_agents.room.device import Device
from device_agents.room.limits import Limits
from shared.words import topics
from shared.words.messages import By, DeviceDescription, State, utc
from shared.words.names import ACTIONS, FULL, SAFE_ACTIONS, Action, Kind


def device(room: RoomConfig, config: DeviceConfig, wall: float) -> Device:
    """The device that the settings describe, before anything is known of it; `wall` is seconds since 1970."""
    made = Device(
        config=config,
        description=description(room, config),
        state=State(value=None, since=utc(wall), by=By(source="boot")),
        ack_topic=topics.acknowledgement(room.room, config.id),
        state_topic=topics.state(room.room, config.id),
        event_topic=topics.event(room.room, config.id),
    )
    if config.is_output:
        made.output = output(config)
        made.limits = limits(room, config)
    elif not config.is_sensor:
        made.input = input_(config)
    return made


def output(device: DeviceConfig) -> Output:
    """The output that the settings describe; they were checked before."""
    pins = device.every_pin
    match device.kind:
        case Kind.SWITCH:
            return Switch(pins[0], max_on=device.max_on)
        case Kind.DIMMER:
            return Dimmer(pins[0], max_on=device.max_on)
        case Kind.LOCK:
            return Lock(pins[0], relock_after=device.relock_after)
        case Kind.PULSE:
            return Pulse(pins[0], pulse_ms=device.pulse_ms or PULSE_MS, travel_time=device.travel_time or 0.0)
        case Kind.COVER:
            assert device.travel_time is not None
            rest = device.dead_time or DEAD_TIME
            return Cover(pins[0], pins[1], travel_time=device.travel_time, dead_time=rest)
    raise ValueError(f"{device.kind} is no output")


def input_(device: DeviceConfig) -> Input:
    """The input that the settings describe; they were checked before."""
    pin = device.every_pin[0]
    debounce = (DEBOUNCE_MS if device.debounce_ms is None else device.debounce_ms) / 1000
    match device.kind:
        case Kind.CONTACT:
            return Contact(pin, debounce=debounce)
        case Kind.MOTION:
            hold = MOTION_HOLD if device.hold is None else device.hold
            return MotionSensor(pin, debounce=debounce, hold=hold)
        case Kind.BUTTON:
            double = DOUBLE_MS if device.double_ms is None else device.double_ms
            return Button(pin, debounce=debounce, double=double / 1000, long=(device.long_ms or LONG_MS) / 1000)
    raise ValueError(f"{device.kind} is no input")


def sensor(device: DeviceConfig, devices: Iterable[DeviceConfig]) -> Sensor:
    """The sensor that the settings describe, among the room's `devices`; they were checked before."""
    assert device.source is not None
    lowest, highest = RANGES[device.source, device.kind]
    change = device.report_change or REPORT_CHANGE[device.kind]
    return Sensor(every=pace(device, devices), change=change, lowest=lowest, highest=highest)


def limits(room: RoomConfig, device: DeviceConfig) -> Limits:
    """What holds the output back besides its kind."""
    return Limits(
        min_off=device.min_off or 0.0,
        min_interval=device.min_interval or 0.0,
        dead_time=dead_time(room, device) if device.interlock is not None else 0.0,
    )


def description(room: RoomConfig, device: DeviceConfig) -> DeviceDescription:
    """What everybody is told about it: all that is needed to build its controls and to understand its refusals."""
    said = DeviceDescription(
        id=device.id,
        name=device.name,
        kind=device.kind,
        critical=device.critical,
        confirm=device.confirm,
        actions=ACTIONS.get(device.kind, ()),
        safe_actions=tuple(dict.fromkeys((*SAFE_ACTIONS.get(device.kind, ()), *device.safe_actions))),
        values=_VALUES.get(device.kind, ()),
        events=_EVENTS.get(device.kind, ()),
    )
    if device.source is not None:
        lowest, highest = RANGES[device.source, device.kind]
        return msgspec.structs.replace(said, unit=UNITS[device.kind], minimum=lowest, maximum=highest)
    return _with_limits(said, room, device) if device.is_output else said


def _with_limits(said: DeviceDescription, room: RoomConfig, device: DeviceConfig) -> DeviceDescription:
    rests = device.interlock is not None or device.kind is Kind.COVER
    loses = device.on_link_loss != "hold"
    scale = (0, FULL, "%") if Action.SET in said.actions else (None, None, None)
    return msgspec.structs.replace(
        said,
        max_on=device.max_on,
        min_off=device.min_off,
        min_interval=device.min_interval,
        pulse_ms=(device.pulse_ms or PULSE_MS) if device.kind is Kind.PULSE else None,
        travel_time=device.travel_time,
        dead_time=_rest(room, device) if rests else None,
        relock_after=device.relock_after,
        interlock=device.interlock,
        lockout=device.lockout,
        contact=device.contact,
        boot=device.boot,
        on_link_loss=device.on_link_loss,
        link_loss_after=(device.link_loss_after or room.link_loss_after) if loses else None,
        minimum=scale[0],
        maximum=scale[1],
        unit=scale[2],
    )


def _rest(room: RoomConfig, device: DeviceConfig) -> float:
    return dead_time(room, device) if device.interlock is not None else device.dead_time or DEAD_TIME


_VALUES: dict[Kind, tuple[str, ...]] = {
    Kind.SWITCH: ("on", "off"),
    Kind.LOCK: (LOCKED, UNLOCKED, JAMMED),
    Kind.CONTACT: (OPEN, CLOSED),
    Kind.MOTION: (MOTION, CLEAR),
}
_EVENTS: dict[Kind, tuple[str, ...]] = {
    Kind.BUTTON: ("press", "double", "long"),
    Kind.MOTION: ("motion",),
}
