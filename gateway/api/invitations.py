"""/api/v1/invitations: the master user's, and POST /api/v1/invitations/{id}, by which anybody with the code joins."""

from typing import Annotated

import msgspec
from aiohttp import web

from gateway.desk import invitations
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.internal import Email, Password
from shared.words.internal_factors import OwnCode
from shared.words.internal_people import Name
from shared.words.languages import Language
from shared.words.names import Role


class InviteRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who is invited as what; the password that one has, and a code where there is a strong factor.

    `language`: of letters and pages; None: the home's.
    """

    current: Password
    code: OwnCode = ""
    email: Email
    name: Name
    role: Role
    language: Language | None = None


class TakeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The letter's code, and the password that one chooses."""

    code: Annotated[str, msgspec.Meta(max_length=32)]
    new: Password


async def show(request: web.Request) -> web.Response:
    """{invitations: […]}, newest first; none with its code."""
    return json_response({"invitations": await invitations.of_home(request)})


async def invite(request: web.Request) -> web.Response:
    """201 with the invitation; its letter is on the way."""
    sessions.signed_in(request)
    asked = await read_json(request, InviteRequest)
    made = await invitations.invite(
        request,
        current=asked.current,
        code=asked.code,
        email=asked.email,
        name=asked.name,
        role=asked.role,
        language=asked.language,
    )
    return json_response(made, status=201)


async def withdraw(request: web.Request) -> web.Response:
    """204; its code is none any more."""
    await invitations.withdraw(request, request.match_info["id"])
    return web.Response(status=204)


async def take(request: web.Request) -> web.Response:
    """201 with the new user, who may sign in now."""
    asked = await read_json(request, TakeRequest)
    user = await invitations.take(request, request.match_info["id"], code=asked.code, new=asked.new)
    return json_response({"user": user}, status=201)
