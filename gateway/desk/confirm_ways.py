"""How a device is confirmed, for API and pages alike: the master user's, by the word of this moment."""

from datetime import UTC, datetime

from aiohttp import web

from gateway import keys
from gateway.desk import asking, step_up
from gateway.door import sessions
from gateway.picture import guards
from gateway.picture.devices import Device
from gateway.picture.views import DeviceView
from shared.words import who_may
from shared.words.internal import SessionInfo
from shared.words.internal_proofs import ConfirmByChange
from shared.words.languages import later
from shared.words.names import ConfirmBy
from shared.words.problem import HomeError

MASTER_ONLY = later("Only the master user decides how a device is confirmed.")


async def change(
    request: web.Request, room: str, device: str, way: ConfirmBy, delay_minutes: int | None = None
) -> DeviceView:
    """Have it confirmed like that, at least; the device as it then stands. `delay_minutes` belongs to appointments.

    Raises HomeError: sign-in-required, rate-limited, unknown-device (also for what one may not see), forbidden,
    step-up-required (weaker than a step-up, without one), invalid-value, no-proof, auth-unreachable.
    """
    asking.count(request)
    find(request, sessions.signed_in(request), room, device)
    find(request, await sessions.signed_in_afresh(request), room, device)
    wanted = ConfirmByChange(
        token=sessions.token_of(request), confirm_by=way, delay_minutes=delay_minutes, address=request.remote or ""
    )
    try:
        await request.app[keys.REGISTRAR].confirm_by(room, device, wanted)
    except HomeError as error:
        if error.slug == "step-up-required":
            raise HomeError(error.slug, step_up.advice(sessions.signed_in(request))) from error
        raise
    view = request.app[keys.HOME].view(room, device)
    if view is None:
        raise HomeError("unknown-device")
    return view


async def people_of(request: web.Request, device: Device) -> int | None:
    """How many people may have the device do what is not safe, at some hour; None where that cannot be found out."""
    try:
        rows = (await request.app[keys.AUTH].users()).users
    except HomeError:
        return None
    unsafe = [action for action in device.actions if action not in device.safe_actions]
    return who_may.count(rows, device.room, device.id, unsafe, datetime.now(UTC))


def find(request: web.Request, info: SessionInfo, room: str, device: str) -> Device:
    """The device, if this person may decide that."""
    found = request.app[keys.HOME].device(room, device)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if found is None or not guards.may_see(info, room, device, now):
        raise HomeError("unknown-device")
    if not guards.may_decide_confirmation(info):
        raise HomeError("forbidden", MASTER_ONLY)
    return found
