"""What stands when a room describes itself, pure: it may add and tighten; what loosens waits, the stricter stands.

A stolen or broken room must not talk its front door into a plain lamp (docs/vocabulary.md).
"""

from typing import Literal

import msgspec

from auth_service.home import absence
from auth_service.home.absence import RETURN, Absences
from shared.words.internal import RegisteredDevice, RegisteredRoom, RoomSeen
from shared.words.messages import DeviceDescription
from shared.words.names import ACTIONS, SAFE_ACTIONS, Action, Kind
from shared.words.problem import HomeError

DEVICES_MOST = 256
"""Of one room, those included that it no longer names."""

Field = Literal["kind", "critical", "confirm", "safe_actions", "return"]


class Loosening(msgspec.Struct, frozen=True, kw_only=True, order=True):
    """What a description would make less strict; texts as they stand in JSON."""

    device: str
    field: Field
    stands: str
    wanted: str


class Merged(msgspec.Struct, frozen=True, kw_only=True):
    """What stands now, and what waits for the master user. `returned`: devices that are locked out until then."""

    room: RegisteredRoom
    waiting: tuple[Loosening, ...]
    returned: tuple[str, ...] = ()


def merge(known: RegisteredRoom, seen: RoomSeen, away: Absences = absence.NONE) -> Merged:
    """Fold a description into what is registered. Raises HomeError("invalid-value") for one that cannot be true.

    A device that the room no longer names stays, as strict as it was: it may come back. One that was `away` for too
    long comes back locked out.
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
    late = {device.id for device in seen.devices} & away.keys()
    for device in known.devices:
        if device.id in late and device.kind in ACTIONS:
            since = away[device.id].date().isoformat()
            waiting.append(Loosening(device=device.id, field=RETURN, stands=since, wanted="back"))
    returned = tuple(sorted(one.device for one in waiting if one.field == RETURN))
    devices = [msgspec.structs.replace(one, locked_out=one.locked_out or one.id in returned) for one in devices]
    if len(devices) > DEVICES_MOST:
        raise HomeError("invalid-value", f"A room has {DEVICES_MOST} devices at the most, former ones included.")
    room = RegisteredRoom(id=known.id, name=seen.name.strip() or known.name, devices=tuple(devices))
    return Merged(room=room, waiting=tuple(sorted(waiting)), returned=returned)


def accept(known: RegisteredRoom, loosening: Loosening) -> RegisteredRoom:
    """The room after the master user's yes to one loosening."""
    changes = {
        "kind": {"kind": loosening.wanted},
        "critical": {"critical": False},
        "confirm": {"confirm": False},
        "safe_actions": {"safe_actions": loosening.wanted.split()},
        RETURN: {"locked_out": False},
    }
    devices = tuple(
        msgspec.convert(msgspec.to_builtins(device) | changes[loosening.field], RegisteredDevice)
        if device.id == loosening.device
        else device
        for device in known.devices
    )
    return msgspec.structs.replace(known, devices=devices)


def _stricter(device: RegisteredDevice, word: DeviceDescription) -> RegisteredDevice:
    critical, confirm = device.critical or word.critical, device.confirm or word.confirm
    safe = _safe_besides(word, device.kind, strict=critical or confirm)
    if device.safe_actions is not None:  # else nobody noted it so far: its room's word of now is the first
        safe = tuple(action for action in safe if action in device.safe_actions)
    return msgspec.structs.replace(device, name=word.name, critical=critical, confirm=confirm, safe_actions=safe)


def _loosenings(device: RegisteredDevice, word: DeviceDescription) -> list[Loosening]:
    found = []
    if word.kind is not device.kind:
        # Neither kind is the stricter one: the registered one stands.
        found.append(Loosening(device=device.id, field="kind", stands=device.kind.value, wanted=word.kind.value))
    if device.critical and not word.critical:
        found.append(Loosening(device=device.id, field="critical", stands="true", wanted="false"))
    if device.confirm and not word.confirm:
        found.append(Loosening(device=device.id, field="confirm", stands="true", wanted="false"))
    stands = _stricter(device, word)
    safe = _safe_besides(word, device.kind, strict=stands.critical or stands.confirm)
    if safe != (stands.safe_actions or ()):
        so_far = " ".join(stands.safe_actions or ())
        found.append(Loosening(device=device.id, field="safe_actions", stands=so_far, wanted=" ".join(safe)))
    return found


def _safe_besides(word: DeviceDescription, kind: Kind, *, strict: bool) -> tuple[Action, ...]:
    """What its room calls safe beyond what is so of its kind; of what is critical or asks first, nothing is."""
    usual = SAFE_ACTIONS.get(kind, ())
    possible = () if strict else ACTIONS.get(kind, ())
    return tuple(action for action in possible if action in word.safe_actions and action not in usual)


def _registered(word: DeviceDescription) -> RegisteredDevice:
    return RegisteredDevice(
        id=word.id,
        name=word.name,
        kind=word.kind,
        critical=word.critical,
        confirm=word.confirm,
        safe_actions=_safe_besides(word, word.kind, strict=word.critical or word.confirm),
    )
