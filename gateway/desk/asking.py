"""From a request to a command, for API and pages alike: who asks, may they, how often, does it fit (docs/flow.md).

What one may not see is answered like a device that does not exist.
"""

from datetime import datetime

import msgspec
from aiohttp import web

from gateway import keys
from gateway.acting.verdicts import Executed
from gateway.acting.wish import Wish
from gateway.desk import pressing, step_up
from gateway.desk.pressing import Waiting
from gateway.door import arrival, closed, limits, sessions
from gateway.picture import guards
from gateway.picture.devices import Device, is_held_back
from shared.running import ids
from shared.running.log import security
from shared.words.internal import SessionInfo
from shared.words.messages import Id, Moment, UserRef
from shared.words.names import FULL, SAFE_ACTIONS, STRONG_WAYS, WAITING_WAYS, Action, ConfirmBy, Outcome
from shared.words.problem import HomeError

_ASK = "Ask the master user for the right to."


class CommandRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is asked of a device. `value` (0 to 100) belongs to `set`; `id` is the caller's own, for safe repeats.

    `pressed_at` is when the person asked for it, in the hub's time; None where the caller cannot know it.
    `agrees_to`: what was seen to be pending; where that is over, nothing is done.
    """

    action: str
    value: int | None = None
    id: Id | None = None
    confirm: bool = False
    pressed_at: Moment | None = None
    agrees_to: Id | None = None


async def ask(request: web.Request, room: str, device: str, asked: CommandRequest) -> Executed | Waiting:
    """Have a device do something, and wait for its room's word; or learn that it waits for more than that.

    Raises HomeError: sign-in-required, unknown-device, rate-limited, forbidden (a guest's device, and another action
    than was granted), unknown-action, invalid-value, locked-out, confirmation-required, step-up-required, lockdown,
    or as `pressing.press` and `Commands.execute`.
    """
    info = sessions.signed_in_for_safety(request)
    found = _find(request, info, room, device)
    if found is None or asked.action not in found.safe_actions:
        info = sessions.signed_in(request)
        count(request, found)
    app = request.app
    if found is None:
        if app[keys.HOME].device(room, device) is not None:
            security("forbidden", user=info.user.id, room=room, device=device)
        raise HomeError("unknown-device")
    _permit(request, info, found, asked.action)
    action = check(found, asked, locked_down=app[keys.HOME].lockdown.active)
    if (found.critical or found.confirm_by in STRONG_WAYS) and action not in found.safe_actions:
        # By the word of this moment: a session or a grant that ended a second ago opens no door.
        info = await sessions.signed_in_afresh(request)
        if _find(request, info, room, device) is None:
            raise HomeError("unknown-device")
        _permit(request, info, found, action)
        if found.confirm_by is ConfirmBy.STEP_UP and not step_up.is_proved(info):
            raise HomeError("step-up-required", step_up.advice(info))
    wish = Wish(
        id=asked.id or ids.uuid7(),
        user=UserRef(id=info.user.id, name=info.user.name),
        device=found,
        action=action,
        value=asked.value,
        origin=request.remote or "",
        issued_at=issued(asked.pressed_at, arrival.of(request)),
        token=info.token.name if info.token is not None else "",
    )
    if not wish.safe:
        closed.check(app)
    if found.confirm_by in WAITING_WAYS and not wish.safe:
        pressed = await pressing.press(request, info, wish, asked.agrees_to)
        if isinstance(pressed, Waiting):
            return pressed
        wish = pressed
    return await app[keys.COMMANDS].execute(wish)


def count(request: web.Request, device: Device | None = None) -> None:
    """Count a command for its user and its device. Raises rate-limited."""
    limits.hit(request, "commands", limits.who(request))
    if device is not None:
        limits.hit(request, "commands_device", device.room, device.id)


def issued(pressed_at: datetime | None, arrived: float) -> float:
    """When a wish was issued, in seconds since 1970: the earlier of both, so that no clock ahead makes it younger."""
    return arrived if pressed_at is None else min(max(pressed_at.timestamp(), 0.0), arrived)


def check(device: Device, asked: CommandRequest, *, locked_down: bool = False) -> Action:
    """Whether the device does that now, pure. In a lockdown nothing is confirmed that is refused all the same.

    Raises unknown-action, invalid-value, locked-out or confirmation-required.
    """
    if asked.action not in device.actions:
        offered = ", ".join(device.actions) or "no action at all"
        raise HomeError("unknown-action", f"{device.room}/{device.id} offers {offered}.")
    action = Action(asked.action)
    if action is Action.SET:
        if asked.value is None or not 0 <= asked.value <= FULL:
            raise HomeError("invalid-value", "set needs a value, a whole number from 0 to 100.")
    elif asked.value is not None:
        raise HomeError("invalid-value", f"{action} takes no value.")
    if is_held_back(device.kind, device.lockout_by, action):
        raise HomeError("locked-out", _locked_out(device), outcome=Outcome.REJECTED, reason="locked-out")
    if device.confirm and not asked.confirm and action not in device.safe_actions and not locked_down:
        raise HomeError("confirmation-required")
    return action


def _find(request: web.Request, info: SessionInfo, room: str, device: str) -> Device | None:
    """The device, if this person may know of it now."""
    found = request.app[keys.HOME].device(room, device)
    if found is None or guards.sees_all(info):
        return found
    now = guards.local_now(request.app[keys.CONFIG].zone)
    return found if guards.may_see(info, room, device, now) else None


def _permit(request: web.Request, info: SessionInfo, device: Device, action: str) -> None:
    """Whether this person may have it do that now; what it cannot do at all is another problem. Raises forbidden."""
    if guards.sees_all(info) or action not in device.actions:
        return
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if not guards.may_act(info, device.room, device.id, action, now):
        security("forbidden", user=info.user.id, room=device.room, device=device.id)
        raise HomeError("forbidden", f"You may use this device, but not for {action}. {_ASK}")


def _locked_out(device: Device) -> str:
    """What still works, and who can change it."""
    still = " and ".join(action for action in SAFE_ACTIONS.get(device.kind, ()) if action in device.actions)
    works = f"Only {still} works" if still else "Nothing works"
    if device.lockout_by == "room":
        return f"{works}: the lock-out is set in the room's own file, and lifted there."
    return f"{works} until the master user lifts the lock-out."
