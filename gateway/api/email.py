"""/api/v1/email: one's own address, and another one, confirmed by a code at both."""

import msgspec
from aiohttp import web

from gateway.desk import own_email, sign_in
from gateway.door import csrf, sessions
from shared.door.web import json_response, read_json
from shared.words.internal import Email, Password
from shared.words.internal_factors import OwnCode


class WishRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The address that shall be, the password that there is, and a code where there is a strong factor."""

    email: Email
    current: Password
    code: OwnCode = ""


class ConfirmRequest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The codes of the two letters; `code`: of a strong factor, where the former mailbox is lost."""

    old_code: OwnCode = ""
    new_code: OwnCode
    code: OwnCode = ""


async def show(request: web.Request) -> web.Response:
    """{email, wanted: {email, expires_at} or null}: the address, and the one that is under way in this session."""
    user = sessions.signed_in(request).user
    return json_response({"email": user.email, "wanted": (await own_email.state(request)).wanted})


async def begin(request: web.Request) -> web.Response:
    """202 with what is under way, alike whosever the address is."""
    sessions.signed_in(request)
    asked = await read_json(request, WishRequest)
    wanted = await own_email.begin(request, email=asked.email, current=asked.current, code=asked.code)
    return json_response(wanted, status=202)


async def confirm(request: web.Request) -> web.Response:
    """200 with the user, and the CSRF token of the session that goes on; all others of this person ended."""
    sessions.signed_in(request)
    asked = await read_json(request, ConfirmRequest)
    user = await own_email.confirm(request, old_code=asked.old_code, new_code=asked.new_code, code=asked.code)
    response = json_response({"user": user, "csrf_token": await csrf.token(request)})
    sign_in.remember(request, response)
    return response
