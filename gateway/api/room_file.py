"""GET and PUT /api/v1/rooms/{room}/file: the devices of a room's own file, and others in their place."""

import msgspec
from aiohttp import web

from gateway.desk import room_files
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.room_file import Tables, Version


class FileRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every device table that the room is to have, and the version of the file that they were made from."""

    of: Version
    devices: Tables


async def show(request: web.Request) -> web.Response:
    """200 {room, version, devices, pins, why?, answer?}."""
    return json_response(room_files.find(request, request.match_info["room"]))


async def put(request: web.Request) -> web.Response:
    """202 {answer}: the room has taken it and tries it; null where it has said nothing yet. GET tells how it ends."""
    sessions.signed_in(request)
    asked = await read_json(request, FileRequest)
    answer = await room_files.change(request, request.match_info["room"], of=asked.of, devices=asked.devices)
    return json_response({"answer": answer}, status=202)
