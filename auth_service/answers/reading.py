"""What gateways and the alert service read, and what a room says of itself."""

from aiohttp import web

from auth_service.answers.issuer import issuer
from auth_service.home import room_rows
from auth_service.home.keeping import Keeping
from auth_service.home.rooms import Rooms
from auth_service.people import erasure_rows, user_rows
from auth_service.signing_in.sessions import Sessions
from shared.door.web import json_response, read_json
from shared.keeping.database import Store
from shared.words import internal, internal_recipients


class Reading:
    """What gateways and the alert service read, and what a room says of itself."""

    def __init__(self, store: Store, rooms: Rooms, sessions: Sessions, keeping: Keeping) -> None:
        self._keeping = keeping
        self._store = store
        self._rooms = rooms
        self._sessions = sessions

    async def users(self, _request: web.Request) -> web.Response:
        """Every account."""
        async with self._store.read() as connection:
            rows = await user_rows.all_rows(connection)
        return json_response(internal.UserRows(users=rows))

    async def recipients(self, _request: web.Request) -> web.Response:
        """Whom the alert service may write to.

        It asks as soon as it hears of a change, which is told before it is committed: so the answer waits for that, as
        whoever writes does.
        """
        async with self._store.write() as connection:
            people = await user_rows.recipients(connection)
            names = await room_rows.home_names(connection)
        return json_response(internal_recipients.Recipients(people=people, names=names))

    async def at_home(self, _request: web.Request) -> web.Response:
        """Whether somebody is at home."""
        return json_response(internal_recipients.AtHome(somebody=await self._sessions.somebody_at_home()))

    async def erasures(self, _request: web.Request) -> web.Response:
        """Whom the alert service is to erase from the record."""
        async with self._store.read() as connection:
            return json_response(internal_recipients.Erasures(people=await erasure_rows.unfinished(connection)))

    async def erased(self, request: web.Request) -> web.Response:
        """Somebody is erased there."""
        async with self._store.write() as connection:
            await erasure_rows.finish(connection, request.match_info["user"])
        return web.Response(status=204)

    async def registry(self, _request: web.Request) -> web.Response:
        """Rooms and devices as they stand."""
        return json_response(await self._rooms.registry())

    async def house(self, _request: web.Request) -> web.Response:
        """How the house is kept."""
        return json_response(await self._keeping.read())

    async def room_seen(self, request: web.Request) -> web.Response:
        """What a room says of itself."""
        seen = await read_json(request, internal.RoomSeen)
        return json_response(await self._rooms.seen(request.match_info["room"], seen, issuer(request)))

    async def ready(self, _request: web.Request) -> web.Response:
        """Whether the database answers."""
        await self._store.ping()
        return json_response({"status": "ready"})
