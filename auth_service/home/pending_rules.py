"""What a pending wish needs to go on, be it for a second person or for its time; pure."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Literal

from auth_service.home.pending_rows import Standing
from shared.words import who_may
from shared.words.internal import RegisteredDevice, UserRow
from shared.words.messages import COMMAND_SECONDS
from shared.words.names import ACTIONS, SAFE_ACTIONS, ConfirmBy
from shared.words.pending import MOST_DELAY_MINUTES

WAIT = timedelta(minutes=2)
"""For so long a wish waits for a second person. It is one moment's: of two who stand before the door, or call one
another.
"""
GRACE = timedelta(seconds=COMMAND_SECONDS)
"""After its time an appointment can go for so long; as with every command, what is later is not done."""
GIVEN = timedelta(seconds=30)
"""So long a gateway may have what it was given: longer than a command and the room's word take together."""
MOST = timedelta(minutes=MOST_DELAY_MINUTES) + GRACE

PERSONS = 2

Ended = Literal[
    "lockdown",
    "nobody-agreed",
    "missed",
    "gateway-lost",
    "clock",
    "device-changed",
    "rights-changed",
    "session-ended",
    "hub-restarted",
]
"""Why a wish is dropped. "missed": no gateway could carry it out at its time. "gateway-lost": one began to."""


def has_two(people: Iterable[UserRow], room: str, device: RegisteredDevice, now: datetime) -> bool:
    """Whether two people at least may have the device do what is not safe."""
    safe = SAFE_ACTIONS.get(device.kind, ())
    unsafe = [action for action in ACTIONS.get(device.kind, ()) if action not in safe]
    return who_may.count(people, room, device.id, unsafe, now) >= PERSONS


def until(device: RegisteredDevice, now: datetime) -> tuple[datetime | None, datetime]:
    """When what is pressed now is carried out (None: by a second person's press), and until when it stands."""
    if device.confirm_by is not ConfirmBy.APPOINTMENT:
        return None, now + WAIT
    due = now + timedelta(minutes=device.delay_minutes)
    return due, due + GRACE


def why_over(
    standing: Standing,
    found: RegisteredDevice | None,
    person: UserRow | None,
    *,
    locked_down: bool,
    now: datetime,
    local: datetime | None = None,
    in_session: bool,
) -> Ended | None:
    """Why what somebody wanted must not come about any more; None while it may.

    `found` is its device as registered now, `person` who wanted it; `in_session`: the session goes on that it was
    wanted in.
    """
    wish = standing.wish
    if standing.given_at is not None:  # it is under way, and how it ends is the room's word
        return None if abs(now - standing.given_at) < GIVEN else "gateway-lost"
    if locked_down:
        return "lockdown"
    if wish.until <= now:
        return "nobody-agreed" if wish.due is None else "missed"
    if wish.until - now > (WAIT if wish.due is None else MOST):
        return "clock"  # which was set back: nobody knows how old it is
    same = found is not None and (found.confirm_by, found.kind) == (way_of(wish.due), standing.kind)
    if found is None or not same or found.locked_out:
        return "device-changed"
    if person is None or not who_may.may_act(person, wish.room, wish.device, wish.action, now=now, local=local):
        return "rights-changed"
    return None if in_session else "session-ended"


def way_of(due: datetime | None) -> ConfirmBy:
    """What its device asked for when it was wanted; one that is critical no more goes on asking."""
    return ConfirmBy.TWO_PERSONS if due is None else ConfirmBy.APPOINTMENT
