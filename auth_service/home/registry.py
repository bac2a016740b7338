"""What stands when a room describes itself, pure: it may add and tighten; what loosens waits, the stricter stands.

A stolen or broken room must not talk its front door into a plain lamp (docs/vocabulary.md).
"""

from typing import Literal

import msgspec

from shared.words.internal import RegisteredDevice, RegisteredRoom, RoomSeen
from shared.words.messages import DeviceDescription
from shared.words.problem import HomeError

DEVICES_MOST = 256
"""Of one room, those included that it no longer names."""

Field = Literal["kind", "critical", "confirm"]


class Loosening(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What a description would make less strict; texts as they stand in JSON."""

    device: str
    field: Field
    stands: str
    wanted: str


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What stands now, and what waits for the master user."""

    room: RegisteredRoom
    waiting: tuple[Loosening, ...]


def merge(known: RegisteredRoom, seen: RoomSeen) -> Merged:
    """Fold a description into what is registered. Raises HomeError("invalid-value") for one that cannot be true.

    A device that the room no longer names stays, as strict as it was: it may come back.
    """
    described = {device.id: device for device in seen.devices}
    if len(described) != len(seen.devices):
        raise HomeError("invalid-value", "A description names every device once.")
    waiting: list[Loosening] = []
    devices = []
    for device in known.devices:
        word = described.pop(device.id, None)
        devices.append(device if word is None else _stricter(device, word))
        waiting += [] if word is None else _loosenings(device, word)
    devices += [_registered(word) for word in described.values()]
    if len(devices) > DEVICES_MOST:
        raise HomeError("invalid-value", f"A room has {DEVICES_MOST} devices at the most, former ones included.")
    room = RegisteredRoom(id=known.id, name=seen.name.strip() or known.name, devices=tuple(devices))
    return Merged(room=room, waiting=tuple(sorted(waiting)))


def accept(known: RegisteredRoom, loosening: Loosening) -> RegisteredRoom:
    """The room after the master user's yes to one loosening."""
    changes = {"kind": {"kind": loosening.wanted}, "critical": {"critical": False}, "confirm": {"confirm": False}}
    devices = tuple(
        msgspec.convert(msgspec.to_builtins(device) | changes[loosening.field], RegisteredDevice)
        if device.id == loosening.device
        else device
        for device in known.devices
    )
    return msgspec.structs.replace(known, devices=devices)


def _stricter(device: RegisteredDevice, word: DeviceDescription) -> RegisteredDevice:
    return msgspec.structs.replace(
        device, name=word.name, critical=device.critical or word.critical, confirm=device.confirm or word.confirm
    )


def _loosenings(device: RegisteredDevice, word: DeviceDescription) -> list[Loosening]:
    found = []
    if word.kind is not device.kind:
        # Neither kind is the stricter one: the registered one stands.
        found.append(Loosening(device=device.id, field="kind", stands=device.kind.value, wanted=word.kind.value))
    if device.critical and not word.critical:
        found.append(Loosening(device=device.id, field="critical", stands="true", wanted="false"))
    if device.confirm and not word.confirm:
        found.append(Loosening(device=device.id, field="confirm", stands="true", wanted="false"))
    return found


def _registered(word: DeviceDescription) -> RegisteredDevice:
    return RegisteredDevice(id=word.id, name=word.name, kind=word.kind, critical=word.critical, confirm=word.confirm)
