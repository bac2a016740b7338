"""Devices and rooms as people and programs see them, pure: the shapes of the API, and how one is made.

Beside its state a device shows every limit and hint of its description, so that controls can be built from it alone
and refusals understood. What stands in them comes from the room and is untrusted: limited in length, to be escaped.
"""

from typing import Literal

import msgspec

from gateway.picture import icons
from gateway.picture.devices import Device, LockoutBy
from shared.words.internal import LockdownState
from shared.words.messages import DeviceDescription, Moment, State, UserRef
from shared.words.names import Action, ConfirmBy
from shared.words.pending import PendingWish

Status = Literal["online", "offline", "unknown"]

HINTS = tuple(field.name for field in msgspec.structs.fields(DeviceDescription) if not field.required)
"""The fields of a description that are passed on as they are; the others are the registry's to say, too."""


class PendingView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What waits for a second person, until `until`: whose wish it is they must know who are to agree.

    `due`: it is an appointment, carried out then unless somebody vetoes it.
    """

    id: str
    action: Action
    by: UserRef
    pressed_at: Moment
    until: Moment
    value: int | None = None
    due: Moment | None = None


class DeviceView(DeviceDescription, frozen=True, kw_only=True, omit_defaults=True):
    """A device as people see it: what its room describes, and how it stands. `state` is None unless its room is online.

    `name` is what people see, `own_name` what its room calls it, where that is another. `icon`: a drawing of icons.svg.
    `hidden` and `favourite`: how it is to be looked at, which permits and forbids nothing.
    `confirm_by`: what its unsafe actions ask for, of which `confirm` is the short form.
    `delay_minutes`: from a press to its appointment, where that is what it asks for.
    `pending`: what somebody wants of it and nobody else has agreed to yet, or whose time has not come.
    `locked_out`: it obeys its kind's own safe actions only, by the master user's will or its room's own file
    (`lockout_by`).
    """

    room: str
    available: bool
    status: Status
    state: State | None
    confirm_by: ConfirmBy
    delay_minutes: int | None = None
    pending: tuple[PendingView, ...] = ()
    icon: str
    own_name: str | None = None
    hidden: bool = False
    favourite: bool = False
    locked_out: bool = False
    lockout_by: LockoutBy | None = None


class RoomView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A room as people see it; `own_name` is what it calls itself, where that is another. Devices in their order."""

    id: str
    name: str
    status: Status
    devices: tuple[DeviceView, ...]
    own_name: str | None = None
    icon: str | None = None
    hidden: bool = False


class LockdownView(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Whether the home obeys safe actions only; `since` is there while it does."""

    active: bool
    since: Moment | None = None


def lockdown_view(stands: LockdownState) -> LockdownView:
    """The lockdown as people see it."""
    return LockdownView(active=stands.active, since=stands.at if stands.active else None)


def pending_view(wish: PendingWish) -> PendingView:
    """What is pending, where its device is named already."""
    return PendingView(
        id=wish.id,
        action=wish.action,
        by=wish.by,
        pressed_at=wish.pressed_at,
        until=wish.until,
        value=wish.value,
        due=wish.due,
    )


def view_of(device: Device, status: Status, state: State | None, pending: tuple[PendingView, ...] = ()) -> DeviceView:
    """One device, given whether its room is there, what it last said of it, and what is pending."""
    return DeviceView(
        room=device.room,
        id=device.id,
        name=device.name,
        own_name=device.own_name,
        icon=device.look.icon or icons.usual(device.kind, device.id),
        hidden=device.look.hidden,
        kind=device.kind,
        critical=device.critical,
        confirm=device.confirm,
        confirm_by=device.confirm_by,
        delay_minutes=device.delay_minutes if device.confirm_by is ConfirmBy.APPOINTMENT else None,
        actions=device.actions,
        safe_actions=device.safe_actions,
        available=status == "online",
        status=status,
        state=state,
        pending=pending,
        locked_out=device.lockout_by is not None,
        lockout_by=device.lockout_by,
        **({name: getattr(device.said, name) for name in HINTS} if device.said is not None else {}),
    )
