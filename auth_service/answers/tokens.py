"""API tokens, and what programs do by them."""

from aiohttp import web

from auth_service.account.tokens import Tokens
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words import internal, internal_tokens
from shared.words.problem import HomeError


class ByToken:
    """API tokens, and what programs do by them."""

    def __init__(self, tokens: Tokens) -> None:
        self._tokens = tokens

    async def use(self, request: web.Request) -> web.Response:
        """Whose token it is."""
        asked = await read_json(request, internal.SessionToken)
        info = await self._tokens.use(asked.token, asked.address[:200])
        request[USER] = info.user.id
        return json_response(info)

    async def make(self, request: web.Request) -> web.Response:
        """A new one."""
        wanted = await read_json(request, internal_tokens.TokenWish)
        return json_response(await self._tokens.make(wanted, issuer(request)), status=201)

    async def rows(self, request: web.Request) -> web.Response:
        """Somebody's tokens."""
        user = request.query.get("user")
        if not user:
            raise HomeError("bad-request", "Name a user: ?user=ID.")
        return json_response(await self._tokens.of(user))

    async def revoke(self, request: web.Request) -> web.Response:
        """Revoke one."""
        owner = request.query.get("user", "")
        await self._tokens.revoke(
            request.match_info["id"],
            owner=owner,
            issuer=issuer(request),
            address=request.query.get("address", "")[:200],
        )
        request[USER] = owner or "-"
        return web.Response(status=204)
