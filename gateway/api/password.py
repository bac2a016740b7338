"""POST /api/v1/password: another password, for who types the one that there is."""

import msgspec
from aiohttp import web

from gateway.desk import own_password
from gateway.door import csrf, sessions
from shared.door.web import json_response, read_json
from shared.words.internal import Password
from shared.words.internal_factors import OwnCode


class PasswordRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that there is, and the one that shall be; `code`: of one's app, where there is a strong factor."""

    current: Password
    code: OwnCode = ""
    new: Password


async def change(request: web.Request) -> web.Response:
    """200 with the CSRF token of the session that goes on in the answer's cookie; all others of this person ended."""
    sessions.signed_in_owing(request)
    asked = await read_json(request, PasswordRequest)
    await own_password.change(request, current=asked.current, code=asked.code, new=asked.new)
    return json_response({"csrf_token": await csrf.token(request)})
