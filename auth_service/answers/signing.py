"""Signing in and out, and the sessions in between."""

from typing import Final

from aiohttp import web

from auth_service.answers.issuer import issuer
from auth_service.confirming.mail_watch import MailWatch
from auth_service.signing_in.rehearsal import Rehearsal
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.door.web import USER, json_response, read_json
from shared.words import internal
from shared.words.problem import HomeError

_MAIL_PATIENCE_SECONDS: Final = 1.0
"""A page waits no longer for a mail server that does not answer; what it then shows is asked for again."""


class Signing:
    """Signing in and out, and the sessions in between."""

    def __init__(self, sign_in: SignIn, sessions: Sessions, rehearsal: Rehearsal, mail: MailWatch) -> None:
        self._mail = mail
        self._sign_in = sign_in
        self._sessions = sessions
        self._rehearsal = rehearsal

    async def ask_code(self, request: web.Request) -> web.Response:
        """Step 1 of signing in."""
        asked = await read_json(request, internal.LoginCodeRequest)
        await self._sign_in.ask_code(asked, issuer(request))
        self._mail.look()
        return web.Response(status=202)

    async def mail_path(self, _request: web.Request) -> web.Response:
        """Whether mail works."""
        self._mail.look()
        return json_response(await self._mail.known(patience=_MAIL_PATIENCE_SECONDS))

    async def enter(self, request: web.Request) -> web.Response:
        """Step 2 of signing in."""
        answer = await self._sign_in.enter(await read_json(request, internal.LoginRequest), issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)

    async def rehearse(self, _request: web.Request) -> web.Response:
        """What stands in the way of signing in."""
        return json_response(await self._rehearsal.sign_in())

    async def verify(self, request: web.Request) -> web.Response:
        """Whose session it is."""
        asked = await read_json(request, internal.SessionToken)
        info = await self._sessions.verify(asked.token, asked.address[:200])
        request[USER] = info.user.id
        return json_response(info)

    async def end(self, request: web.Request) -> web.Response:
        """Sign out."""
        await self._sessions.end_token((await read_json(request, internal.SessionToken)).token, issuer(request))
        return web.Response(status=204)

    async def rows(self, request: web.Request) -> web.Response:
        """Somebody's sessions."""
        user = request.query.get("user")
        if not user:
            raise HomeError("bad-request", "Name a user: ?user=ID.")
        return json_response(await self._sessions.of(user))

    async def end_one(self, request: web.Request) -> web.Response:
        """End one from a list."""
        by = request.query.get("by", "")
        await self._sessions.end_id(
            request.match_info["id"],
            owner=request.query.get("user") or None,
            by=by,
            issuer=issuer(request),
            address=request.query.get("address", "")[:200],
        )
        request[USER] = by or "-"  # for the log, where nothing stands that is only claimed
        return web.Response(status=204)
