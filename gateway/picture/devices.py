"""What one device is, pure: the registry's word and its room's, of which the stricter stands (docs/vocabulary.md)."""

from typing import Literal

import msgspec

from shared.words import naming
from shared.words.arranging import devices_in_order
from shared.words.internal import RegisteredDevice, RegisteredRoom
from shared.words.looks import HomeLook
from shared.words.messages import Description, DeviceDescription
from shared.words.names import ACTIONS, SAFE_ACTIONS, Action, ConfirmBy, Kind, strictest
from shared.words.naming import Called
from shared.words.pending import DELAY_MINUTES

LockoutBy = Literal["room", "master"]
"""Whose will a lock-out is: the room's own file, which no hub overrules, or the master user."""


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """A device without its state. `said` is its room's description of it, where there is one.

    `name` is what people see, `own_name` what its room calls it (untrusted), where that is another; `look` is the
    master user's word.
    `delay_minutes`: from a press to its appointment, where it is confirmed by one.
    `room_confirms`: its room asks for a dialog at least, whatever the master user wants.
    `room_proves`: the room itself counts it critical, and so records how each of its commands ended.
    """

    room: str
    id: str
    name: str
    kind: Kind
    critical: bool
    confirm_by: ConfirmBy
    delay_minutes: int = DELAY_MINUTES
    actions: tuple[Action, ...]
    safe_actions: tuple[Action, ...]
    said: DeviceDescription | None = None
    lockout_by: LockoutBy | None = None
    room_proves: bool = False
    room_confirms: bool = False
    own_name: str | None = None
    look: HomeLook = HomeLook()

    @property
    def confirm(self) -> bool:
        """Whether it asks for anything before what is not safe; on the wire that is all that is said."""
        return self.confirm_by is not ConfirmBy.NONE


def device_of(
    room: str, registered: RegisteredDevice, said: DeviceDescription | None, *, name: str | None = None
) -> Device:
    """Join both words; `said` is None while the room has not described itself. `name`: where it is called otherwise."""
    possible = ACTIONS.get(registered.kind, ())
    usually_safe = SAFE_ACTIONS.get(registered.kind, ())
    critical = registered.critical or (said is not None and said.critical)
    confirm = registered.confirm or (said is not None and said.confirm)
    confirm_by = strictest(registered.confirm_by, ConfirmBy.DIALOG if confirm else ConfirmBy.NONE)
    actions = possible if said is None else tuple(a for a in possible if a in said.actions)
    safe = set(usually_safe if said is None else said.safe_actions)
    if critical or confirm_by is not ConfirmBy.NONE:
        # A room may not talk itself out of proof and confirmation: calling "unlock" safe would skip both.
        safe &= set(usually_safe)
    if registered.safe_actions is not None:
        # What its room calls safe since then waits for the master user.
        safe &= {*usually_safe, *registered.safe_actions}
    return Device(
        room=room,
        id=registered.id,
        name=registered.name if name is None else name,
        own_name=registered.name if name not in (None, registered.name) else None,
        look=registered.look,
        kind=registered.kind,
        critical=critical,
        confirm_by=confirm_by,
        delay_minutes=registered.delay_minutes,
        actions=actions,
        safe_actions=tuple(a for a in actions if a in safe),
        said=said,
        lockout_by=_lockout(registered, said),
        room_proves=said is not None and said.critical,
        room_confirms=confirm,
    )


def devices_of(room: RegisteredRoom, description: Description | None) -> dict[str, Device]:
    """What a room has, by id and in the home's order: what it describes, or what is registered while it does not."""
    said = {one.id: one for one in description.devices} if description is not None else None
    entries = {one.id: one for one in room.devices if said is None or one.id in said}
    called = naming.names(Called(one.id, one.name, one.look.name) for one in entries.values())
    return {
        one: device_of(room.id, entries[one], said[one] if said is not None else None, name=called[one])
        for one in devices_in_order(room)
        if one in entries
    }


def is_held_back(kind: Kind, lockout_by: LockoutBy | None, action: str) -> bool:
    """Whether a lock-out forbids this: all but the kind's own safe actions.

    What its room's file calls safe besides is forbidden too: a locked-out device is never energised.
    """
    return lockout_by is not None and action not in SAFE_ACTIONS.get(kind, ())


def _lockout(registered: RegisteredDevice, said: DeviceDescription | None) -> LockoutBy | None:
    if said is not None and said.lockout:
        return "room"
    return "master" if registered.locked_out else None
