"""POST /api/v1/step-up: prove once more who you are, by a passkey or a code; counts for five minutes."""

import msgspec
from aiohttp import web

from gateway.desk import step_up
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.internal_factors import Code
from shared.words.internal_passkeys import Credential
from shared.words.problem import HomeError


class Proof(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One of the two: a `code` of an app, or a recovery code; or a passkey's answer to the challenge."""

    code: Code | None = None
    credential: Credential | None = None


async def challenge(request: web.Request) -> web.Response:
    """{options}: for `navigator.credentials.get`, in this session, once, within five minutes."""
    sessions.signed_in_owing(request)
    return json_response(await step_up.challenge(request))


async def prove(request: web.Request) -> web.Response:
    """{proved_until}: the cookie's session goes on with another token, the CSRF token stays."""
    sessions.signed_in_owing(request)
    shown = await read_json(request, Proof)
    if (shown.code is None) == (shown.credential is None):
        raise HomeError("bad-request", "Send code or credential, one of the two.")
    info = await step_up.prove(request, code=shown.code or "", credential=shown.credential)
    return json_response({"proved_until": info.proved_until})
