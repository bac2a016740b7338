"""GET and POST /rooms/{room}/{device}/confirm-by: the master user's form for how a device is confirmed.

Form fields: `confirm_by`; `delay_minutes`, which counts for an appointment; `code` where a strong way is taken back.
"""

from typing import Final

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import asking, confirm_ways
from gateway.door import sessions
from gateway.pages import faults, flash, places, proving, times
from gateway.pages.acts import Said
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture.devices import Device
from gateway.picture.views import DeviceView, RoomView
from shared.words.languages import later
from shared.words.names import STRONG_WAYS, ConfirmBy
from shared.words.pending import MOST_DELAY_MINUTES
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset(
    {"confirmation-failed", "step-up-required", "invalid-value", "rate-limited", "auth-unreachable", "no-proof"}
)
_SAID: Final = {
    ConfirmBy.NONE: later("It acts without being asked twice."),
    ConfirmBy.DIALOG: later("It asks before it does what is not safe."),
    ConfirmBy.APPOINTMENT: later("It makes an appointment before it does what is not safe, and anybody may refuse it."),
    ConfirmBy.STEP_UP: later("It asks for a passkey or a code before it does what is not safe."),
    ConfirmBy.TWO_PERSONS: later("It takes two persons before it does what is not safe."),
}
_DELAYS: Final = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 720)
"""Minutes to choose from; what a program set stands among them."""


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
        raise HomeError("bad-request", "confirm_by is none, dialog, appointment, step-up or two-persons.") from None
    around, view, _ = _found(request)
    delay = _delay(form) if way is ConfirmBy.APPOINTMENT else None
    try:
        await proving.take(request, form)
        view = await confirm_ways.change(request, room, device, way, delay)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, way, error, delay)
    said = Said("good", say("{device} in {room}", device=view.name, room=around.name), say(_SAID[view.confirm_by]))
    await flash.put(request, said, room=room, device=device)
    raise web.HTTPSeeOther(places.where_from("room", room, device))


def _delay(form: Form) -> int:
    """The minutes that were chosen. Raises bad-request."""
    text = form.text("delay_minutes")
    minutes = int(text) if text.isascii() and text.isdigit() and len(text) <= 4 else 0
    if not 1 <= minutes <= MOST_DELAY_MINUTES:
        raise HomeError("bad-request", "delay_minutes is a whole number from 1 to 720.")
    return minutes


def _found(request: web.Request) -> tuple[RoomView, DeviceView, Device]:
    """The device, as it is seen and as it is, and its room. Raises unknown-device or forbidden."""
    home, room, device = request.app[keys.HOME], request.match_info["room"], request.match_info["device"]
    found = confirm_ways.find(request, sessions.signed_in(request), room, device)
    around, view = home.room(room), home.view(room, device)
    if around is None or view is None:
        raise HomeError("unknown-device")
    return around, view, found


async def _page(
    request: web.Request, chosen: ConfirmBy | None = None, error: HomeError | None = None, delay: int | None = None
) -> web.Response:
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
        delay=delay or found.delay_minutes,
        delays=[(one, times.wait(60 * one)) for one in sorted({*_DELAYS, found.delay_minutes})],
        target=str(URL("/") / "rooms" / around.id / view.id / "confirm-by"),
        cancel=str(places.where_from("room", around.id, view.id)),
        people=await confirm_ways.people_of(request, found),
        proof=await proving.of_account(request) if takes_back else None,
    )
