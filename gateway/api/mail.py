"""GET /api/v1/mail: how the letters fare, for the master user."""

import msgspec
from aiohttp import web

from gateway import keys
from gateway.door import sessions
from gateway.picture import guards
from gateway.picture.plain import without_addresses
from shared.door.web import json_response
from shared.words.problem import HomeError


async def show(request: web.Request) -> web.Response:
    """200 with shared.words.internal_alerts.MailStatus; 503 while the alert service does not say."""
    if not guards.may_manage_users(sessions.signed_in(request)):
        raise HomeError("forbidden")
    status = await request.app[keys.ALERTS].mail()
    if status is None:
        raise HomeError("alerts-unreachable")
    failure = without_addresses(status.failure) if status.failure is not None else None
    return json_response(msgspec.structs.replace(status, failure=failure))
