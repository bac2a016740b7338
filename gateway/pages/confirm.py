"""GET /rooms/{room}/{device}/confirm: names exactly what will happen, and asks. Changes nothing itself."""

from collections.abc import Mapping

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.door import sessions
from gateway.pages import acts, faults, places, proving
from gateway.picture import guards
from shared.words.names import Action, ConfirmBy
from shared.words.problem import HomeError


async def ask_confirmation(request: web.Request) -> web.StreamResponse:
    """Ask before an action that wants a confirmation."""
    return await page(request, request.query)


async def page(request: web.Request, asked: Mapping[str, str], error: HomeError | None = None) -> web.Response:
    """The page for what is `asked` ("action", "value", "back", "agrees_to"), with what was wrong with the proof."""
    info = sessions.signed_in(request)
    home, now = request.app[keys.HOME], guards.local_now(request.app[keys.CONFIG].zone)
    room_id, device_id = request.match_info["room"], request.match_info["device"]
    room, found = home.room(room_id), home.view(room_id, device_id)
    device = guards.as_used(info, found, now) if found is not None else None
    if room is None or device is None:
        raise HomeError("not-found")
    action, text = asked.get("action", ""), asked.get("value", "")
    value = int(text) if text.isascii() and text.isdigit() and len(text) <= 3 else None
    if action not in device.actions or (value is None) == (action == Action.SET):
        raise HomeError("not-found", "There is no such action to confirm.")
    back = asked.get("back", "")
    fields = {"back": back, "confirm": "true"}
    if value is not None:
        fields["value"] = str(value)
    if agrees_to := asked.get("agrees_to", ""):
        fields["agrees_to"] = agrees_to
    proof = await proving.wanted(request) if device.confirm_by is ConfirmBy.STEP_UP else None
    return await faults.page(
        request,
        "confirm.html",
        error,
        asked=acts.question(device, room.name, action, value),
        target=str(URL("/") / "rooms" / room_id / device_id),
        fields=fields,
        press=("action", action),
        cancel=str(places.where_from(back, room_id, device_id)),
        proof=proof,
    )
