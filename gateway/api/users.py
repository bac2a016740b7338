"""GET /api/v1/users, and GET and PUT /api/v1/users/{user}/grants: the master user's, about everybody."""

import msgspec
from aiohttp import web

from gateway import keys
from gateway.desk import guests
from gateway.door import sessions
from gateway.picture import guards
from shared.door.web import json_response, read_json
from shared.words.internal import Grant, UserRow


class WantedGrant(Grant, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A grant as a program writes it; what stands in no grant is refused, since it would be taken for a limit."""


class GrantsRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All that the guest may do from now on."""

    grants: tuple[WantedGrant, ...]


async def show(request: web.Request) -> web.Response:
    """Every account, the oldest first."""
    return json_response({"users": await guests.everybody(request)})


async def show_grants(request: web.Request) -> web.Response:
    """What a guest may do, and how it stands now."""
    return _told(request, await guests.find(request, request.match_info["user"]))


async def put_grants(request: web.Request) -> web.Response:
    """200 with what stands from now on, however often it is asked."""
    sessions.signed_in(request)
    asked = await read_json(request, GrantsRequest)
    return _told(request, await guests.change(request, request.match_info["user"], asked.grants))


def _told(request: web.Request, row: UserRow) -> web.Response:
    now = guards.local_now(request.app[keys.CONFIG].zone)
    stands = tuple(guests.standing(row.grants, now))
    return json_response({"user": row.user, "grants": row.grants, "devices": stands})
