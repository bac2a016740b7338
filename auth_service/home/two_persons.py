"""What a wish that waits for a second person needs to go on, pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from auth_service.home.pending_rows import Standing
from shared.words import who_may
from shared.words.internal import RegisteredDevice, UserRow
from shared.words.names import ACTIONS, SAFE_ACTIONS, ConfirmBy

WAIT = timedelta(minutes=2)
"""For so long a wish waits. It is one moment's: two people who stand before the door, or call one another."""

PERSONS = 2

Ended = Literal["lockdown", "nobody-agreed", "clock", "device-changed", "rights-changed", "hub-restarted"]
"""Why a wish is dropped."""


def has_two(people: Iterable[UserRow], room: str, device: RegisteredDevice, now: datetime) -> bool:
    """Whether two people at least may have the device do what is not safe."""
    safe = SAFE_ACTIONS.get(device.kind, ())
    unsafe = [action for action in ACTIONS.get(device.kind, ()) if action not in safe]
    return who_may.count(people, room, device.id, unsafe, now) >= PERSONS


def why_over(
    standing: Standing,
    found: RegisteredDevice | None,
    person: UserRow | None,
    *,
    locked_down: bool,
    now: datetime,
    local: datetime | None = None,
) -> Ended | None:
    """Why what somebody wanted must not come about any more; None while it may.

    `found` is its device as registered now, `person` who wanted it.
    """
    wish = standing.wish
    if locked_down:
        return "lockdown"
    if wish.until <= now:
        return "nobody-agreed"
    if wish.until - now > WAIT:
        return "clock"  # which was set back: nobody knows how old it is
    if not asks_for_two(found) or found is None or found.kind is not standing.kind or found.locked_out:
        return "device-changed"
    if person is None or not who_may.may_act(person, wish.room, wish.device, wish.action, now=now, local=local):
        return "rights-changed"
    return None


def asks_for_two(found: RegisteredDevice | None) -> bool:
    """Whether a device does what is not safe for two persons only; one that is critical no more goes on so."""
    return found is not None and found.confirm_by is ConfirmBy.TWO_PERSONS
