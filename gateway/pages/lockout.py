"""GET and POST /rooms/{room}/{device}/lockout: the master user's form for locking out, and for lifting, which asks.

Form fields: `locked_out` "true" or "false"; `confirm` "true" and `shown_at` from the page that asks.
"""

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import asking, lockouts
from gateway.door import sessions
from gateway.pages import acts, faults, flash, places, render
from gateway.pages.forms import read_form
from gateway.picture import guards
from shared.words.problem import HomeError

_PAGES = frozenset({"sign-in-required", "unknown-device", "forbidden"})
"""What is answered with a page of its own."""


async def ask_lift(request: web.Request) -> web.StreamResponse:
    """Ask before a lock-out is lifted. Changes nothing itself."""
    info = sessions.signed_in_owing(request)
    room_id, device_id = request.match_info["room"], request.match_info["device"]
    room, device = request.app[keys.HOME].room(room_id), request.app[keys.HOME].view(room_id, device_id)
    now = guards.local_now(request.app[keys.CONFIG].zone)
    if room is None or device is None or not guards.may_see(info, room_id, device_id, now):
        raise HomeError("not-found")
    if not guards.may_lock_out(info):
        raise HomeError("forbidden", lockouts.MASTER_ONLY)
    if device.lockout_by != "master":
        raise web.HTTPSeeOther(places.where_from("room", room_id, device_id))
    return await render.page(
        request,
        "confirm.html",
        asked=acts.question_of_lifting(device),
        target=str(_address(room_id, device_id)),
        fields={"confirm": "true"},
        press=("locked_out", "false"),
        cancel=str(places.where_from("room", room_id, device_id)),
        proof=None,
    )


async def change_lockout(request: web.Request) -> web.StreamResponse:
    """Lock a device out, or lift that, then go back to its room."""
    sessions.signed_in_owing(request)
    form = await read_form(request)
    room, device = request.match_info["room"], request.match_info["device"]
    wanted = form.text("locked_out")
    if wanted not in ("true", "false"):
        asking.count(request)
        raise HomeError("bad-request", "locked_out is true or false.")
    locked_out = wanted == "true"
    if not locked_out and not (form.text("confirm") == "true" and form.is_fresh()):
        asking.count(request)
        raise web.HTTPSeeOther(_address(room, device))
    name, kind = places.named(request, room, device)
    try:
        await lockouts.change(request, room, device, locked_out=locked_out)
    except HomeError as error:
        if error.slug in _PAGES:
            raise
        said = faults.refused(name, error)
    else:
        said = acts.locked_out(name, kind) if locked_out else acts.lifted(name)
    await flash.put(request, said, room=room, device=device)
    raise web.HTTPSeeOther(places.where_from("room", room, device))


def _address(room: str, device: str) -> URL:
    return URL("/") / "rooms" / room / device / "lockout"
