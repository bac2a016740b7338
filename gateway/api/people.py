"""PATCH and DELETE /api/v1/users/{user}, the master user's, and PATCH /api/v1/me, everybody's own."""

import msgspec
from aiohttp import web

from gateway.desk import people
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.internal import Password
from shared.words.internal_factors import OwnCode
from shared.words.internal_people import Name
from shared.words.languages import Language
from shared.words.names import Role


class EraseRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that one has, and a code where there is a strong factor."""

    current: Password
    code: OwnCode = ""


class PersonRequest(EraseRequest, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The same, and what shall be; what is left out stays as it is."""

    name: Name | None = None
    role: Role | None = None
    disabled: bool | None = None


class ProfileRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How one is called, and in which language one is spoken to (null: the home's); what is left out stays."""

    name: Name | msgspec.UnsetType = msgspec.UNSET
    language: Language | msgspec.UnsetType | None = msgspec.UNSET


async def change(request: web.Request) -> web.Response:
    """The account as it then stands."""
    sessions.signed_in(request)
    asked = await read_json(request, PersonRequest)
    row = await people.change(
        request,
        request.match_info["user"],
        current=asked.current,
        code=asked.code,
        name=asked.name,
        role=asked.role,
        disabled=asked.disabled,
    )
    return json_response(row)


async def erase(request: web.Request) -> web.Response:
    """204; nothing of theirs is valid any more, on any gateway."""
    sessions.signed_in(request)
    asked = await read_json(request, EraseRequest)
    await people.erase(request, request.match_info["user"], current=asked.current, code=asked.code)
    return web.Response(status=204)


async def change_own(request: web.Request) -> web.Response:
    """{user}, as they then stand."""
    user = sessions.signed_in(request).user
    asked = await read_json(request, ProfileRequest)
    name = user.name if asked.name is msgspec.UNSET else asked.name
    language = user.language if asked.language is msgspec.UNSET else asked.language
    return json_response({"user": await people.change_profile(request, name=name, language=language)})
