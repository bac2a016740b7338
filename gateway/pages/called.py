"""GET and POST /house/names/{room} and /house/names/{room}/{device}: what everybody calls it, and its icon.

Form fields: `name` (empty: its own), `icon` (empty: the usual one).
"""

from typing import Final

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import looks
from gateway.door import sessions
from gateway.pages import faults, flash
from gateway.pages.acts import Said
from gateway.pages.arrange import HOUSE
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture import icons
from gateway.picture.views import DeviceView
from shared.words.internal_looks import DeviceLook, RoomLook
from shared.words.languages import later
from shared.words.looks import Icon
from shared.words.problem import HomeError

_SHOWN_HERE: Final = frozenset({"invalid-value", "rate-limited", "auth-unreachable", "no-proof"})
DRAWN: Final = {
    Icon.LAMP: later("Lamp"),
    Icon.POWER: later("Switch"),
    Icon.PLUG: later("Socket"),
    Icon.FAN: later("Fan"),
    Icon.HEATING: later("Heating"),
    Icon.KETTLE: later("Kettle"),
    Icon.DOOR: later("Door"),
    Icon.WINDOW: later("Window"),
    Icon.GATE: later("Gate"),
    Icon.LOCK: later("Padlock"),
    Icon.BLIND: later("Blind"),
    Icon.MOTION: later("Movement"),
    Icon.BELL: later("Bell"),
    Icon.THERMOMETER: later("Thermometer"),
    Icon.DROP: later("Water"),
    Icon.HOUSE: later("House"),
    Icon.SOFA: later("Sofa"),
    Icon.BED: later("Bed"),
    Icon.BATH: later("Bath"),
    Icon.TABLE: later("Dining table"),
    Icon.DESK: later("Desk"),
    Icon.STAIRS: later("Stairs"),
    Icon.TOOLS: later("Tools"),
    Icon.PLANT: later("Plant"),
}
"""What each drawing shows, in words."""


async def show(request: web.Request) -> web.StreamResponse:
    """The form, as it stands."""
    return await _page(request)


async def change(request: web.Request) -> web.StreamResponse:
    """Name it, and back to where it stands; or say beside the field what was wrong."""
    sessions.signed_in(request)
    form = await read_form(request)
    room, device = request.match_info["room"], request.match_info.get("device")
    name = form.text("name") or None
    try:
        icon = _icon(form)
        if device is None:
            await looks.change_room(request, room, RoomLook(name=name, icon=icon))
            there = HOUSE.with_fragment(room)
        else:
            await looks.change_device(request, room, device, DeviceLook(name=name, icon=icon))
            there = (HOUSE / room).with_fragment(device)
    except HomeError as error:
        if error.slug not in _SHOWN_HERE:
            raise
        return await _page(request, form, error)
    await flash.put(request, Said("good", say("Saved"), say("Open pages follow at once.")))
    raise web.HTTPSeeOther(there)


def _icon(form: Form) -> Icon | None:
    try:
        return Icon(form.text("icon")) if form.text("icon") else None
    except ValueError:
        raise HomeError("invalid-value", "Choose one of the icons.", field="icon") from None


async def _page(request: web.Request, form: Form | None = None, error: HomeError | None = None) -> web.Response:
    room, device = request.match_info["room"], request.match_info.get("device")
    seen = None if device is None else looks.find_device(request, room, device)
    around = looks.room_of_home(request, room)
    it = seen or around
    usual = icons.usual(it.kind, it.id) if isinstance(it, DeviceView) else Icon.HOUSE
    look = request.app[keys.HOME].look(around.id, device)
    stands = Form({"name": look.name or "", "icon": look.icon or ""})
    parts = (around.id,) if device is None else (around.id, it.id)
    return await faults.page(
        request,
        "called.html",
        error,
        form=form or stands,
        it=it,
        around=around,
        own=it.own_name or it.name,
        usual=usual,
        icons=DRAWN,
        target=str(URL("/house/names").joinpath(*parts)),
        cancel=str(HOUSE.with_fragment(it.id) if device is None else (HOUSE / around.id).with_fragment(it.id)),
    )
