"""What people change of their own accounts."""

from aiohttp import web

from auth_service.account.own_email import OwnEmail
from auth_service.account.own_factors import OwnFactors
from auth_service.account.own_password import OwnPassword
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words import internal_account, internal_factors


class Own:
    """What people change of their own accounts."""

    def __init__(self, password: OwnPassword, email: OwnEmail, factors: OwnFactors) -> None:
        self._password = password
        self._email = email
        self._factors = factors

    async def factors(self, request: web.Request) -> web.Response:
        """What somebody has."""
        asked = await read_json(request, internal_factors.FactorsAsked)
        return json_response(await self._factors.of(asked.token))

    async def begin_factor(self, request: web.Request) -> web.Response:
        """A new app's secret, once."""
        asked = await read_json(request, internal_factors.FactorBegin)
        return json_response(await self._factors.begin(asked, issuer(request)))

    async def confirm_factor(self, request: web.Request) -> web.Response:
        """Its first code."""
        asked = await read_json(request, internal_factors.FactorConfirm)
        return json_response(await self._factors.confirm(asked, issuer(request)))

    async def remove_factor(self, request: web.Request) -> web.Response:
        """Take one away."""
        await self._factors.remove(await read_json(request, internal_factors.FactorRemove), issuer(request))
        return web.Response(status=204)

    async def renew_recovery(self, request: web.Request) -> web.Response:
        """Ten other recovery codes."""
        asked = await read_json(request, internal_factors.RecoveryAsked)
        return json_response(await self._factors.renew_recovery(asked, issuer(request)))

    async def change_password(self, request: web.Request) -> web.Response:
        """Another password, and a new session."""
        asked = await read_json(request, internal_account.PasswordChange)
        answer = await self._password.change(asked, issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)

    async def begin_email(self, request: web.Request) -> web.Response:
        """Codes for another address, by letter to both."""
        asked = await read_json(request, internal_account.EmailWish)
        return json_response(await self._email.begin(asked, issuer(request)), status=202)

    async def email_state(self, request: web.Request) -> web.Response:
        """What is under way."""
        asked = await read_json(request, internal_account.EmailAsked)
        return json_response(await self._email.state(asked.token))

    async def confirm_email(self, request: web.Request) -> web.Response:
        """Another address, and a new session."""
        asked = await read_json(request, internal_account.EmailConfirm)
        answer = await self._email.confirm(asked, issuer(request))
        request[USER] = answer.session.user.id
        return json_response(answer)
