"""Machines that come in by a pasted line."""

from aiohttp import web

from auth_service.answers.issuer import issuer
from auth_service.joining.by_person import WindowsByPerson
from auth_service.joining.joining import Joining
from shared.door.web import json_response, read_json
from shared.words.internal_joining import JoinWish, WindowWish


class ByLine:
    """Machines that come in by a pasted line."""

    def __init__(self, joining: Joining, windows: WindowsByPerson) -> None:
        self._joining = joining
        self._windows = windows

    async def join(self, request: web.Request) -> web.Response:
        """One becomes a room or a client."""
        return json_response(await self._joining.join(await read_json(request, JoinWish), issuer(request)))

    async def open(self, request: web.Request) -> web.Response:
        """A window for one, which a master user opens."""
        return json_response(
            await self._windows.open(await read_json(request, WindowWish), issuer(request)), status=201
        )
