"""/api/v1/factors: one's own authenticator apps and recovery codes."""

import msgspec
from aiohttp import web

from gateway.desk import own_factors
from gateway.door import sessions
from shared.door.web import json_response, read_json
from shared.words.internal import Password
from shared.words.internal_factors import Code, FactorName, OwnCode


class Begin(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new factor, and the password that one has; where there is a factor already, a code once more."""

    current: Password
    code: OwnCode = ""
    name: FactorName = ""


class Confirm(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What the app shows."""

    code: Code


class Confirmed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The password that one has."""

    current: Password
    code: OwnCode = ""


async def show(request: web.Request) -> web.Response:
    """{factors, recovery_left}; no secret."""
    return json_response(await own_factors.of(request))


async def begin(request: web.Request) -> web.Response:
    """201 {id, secret, uri}, once; it counts after `confirm`."""
    sessions.signed_in_owing(request)
    asked = await read_json(request, Begin)
    return json_response(
        await own_factors.begin(request, current=asked.current, code=asked.code, name=asked.name), status=201
    )


async def confirm(request: web.Request) -> web.Response:
    """{recovery_codes}: shown once, where it is the first factor; else empty."""
    sessions.signed_in_owing(request)
    code = (await read_json(request, Confirm)).code
    return json_response({"recovery_codes": await own_factors.confirm(request, request.match_info["id"], code)})


async def remove(request: web.Request) -> web.Response:
    """204."""
    sessions.signed_in_owing(request)
    asked = await read_json(request, Confirmed)
    await own_factors.remove(request, request.match_info["id"], current=asked.current, code=asked.code)
    return web.Response(status=204)


async def renew_recovery(request: web.Request) -> web.Response:
    """{recovery_codes}: ten others, shown once; the former are void."""
    sessions.signed_in_owing(request)
    asked = await read_json(request, Confirmed)
    return json_response(
        {"recovery_codes": await own_factors.renew_recovery(request, current=asked.current, code=asked.code)}
    )
