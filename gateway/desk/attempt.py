"""What is known of an attempt at getting a code, for API and pages alike: its short name, and how the mail fares.

Both are the same whether the account exists or not, and whatever the password was.
"""

from typing import Literal

import msgspec
from aiohttp import web

from gateway import keys
from gateway.door import cookie, sessions
from shared.words import attempts
from shared.words.problem import HomeError


class Attempt(msgspec.Struct, frozen=True, kw_only=True):
    """`attempt` is what `homesystem code` at the hub is told; `mail` "away": no letter goes out just now."""

    attempt: str
    mail: Literal["works", "away", "unknown"]


async def of_browser(request: web.Request) -> Attempt:
    """This browser's, at signing in."""
    return await _known(request, await cookie.browser_of(request))


async def of_session(request: web.Request) -> Attempt:
    """This session's, at a lockdown. Raises sign-in-required."""
    return await _known(request, sessions.signed_in(request).id)


async def _known(request: web.Request, place: str) -> Attempt:
    name = attempts.name_of(place)
    try:
        return Attempt(attempt=name, mail=(await request.app[keys.AUTH].mail_path()).mail)
    except HomeError:
        return Attempt(attempt=name, mail="unknown")  # what the auth service cannot say, the next step will
