"""/api/v1/factors/passkey and /api/v1/login/passkey: passkeys made, and signing in by one."""

import msgspec
from aiohttp import web

from gateway.api.factors import Begin
from gateway.desk import passkeys
from gateway.desk import sign_in as signing_in
from gateway.door import csrf, sessions
from shared.door.web import json_response, read_json
from shared.words.internal_passkeys import Credential


class Finish(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser made."""

    credential: Credential


class SignIn(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the browser shows. `own`: this is the person's own device, where they stay signed in."""

    credential: Credential
    own: bool = False


async def begin(request: web.Request) -> web.Response:
    """201 {id, options}: for `navigator.credentials.create`; it counts after `finish`."""
    sessions.signed_in_owing(request)
    asked = await read_json(request, Begin)
    return json_response(
        await passkeys.begin(request, current=asked.current, code=asked.code, name=asked.name), status=201
    )


async def finish(request: web.Request) -> web.Response:
    """{recovery_codes}: shown once, where it is the first factor; else empty."""
    sessions.signed_in_owing(request)
    made = (await read_json(request, Finish)).credential
    return json_response({"recovery_codes": await passkeys.finish(request, request.match_info["id"], made)})


async def challenge(request: web.Request) -> web.Response:
    """{options}: for `navigator.credentials.get`, in this browser, once, within five minutes."""
    return json_response(await passkeys.challenge(request))


async def sign_in(request: web.Request) -> web.Response:
    """The user and the new CSRF token; 401 otherwise, always alike."""
    asked = await read_json(request, SignIn)
    user = await passkeys.sign_in(request, asked.credential, own=asked.own)
    response = json_response({"user": user, "csrf_token": await csrf.token(request)})
    signing_in.remember(request, response)
    return response
