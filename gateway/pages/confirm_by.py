"""GET and POST /rooms/{room}/{device}/confirm-by: the master user's form for how a device is confirmed.

Form fields: `confirm_by`; `code` where a strong way is taken back.
"""

from typing import Final

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import asking, confirm_ways
from gateway.door import sessions
from gateway.pages import faults, flash, places, proving
from gateway.pages.acts import Said
from gateway.pages.forms import read_form
from gateway.pages.speaking import say
from gateway.picture.devices import Device
from gateway.picture.views import DeviceView, RoomView
from shared.words.languages import later
from shared.words.names import STRONG_WAYS, ConfirmBy
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
    {"confirmation-failed", "step-up-required", "invalid-value", "rate-limited", "auth-unreachable", "no-proof"}
)
_SAID: Final = {
    ConfirmBy.NONE: later("It acts without being asked twice."),
    ConfirmBy.DIALOG: later("It asks before it does what is not safe."),
    ConfirmBy.STEP_UP: later("It asks for a passkey or a code before it does what is not safe."),
    ConfirmBy.TWO_PERSONS: later("It takes two persons before it does what is not safe."),
}


async def show_ways(request: web.Request) -> web.StreamResponse:
    """The choice, as it stands."""
    return await _page(request)


async def decide(request: web.Request) -> web.StreamResponse:
    """Have it confirmed like that, and back to its room."""
    sessions.signed_in(request)
    form = await read_form(request)
    room, device = request.match_info["room"], request.match_info["device"]
    try:
        way = ConfirmBy(form.text("confirm_by"))
    except ValueError:
        asking.count(request)
        raise HomeError("bad-request", "confirm_by is none, dialog, step-up or two-persons.") from None
    around, view, _ = _found(request)
    try:
        await proving.take(request, form)
        view = await confirm_ways.change(request, room, device, way)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, way, error)
    said = Said("good", say("{device} in {room}", device=view.name, room=around.name), say(_SAID[view.confirm_by]))
    await flash.put(request, said, room=room, device=device)
    raise web.HTTPSeeOther(places.where_from("room", room, device))


def _found(request: web.Request) -> tuple[RoomView, DeviceView, Device]:
    """The device, as it is seen and as it is, and its room. Raises unknown-device or forbidden."""
    home, room, device = request.app[keys.HOME], request.match_info["room"], request.match_info["device"]
    found = confirm_ways.find(request, sessions.signed_in(request), room, device)
    around, view = home.room(room), home.view(room, device)
    if around is None or view is None:
        raise HomeError("unknown-device")
    return around, view, found


async def _page(request: web.Request, chosen: ConfirmBy | None = None, error: HomeError | None = None) -> web.Response:
    around, view, found = _found(request)
    takes_back = view.confirm_by in STRONG_WAYS
    return await faults.page(
        request,
        "confirm_by.html",
        error,
        device=view,
        room=around,
        room_confirms=found.room_confirms,
        chosen=chosen or view.confirm_by,
        target=str(URL("/") / "rooms" / around.id / view.id / "confirm-by"),
        cancel=str(places.where_from("room", around.id, view.id)),
        people=await confirm_ways.people_of(request, found),
        proof=await proving.of_account(request) if takes_back else None,
    )
