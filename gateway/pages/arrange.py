"""GET and POST /arrange: what somebody puts first and hides for themselves; /house/arrange: for everybody.

A room's devices are at /arrange/{room}. A button goes to /arrange/{room} or /arrange/{room}/{device} with one of
`before`, `after` (an id), `hidden`, `favourite` ("true", "false") and `order` ("usual"); `back` says where it stood.
"""

from collections.abc import Awaitable, Iterable, Sequence
from typing import Any, Final, NamedTuple

from aiohttp import web
from yarl import URL

from gateway import keys
from gateway.desk import looks
from gateway.door import sessions
from gateway.pages import faults, flash, places, render
from gateway.pages.forms import Form, read_form
from gateway.pages.speaking import say
from gateway.picture import guards
from gateway.picture.views import DeviceView, RoomView
from shared.words.internal_looks import Arrangement, DeviceLook, OwnDeviceLook, OwnRoomLook, RoomLook
from shared.words.looks import Icon
from shared.words.names import ACTIONS
from shared.words.problem import HomeError

OWN: Final = URL("/arrange")
HOUSE: Final = URL("/house/arrange")
_SAID_THERE: Final = frozenset({"invalid-value", "auth-unreachable", "no-proof"})
"""What is said on the page that the button stood on; what else goes wrong has a page of its own."""
_MOVES: Final = ("before", "after", "hidden")


class Row(NamedTuple):
    """A room or a device that can be moved: `up` and `down` are the ids of its neighbours, None at an end."""

    id: str
    name: str
    own_name: str | None
    icon: str
    hidden: bool
    favourite: bool
    up: str | None
    down: str | None


async def show_rooms(request: web.Request) -> web.StreamResponse:
    """One's own rooms."""
    return await _page(request, OWN, looks.rooms(request))


async def show_devices(request: web.Request) -> web.StreamResponse:
    """A room's devices, as one has them."""
    return await _page(request, OWN, (), looks.find_room(request, request.match_info["room"]))


async def show_rooms_of_home(request: web.Request) -> web.StreamResponse:
    """The home's rooms."""
    return await _page(request, HOUSE, looks.rooms_of_home(request))


async def show_devices_of_home(request: web.Request) -> web.StreamResponse:
    """A room's devices, as the home has them."""
    return await _page(request, HOUSE, (), looks.room_of_home(request, request.match_info["room"]))


async def arrange(request: web.Request) -> web.StreamResponse:
    """The rooms as the home has them again."""
    await _wish(request, "order")
    return await _back(request, OWN, looks.arrange_own(request, Arrangement(order=())))


async def arrange_home(request: web.Request) -> web.StreamResponse:
    """The rooms in their usual order again, for everybody."""
    await _wish(request, "order")
    return await _back(request, HOUSE, looks.arrange_home(request, Arrangement(order=())))


async def change_room(request: web.Request) -> web.StreamResponse:
    """A room, for oneself."""
    _, wish = await _wish(request, *_MOVES, "order")
    room = request.match_info["room"]
    known = request.app[keys.HOME].room(room)
    look = OwnRoomLook(**_over(wish, home=known is not None and known.hidden))
    there = OWN / room if "order" in wish else OWN.with_fragment(room)
    return await _back(request, there, looks.change_own_room(request, room, look))


async def change_room_of_home(request: web.Request) -> web.StreamResponse:
    """A room, for everybody."""
    _, wish = await _wish(request, *_MOVES, "order")
    room = request.match_info["room"]
    there = HOUSE / room if "order" in wish else HOUSE.with_fragment(room)
    return await _back(request, there, looks.change_room(request, room, RoomLook(**wish)))


async def change_device(request: web.Request) -> web.StreamResponse:
    """A device, for oneself: from here, or by the star on its card."""
    form, wish = await _wish(request, *_MOVES, "favourite")
    room, device = request.match_info["room"], request.match_info["device"]
    known = request.app[keys.HOME].view(room, device)
    look = OwnDeviceLook(**_over(wish, home=known is not None and known.hidden))
    back = form.text("back")
    there = places.where_from(back, room, device) if back in ("home", "room") else (OWN / room).with_fragment(device)
    return await _back(request, there, looks.change_own_device(request, room, device, look))


async def change_device_of_home(request: web.Request) -> web.StreamResponse:
    """A device, for everybody."""
    _, wish = await _wish(request, *_MOVES)
    room, device = request.match_info["room"], request.match_info["device"]
    there = (HOUSE / room).with_fragment(device)
    return await _back(request, there, looks.change_device(request, room, device, DeviceLook(**wish)))


async def _wish(request: web.Request, *allowed: str) -> tuple[Form, dict[str, Any]]:
    """The form and what one of its buttons says, as fields of a look. Raises sign-in-required or bad-request."""
    sessions.signed_in(request)
    form = await read_form(request)
    said = [name for name in allowed if name in form]
    if len(said) != 1:
        raise HomeError("bad-request", f"Say one of {', '.join(allowed)}.")
    name, value = said[0], form.text(said[0])
    if name in ("before", "after"):
        return form, {name: value}
    if name == "order" and value == "usual":
        return form, {name: ()}
    if name in ("hidden", "favourite") and value in ("true", "false"):
        return form, {name: value == "true"}
    raise HomeError("bad-request", "It is true or false, and an order is usual.")


def _over(wish: dict[str, Any], *, home: bool) -> dict[str, Any]:
    """What one hides or shows oneself is only kept where the home has it otherwise."""
    return wish | ({"hidden": None} if wish.get("hidden") is home else {})


async def _back(request: web.Request, there: URL, change: Awaitable[object]) -> web.StreamResponse:
    """Have it changed, and back to where the button was, with what was wrong."""
    try:
        await change
    except HomeError as error:
        if error.slug not in _SAID_THERE:
            raise
        await flash.put(request, faults.refused(say("Not changed"), error))
    raise web.HTTPSeeOther(there)


async def _page(
    request: web.Request, base: URL, rooms: Iterable[RoomView], room: RoomView | None = None
) -> web.StreamResponse:
    info = sessions.signed_in(request)
    devices = room.devices if room is not None else ()
    groups = (
        _rows([(one, one.icon or Icon.HOUSE, False) for one in rooms]),
        _rows([(one, one.icon, one.favourite) for one in devices if one.kind in ACTIONS]),
        _rows([(one, one.icon, one.favourite) for one in devices if one.kind not in ACTIONS]),
    )
    return await render.page(
        request,
        "arrange.html",
        base=str(base),
        for_all=base == HOUSE,
        arranges=guards.may_arrange(info),
        room=room,
        groups=[group for group in groups if group],
        packed=True,
    )


def _rows(things: Sequence[tuple[RoomView | DeviceView, str, bool]]) -> list[Row]:
    ids = [one.id for one, _, _ in things]
    ends = zip(things, [None, *ids], [*ids[1:], None], strict=False)
    return [
        Row(one.id, one.name, one.own_name, icon, one.hidden, favourite, up, down)
        for (one, icon, favourite), up, down in ends
    ]
