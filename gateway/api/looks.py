"""PATCH /api/v1/looks, /looks/{room} and /looks/{room}/{device}: how everybody looks at the home; in /me, oneself."""

from aiohttp import web

from gateway.desk import looks
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words import internal_looks


class ArrangementRequest(internal_looks.Arrangement, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The rooms that stand first."""


class RoomLookRequest(internal_looks.RoomLook, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room, for everybody; what is left out stays."""


class DeviceLookRequest(internal_looks.DeviceLook, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device, for everybody; what is left out stays."""


class OwnRoomRequest(internal_looks.OwnRoomLook, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A room, for oneself; what is left out stays."""


class OwnDeviceRequest(internal_looks.OwnDeviceLook, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A device, for oneself; what is left out stays."""


async def arrange(request: web.Request) -> web.Response:
    """{order}, all rooms as they then stand."""
    sessions.signed_in(request)
    return json_response({"order": await looks.arrange_home(request, await read_json(request, ArrangementRequest))})


async def change_room(request: web.Request) -> web.Response:
    """The room as it then is seen."""
    sessions.signed_in(request)
    wanted = await read_json(request, RoomLookRequest)
    return json_response(await looks.change_room(request, request.match_info["room"], wanted))


async def change_device(request: web.Request) -> web.Response:
    """The device as it then is seen."""
    sessions.signed_in(request)
    wanted, where = await read_json(request, DeviceLookRequest), request.match_info
    return json_response(await looks.change_device(request, where["room"], where["device"], wanted))


async def arrange_own(request: web.Request) -> web.Response:
    """{order}, all rooms that one may know of as they then stand."""
    sessions.signed_in(request)
    return json_response({"order": await looks.arrange_own(request, await read_json(request, ArrangementRequest))})


async def change_own_room(request: web.Request) -> web.Response:
    """The room as one then sees it."""
    sessions.signed_in(request)
    wanted = await read_json(request, OwnRoomRequest)
    return json_response(await looks.change_own_room(request, request.match_info["room"], wanted))


async def change_own_device(request: web.Request) -> web.Response:
    """The device as one then sees it."""
    sessions.signed_in(request)
    wanted, where = await read_json(request, OwnDeviceRequest), request.match_info
    return json_response(await looks.change_own_device(request, where["room"], where["device"], wanted))
