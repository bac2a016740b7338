"""How the home is looked at: by everybody, as a master user says, and by each person themselves."""

from aiohttp import web

from auth_service.account.home_looks import HomeLooks
from auth_service.account.own_looks import OwnWays
from auth_service.answers.issuer import issuer
from shared.door.web import USER, read_json
from shared.words.internal_looks import Arrangement, DeviceLook, LookChange, OwnDeviceLook, OwnRoomLook, RoomLook


class ByLooks:
    """What master users say for everybody, and everybody for themselves."""

    def __init__(self, home: HomeLooks, own: OwnWays) -> None:
        self._home = home
        self._own = own

    async def arrange(self, request: web.Request) -> web.Response:
        """The order of the rooms."""
        await self._home.arrange(await read_json(request, LookChange[Arrangement]), issuer(request))
        return web.Response(status=204)

    async def change_room(self, request: web.Request) -> web.Response:
        """A room."""
        wanted = await read_json(request, LookChange[RoomLook])
        await self._home.change_room(request.match_info["room"], wanted, issuer(request))
        return web.Response(status=204)

    async def change_device(self, request: web.Request) -> web.Response:
        """A device."""
        wanted, where = await read_json(request, LookChange[DeviceLook]), request.match_info
        await self._home.change_device(where["room"], where["device"], wanted, issuer(request))
        return web.Response(status=204)

    async def arrange_own(self, request: web.Request) -> web.Response:
        """The order of the rooms, for oneself."""
        request[USER] = await self._own.arrange(await read_json(request, LookChange[Arrangement]))
        return web.Response(status=204)

    async def change_own_room(self, request: web.Request) -> web.Response:
        """A room, for oneself."""
        wanted = await read_json(request, LookChange[OwnRoomLook])
        request[USER] = await self._own.change_room(request.match_info["room"], wanted)
        return web.Response(status=204)

    async def change_own_device(self, request: web.Request) -> web.Response:
        """A device, for oneself."""
        wanted, where = await read_json(request, LookChange[OwnDeviceLook]), request.match_info
        request[USER] = await self._own.change_device(where["room"], where["device"], wanted)
        return web.Response(status=204)
