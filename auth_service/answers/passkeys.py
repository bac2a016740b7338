"""Passkeys: making one, and signing in by one."""

from aiohttp import web

from auth_service.account.own_passkeys import OwnPasskeys
from auth_service.answers.issuer import issuer
from auth_service.signing_in.passkey_sign_in import PasskeySignIn
from shared.door.web import USER, json_response, read_json
from shared.words import internal_passkeys


class ByPasskey:
    """Passkeys made, and signing in by one."""

    def __init__(self, own: OwnPasskeys, sign_in: PasskeySignIn) -> None:
        self._own = own
        self._sign_in = sign_in

    async def begin(self, request: web.Request) -> web.Response:
        """What a browser is to make."""
        asked = await read_json(request, internal_passkeys.PasskeyBegin)
        return json_response(await self._own.begin(asked, issuer(request)))

    async def finish(self, request: web.Request) -> web.Response:
        """It is made."""
        asked = await read_json(request, internal_passkeys.PasskeyFinish)
        return json_response(await self._own.finish(asked, issuer(request)))

    async def ask(self, request: web.Request) -> web.Response:
        """A challenge for a browser."""
        return json_response(await self._sign_in.ask(await read_json(request, internal_passkeys.ChallengeAsked)))

    async def enter(self, request: web.Request) -> web.Response:
        """A session."""
        answer = await self._sign_in.enter(await read_json(request, internal_passkeys.PasskeyLogin), issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)
