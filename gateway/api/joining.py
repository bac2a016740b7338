"""What a machine fetches by the line that the hub printed, and POST /api/v1/join: it becomes the room or the client.

Authority, script and packages are what anybody may have; nothing here opens anything without the line's token.
"""

import asyncio
import re

import msgspec
from aiohttp import web

from gateway.desk import joining
from gateway.door import sessions
from gateway.door.offering import OFFER
from shared.door.web import json_response, read_json
from shared.running import installed
from shared.words import join_line
from shared.words.internal_joining import RoomName, SigningRequest, Token
from shared.words.problem import HomeError

_SCRIPTS = installed.CODE / "deploy"
_WORD = re.compile(r"[a-z0-9]{1,16}")
_PACKAGE = "application/vnd.debian.binary-package"


class JoinRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The line's token, the room or the client that it names, and a signing request (PEM) for a key made there."""

    token: Token
    room: RoomName | None = None
    client: RoomName | None = None
    csr: SigningRequest


class RoomRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the new room is called at the broker: small letters, digits, dashes."""

    name: RoomName


class ClientRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the new client is called at the broker, and the devices (`ROOM/DEVICE`) that it may command and hear."""

    name: RoomName
    may: tuple[str, ...]


async def add(request: web.Request) -> web.Response:
    """201 {room, line, until, packages}: what is to be pasted on the Pi, told this once."""
    sessions.signed_in(request)
    asked = await read_json(request, RoomRequest)
    return json_response(await joining.open_window(request, asked.name), status=201)


async def add_client(request: web.Request) -> web.Response:
    """201 {client, line, until}: what is to be pasted on the client's machine, told this once."""
    sessions.signed_in(request)
    asked = await read_json(request, ClientRequest)
    return json_response(await joining.open_client_window(request, asked.name, asked.may), status=201)


async def anchor(request: web.Request) -> web.Response:
    """200 in PEM: by what our HTTPS is verified; the line has the SHA-256 of it."""
    return web.Response(body=await asyncio.to_thread(request.app[OFFER].anchor), content_type="application/x-pem-file")


async def device_authority(request: web.Request) -> web.Response:
    """200 in PEM: by what the broker is verified; for apps that ask for it as a file."""
    content = await asyncio.to_thread(request.app[OFFER].device_authority)
    headers = {"Content-Disposition": 'attachment; filename="home-ca.crt"'}
    return web.Response(body=content, content_type="application/x-x509-ca-cert", headers=headers)


async def script(_request: web.Request) -> web.Response:
    """200: what the line runs on the Pi."""
    return await _script(join_line.SCRIPT)


async def client_script(_request: web.Request) -> web.Response:
    """200: what the line runs on a client's machine."""
    return await _script(join_line.CLIENT_SCRIPT)


async def _script(name: str) -> web.Response:
    content = await asyncio.to_thread((_SCRIPTS / name).read_bytes)
    return web.Response(body=content, content_type="text/x-shellscript")


async def package(request: web.Request) -> web.StreamResponse:
    """200 with the agent's package for a Debian and a processor; 404 where this hub has none for them."""
    release, architecture = request.match_info["release"], request.match_info["architecture"]
    found = None
    if _WORD.fullmatch(release) and _WORD.fullmatch(architecture):
        found = await asyncio.to_thread(request.app[OFFER].package, release, architecture)
    if found is None:
        raise HomeError("not-found", "This hub offers no package of the agent for that Debian and processor.")
    return web.FileResponse(found, headers={"Content-Type": _PACKAGE})


async def join(request: web.Request) -> web.Response:
    """200 {room or client, certificate, authority, broker: {host, port}}; the same again for the same key."""
    asked = await read_json(request, JoinRequest)
    if asked.room is not None and asked.client is None:
        return json_response(await joining.join(request, token=asked.token, room=asked.room, csr=asked.csr))
    if asked.client is not None and asked.room is None:
        came = await joining.join_client(request, token=asked.token, client=asked.client, csr=asked.csr)
        return json_response(came)
    raise HomeError("bad-request", "Say which room, or which client, the machine is to be; one of them.")
