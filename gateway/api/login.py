"""POST /api/v1/login/code, /api/v1/login and /api/v1/logout, and GET /api/v1/login/attempt between the first two."""

from typing import Annotated

import msgspec
from aiohttp import web

from gateway.desk import attempt
from gateway.desk import sign_in as signing_in
from gateway.door import csrf
from shared.door.web import json_response, read_json
from shared.words.internal import Email, Password

_ON_ITS_WAY = (
    "If account and password are right, a code is on its way; an account with an app or a passkey gets none, and its "
    "app's code or a recovery code is typed instead."
)


class CodeRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Step 1."""

    email: Email
    password: Password


class LoginRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Step 2. `own`: this is the person's own device, where they stay signed in."""

    email: Email
    password: Password
    code: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    own: bool = False


async def ask_code(request: web.Request) -> web.Response:
    """Always 202: the mailbox alone tells whether the account exists and the password is right."""
    asked = await read_json(request, CodeRequest)
    await signing_in.ask_code(request, asked.email, asked.password)
    return json_response({"status": _ON_ITS_WAY}, status=202)


async def show_attempt(request: web.Request) -> web.Response:
    """{attempt, mail}: its name for the hub's own command, and whether a letter could go out now."""
    return json_response(await attempt.of_browser(request))


async def sign_in(request: web.Request) -> web.Response:
    """The user and the new CSRF token; 401 otherwise, always alike."""
    asked = await read_json(request, LoginRequest)
    user = await signing_in.sign_in(request, asked.email, asked.password, asked.code, own=asked.own)
    response = json_response({"user": user, "csrf_token": await csrf.token(request)})
    signing_in.remember(request, response)
    return response


async def sign_out(request: web.Request) -> web.Response:
    """204; without a session too."""
    await signing_in.sign_out(request)
    return web.Response(status=204)
