"""Locking devices out and lifting that, for API and pages alike: the master user's, by the word of this moment."""

from aiohttp import web

from gateway import keys
from gateway.desk import asking
from gateway.door import sessions
from gateway.picture import guards
from gateway.picture.devices import Device
from gateway.picture.views import DeviceView
from shared.words.internal import LockoutChange, SessionInfo
from shared.words.languages import later
from shared.words.problem import HomeError

MASTER_ONLY = later("Only the master user locks a device out, or lifts that.")
BY_ITS_ROOM = later("It is set in the room's own file, and lifted there.")


async def change(request: web.Request, room: str, device: str, *, locked_out: bool) -> DeviceView:
    """Lock a device out, or lift that; the device as it then stands.

    Raises HomeError: sign-in-required, rate-limited, unknown-device (also for what one may not see), forbidden,
    locked-out (by its room: only there it is lifted), invalid-value, no-proof, auth-unreachable.
    """
    info = (sessions.signed_in_owing if locked_out else sessions.signed_in)(request)
    if not (locked_out and guards.may_lock_out(info)):  # the safer thing is never refused by a limit
        asking.count(request)
    found = _find(request, info, room, device)
    if found.lockout_by == "room" and not locked_out:
        raise HomeError("locked-out", BY_ITS_ROOM)
    info = await sessions.signed_in_afresh(request)
    _find(request, info, room, device)
    wanted = LockoutChange(locked_out=locked_out, by=info.user.id, address=request.remote or "")
    await request.app[keys.REGISTRAR].lock_out(room, device, wanted)
    view = request.app[keys.HOME].view(room, device)
    if view is None:
        raise HomeError("unknown-device")
    return view


def _find(request: web.Request, info: SessionInfo, room: str, device: str) -> Device:
    """The device, if this person may lock it out."""
    found = request.app[keys.HOME].device(room, device)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if found is None or not guards.may_see(info, room, device, now):
        raise HomeError("unknown-device")
    if not guards.may_lock_out(info):
        raise HomeError("forbidden", MASTER_ONLY)
    return found
