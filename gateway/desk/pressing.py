"""A press at a device that does not act at once, for API and pages alike (desk/asking.py).

The auth service keeps what is pending, for all gateways: it says which press puts it up and which one agrees. What was
agreed to goes the way of every critical command, as the wish of the person who agreed; an appointment goes at its time
(acting/appointments.py).
"""

import time
from typing import Literal

import msgspec
from aiohttp import web

from gateway import keys
from gateway.acting.wish import Wish
from gateway.door import sessions
from gateway.picture import guards
from shared.words import messages
from shared.words.internal import SessionInfo
from shared.words.messages import COMMAND_SECONDS, Id, Moment
from shared.words.names import ConfirmBy
from shared.words.pending import PendingWish, Press
from shared.words.problem import HomeError


class Waiting(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """It waits. `id` is the wish that stands: an earlier one, where they want it already.

    `due`: it is carried out then, unless somebody vetoes it; None of what waits for a second person.
    """

    id: str
    outcome: Literal["pending"]
    confirm_by: ConfirmBy
    pressed_at: Moment
    until: Moment
    due: Moment | None = None


async def press(request: web.Request, info: SessionInfo, wish: Wish, agrees_to: Id | None) -> Waiting | Wish:
    """What came of a press: it waits, or it is to be carried out now as the answer says.

    Raises HomeError: second-person-required or appointment-in-person (of a program), lockdown, room-offline,
    broker-unreachable, expired, and as the auth service: sign-in-required, forbidden, wish-over, other-wish-pending,
    nobody-to-agree, id-reused, id-used, no-proof, auth-unreachable.
    """
    app, way = request.app, wish.device.confirm_by
    if info.token is not None:
        raise HomeError("second-person-required" if way is ConfirmBy.TWO_PERSONS else "appointment-in-person")
    if app[keys.COMMANDS].knows(wish.id):
        return wish  # agreed to, or carried out, before, and answered as it was then
    room, device = wish.device.room, wish.device.id
    if app[keys.HOME].lockdown.active:
        raise HomeError("lockdown", id=wish.id)
    if (away := app[keys.COMMANDS].away(room)) is not None:
        raise HomeError(away, id=wish.id)
    wanted = Press(
        token=sessions.token_of(request),
        id=wish.id,
        action=wish.action,
        value=wish.value,
        pressed_at=messages.utc(wish.issued_at),
        late=time.time() - wish.issued_at > COMMAND_SECONDS,
        local=guards.local_now(app[keys.CONFIG].zone),
        address=request.remote or "",
        agrees_to=agrees_to,
        confirm_by=way,
    )
    pressed = await app[keys.REGISTRAR].press(room, device, wanted)
    if pressed.outcome == "acted":
        # In a former life of this gateway, or by another one: the room is asked how that ended.
        return msgspec.structs.replace(wish, recall=True)
    assert pressed.wish is not None
    if pressed.outcome == "agreed":
        return msgspec.structs.replace(wish, partner=pressed.wish.by)
    return _waiting(pressed.wish, way)


def _waiting(wish: PendingWish, way: ConfirmBy) -> Waiting:
    return Waiting(
        id=wish.id, outcome="pending", confirm_by=way, pressed_at=wish.pressed_at, until=wish.until, due=wish.due
    )
