"""What a room's file is to have, as the master user set it on a page."""

from aiohttp import web

from auth_service.account.room_files import RoomFiles
from auth_service.answers.issuer import issuer
from shared.door.web import json_response, read_json
from shared.words.internal_room_file import FileChange


class ByRoomFile:
    """What a room's file is to have, as the master user set it on a page."""

    def __init__(self, files: RoomFiles) -> None:
        self._files = files

    async def change(self, request: web.Request) -> web.Response:
        """Sent to the room."""
        wanted = await read_json(request, FileChange)
        return json_response(await self._files.change(request.match_info["room"], wanted, issuer(request)))
