"""Who may have a device do something, by their account and grants, pure: for the auth service, and for pages that ask.

What a session may is the gateway's to decide (gateway.picture.guards), by what role and grant come to here; the rest is
about people who need not be there.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Final

from shared.words.grant_times import holds
from shared.words.internal import Grant, UserRow
from shared.words.names import Action, Role

OF_EVERY_ROOM: Final = frozenset({Role.MASTER, Role.MEMBER})
"""Who uses every room and device there is; others only what a grant names."""


def may_act(
    person: UserRow, room: str, device: str, action: Action, *, now: datetime, local: datetime | None = None
) -> bool:
    """Whether somebody may have a device do that.

    `local`: the moment in the home's zone. Without it a guest's weekdays and hours are not looked at.
    """
    if person.disabled:
        return False
    if person.user.role in OF_EVERY_ROOM:
        return True
    return any(names(grant, room, device, action) and _stands(grant, now, local) for grant in person.grants)


def names(grant: Grant, room: str, device: str, action: str) -> bool:
    """Whether a grant is about having the device do that, whenever it holds."""
    return grant.room == room and grant.device == device and (grant.actions is None or action in grant.actions)


def count(people: Iterable[UserRow], room: str, device: str, actions: Iterable[Action], now: datetime) -> int:
    """How many may have a device do one of these, at some hour."""
    wanted = tuple(actions)
    return sum(any(may_act(one, room, device, action, now=now) for action in wanted) for one in people)


def _stands(grant: Grant, now: datetime, local: datetime | None) -> bool:
    if local is not None:
        return holds(grant, local)
    return (grant.since is None or grant.since <= now) and (grant.until is None or now < grant.until)
