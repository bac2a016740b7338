"""Who may see and do what, pure, and the only place that decides it: for the API, the pages and the event streams.

Master and member use every room; a guest what a grant names, while it holds; everything else is denied
(ASVS 5.0 8.2.1, 8.2.2, 8.3.1). What one may not see is answered like what does not exist.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

import msgspec

from gateway.picture.views import DeviceView, RoomView
from shared.words import who_may
from shared.words.grant_times import holds
from shared.words.internal import Grant, User
from shared.words.internal_alerts import AuditFilter
from shared.words.messages import AuditEvent, Who
from shared.words.names import Role
from shared.words.scopes import TokenUse

CLAIMED_BY = "claimed_by"
"""In an event's detail, by the alert service: the room whose word alone it is. It names nobody: all read it."""

E = TypeVar("E", bound=AuditEvent)


class Viewer(Protocol):
    """Whoever asks: a live session, as the auth service describes it."""

    @property
    def user(self) -> User:
        """Whose session it is."""

    @property
    def grants(self) -> tuple[Grant, ...]:
        """What a guest may do; empty for others."""

    @property
    def token(self) -> TokenUse | None:
        """By which API token a program asks for this person; None where they are signed in."""


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """Which part of the history one may read: `user` None means all of it.

    Else that user's own acts, with `rooms` what happened in any room, and what happened in those places.
    `discreet`: of others' acts one reads what, where and when, not who and from where.
    """

    user: str | None
    rooms: bool = False
    places: tuple[str, ...] = ()
    discreet: bool = False


def as_shown(scope: Scope, event: E) -> E:
    """The event as one may read it."""
    theirs = event.who.user is not None and event.who.user.id == scope.user
    if not scope.discreet or theirs:
        return event
    claimed = {name: value for name, value in event.detail.items() if name == CLAIMED_BY}
    return msgspec.structs.replace(event, who=Who(issuer=event.who.issuer), detail=claimed)


def may_look_for(scope: Scope, wanted: AuditFilter) -> bool:
    """Whether the filter asks for nothing that the scope hides: who is hidden may not be found out by asking for."""
    return not scope.discreet or wanted.user in (None, scope.user)


def local_now(zone: ZoneInfo) -> datetime:
    """The moment, in the home's own time: a grant's weekdays and hours are the household's."""
    return datetime.now(zone)


def sees_all(viewer: Viewer) -> bool:
    """Whether this person may know of every room and device there is."""
    return viewer.token is None and _uses_every_room(viewer)


def may_see(viewer: Viewer, room: str, device: str, now: datetime) -> bool:
    """Whether this person may know of the device and its state."""
    if viewer.token is not None and not viewer.token.sees(room, device):
        return False
    if _uses_every_room(viewer):
        return True
    return any(grant.room == room and grant.device == device and holds(grant, now) for grant in viewer.grants)


def may_act(viewer: Viewer, room: str, device: str, action: str, now: datetime) -> bool:
    """Whether this person may have the device do that."""
    if viewer.token is not None and not viewer.token.acts(room, device, action):
        return False
    return _uses_every_room(viewer) or any(
        who_may.names(grant, room, device, action) and holds(grant, now) for grant in viewer.grants
    )


def may_see_room(viewer: Viewer, room: str, now: datetime) -> bool:
    """Whether this person may know of the room: a guest, if any of its devices is theirs now."""
    if viewer.token is not None:
        return any(one.room == room and may_see(viewer, room, one.device, now) for one in viewer.token.scope)
    if _uses_every_room(viewer):
        return True
    return any(grant.room == room and holds(grant, now) for grant in viewer.grants)


def may_manage_users(viewer: Viewer) -> bool:
    """Whether this person may see and change other people's accounts and sessions."""
    return _is_master(viewer)


def may_lock_out(viewer: Viewer) -> bool:
    """Whether this person may lock devices out, and lift that."""
    return _is_master(viewer)


def may_arrange(viewer: Viewer) -> bool:
    """Whether this person may name and arrange the home for everybody."""
    return _is_master(viewer)


def may_decide_confirmation(viewer: Viewer) -> bool:
    """Whether this person may decide how a device is confirmed."""
    return _is_master(viewer)


def may_look_after(viewer: Viewer) -> bool:
    """Whether this person looks after the house: what waits for a word, and how it is kept."""
    return _is_master(viewer)


def may_lock_down(viewer: Viewer) -> bool:
    """Whether this person may lock the home down: whoever lives here and sees something wrong."""
    return sees_all(viewer)


def may_end_lockdown(viewer: Viewer) -> bool:
    """Whether this person may end a lockdown."""
    return _is_master(viewer)


def visible(viewer: Viewer, rooms: Iterable[RoomView], now: datetime) -> tuple[RoomView, ...]:
    """The rooms that this person may know of, each with only the devices that they may see, as they may use them."""
    if sees_all(viewer):
        return tuple(rooms)
    return tuple(
        msgspec.structs.replace(room, devices=devices)
        for room in rooms
        if (devices := tuple(seen for d in room.devices if (seen := as_used(viewer, d, now)) is not None))
    )


def as_used(viewer: Viewer, device: DeviceView, now: datetime) -> DeviceView | None:
    """The device with the actions that are this person's; None where they may not know of it."""
    if sees_all(viewer):
        return device
    if not may_see(viewer, device.room, device.id, now):
        return None
    theirs = tuple(action for action in device.actions if may_act(viewer, device.room, device.id, action, now))
    if theirs == device.actions:
        return device
    safe = tuple(action for action in device.safe_actions if action in theirs)
    return msgspec.structs.replace(device, actions=theirs, safe_actions=safe)


def may_check_the_record(viewer: Viewer) -> bool:
    """Whether this person is told if the record as a whole is sound."""
    return _is_master(viewer)


def may_hear_of_records(viewer: Viewer) -> bool:
    """Whether this person is told that something was recorded, whatever it was: a guest would learn of others' acts."""
    return sees_all(viewer)


def scope(viewer: Viewer, now: datetime) -> Scope:
    """The history that this person may read: the rooms that one uses, those that are gone included, and one's own."""
    if _is_master(viewer):
        return Scope(user=None)
    if sees_all(viewer):
        return Scope(user=viewer.user.id, rooms=True)
    places = tuple(dict.fromkeys(f"{g.room}/{g.device}" for g in viewer.grants if holds(g, now)))
    return Scope(user=viewer.user.id, places=places, discreet=True)


def _uses_every_room(viewer: Viewer) -> bool:
    """The owner's part of it, also where a program asks."""
    return viewer.user.role in who_may.OF_EVERY_ROOM


def _is_master(viewer: Viewer) -> bool:
    """In person: no program looks after a home."""
    return viewer.token is None and viewer.user.role is Role.MASTER
