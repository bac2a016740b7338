"""From a device's settings to the device itself, and to its entry in the room's description."""

from device_agents.config import (
    COVER_DEAD_TIME,
    DEBOUNCE_MS,
    DOUBLE_MS,
    LONG_MS,
    MOTION_HOLD,
    PULSE_MS,
    DeviceConfig,
)
from device_agents.devices.button import Button
from device_agents.devices.contact import Contact
from device_agents.devices.cover import Cover
from device_agents.devices.dimmer import Dimmer
from device_agents.devices.input import Input
from device_agents.devices.lock import Lock
from device_agents.devices.motion import MotionSensor
from device_agents.devices.output import Output
from device_agents.devices.pulse import Pulse
from device_agents.devices.switch import Switch
from shared.messages import DeviceDescription
from shared.names import ACTIONS, SAFE_ACTIONS, Kind


def output(device: DeviceConfig) -> Output:
    """The output that the settings describe; they were checked before."""
    pins = device.every_pin
    match device.kind:
        case Kind.SWITCH:
            return Switch(pins[0], max_on=device.max_on)
        case Kind.DIMMER:
            return Dimmer(pins[0], max_on=device.max_on)
        case Kind.LOCK:
            return Lock(pins[0])
        case Kind.PULSE:
            return Pulse(pins[0], pulse_ms=device.pulse_ms or PULSE_MS, travel_time=device.travel_time or 0.0)
        case Kind.COVER:
            assert device.travel_time is not None
            dead_time = device.dead_time or COVER_DEAD_TIME
            return Cover(pins[0], pins[1], travel_time=device.travel_time, dead_time=dead_time)
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


def description(device: DeviceConfig) -> DeviceDescription:
    """What everybody is told about it."""
    safe = dict.fromkeys((*SAFE_ACTIONS.get(device.kind, ()), *device.safe_actions))
    return DeviceDescription(
        id=device.id,
        name=device.name,
        kind=device.kind,
        critical=device.critical,
        confirm=device.confirm,
        actions=ACTIONS.get(device.kind, ()),
        safe_actions=tuple(safe),
        max_on=device.max_on,
        pulse_ms=(device.pulse_ms or PULSE_MS) if device.kind is Kind.PULSE else None,
        travel_time=device.travel_time,
    )
