"""What one device is, pure: the registry's word and its room's, of which the stricter stands (DESIGN §6)."""

import msgspec

from shared.internal import RegisteredDevice
from shared.messages import DeviceDescription
from shared.names import ACTIONS, SAFE_ACTIONS, Action, Kind


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device without its state. Limits are in seconds.

    `room_proves`: the room itself counts it critical, and so records how each of its commands ended.
    """

    room: str
    id: str
    name: str
    kind: Kind
    critical: bool
    confirm: bool
    actions: tuple[Action, ...]
    safe_actions: tuple[Action, ...]
    max_on: float | None = None
    travel_time: float | None = None
    room_proves: bool = False


def device_of(room: str, registered: RegisteredDevice, said: DeviceDescription | None) -> Device:
    """Join both words; `said` is None while the room has not described itself."""
    possible = ACTIONS.get(registered.kind, ())
    usually_safe = SAFE_ACTIONS.get(registered.kind, ())
    critical = registered.critical or (said is not None and said.critical)
    actions = possible if said is None else tuple(a for a in possible if a in said.actions)
    safe = set(usually_safe if said is None else said.safe_actions)
    if critical:
        # A room may not talk itself out of the proof: calling "unlock" safe would skip spool and confirmation.
        safe &= set(usually_safe)
    return Device(
        room=room,
        id=registered.id,
        name=registered.name,
        kind=registered.kind,
        critical=critical,
        confirm=registered.confirm or (said is not None and said.confirm),
        actions=actions,
        safe_actions=tuple(a for a in actions if a in safe),
        max_on=said.max_on if said is not None else None,
        travel_time=said.travel_time if said is not None else None,
        room_proves=said is not None and said.critical,
    )
