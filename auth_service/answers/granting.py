"""What the master user lets guests do."""

from aiohttp import web

from auth_service.account.guests import Guests
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words import internal_grants


class Granting:
    """What the master user lets guests do."""

    def __init__(self, guests: Guests) -> None:
        self._guests = guests

    async def change(self, request: web.Request) -> web.Response:
        """Replace a guest's grants."""
        wanted = await read_json(request, internal_grants.GrantsChange)
        changed = await self._guests.change(request.match_info["user"], wanted, issuer(request))
        request[USER] = wanted.by or "-"
        return json_response(changed)
