"""What waits for a second person: pressed, and taken back."""

from aiohttp import web

from auth_service.account.pending_wishes import PendingWishes
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words.pending import Press


class ByPending:
    """Presses at devices that ask for two persons."""

    def __init__(self, wishes: PendingWishes) -> None:
        self._wishes = wishes

    async def press(self, request: web.Request) -> web.Response:
        """What came of it."""
        asked = await read_json(request, Press)
        room, device = request.match_info["room"], request.match_info["device"]
        return json_response(await self._wishes.press(room, device, asked, issuer(request)))

    async def take_back(self, request: web.Request) -> web.Response:
        """It is not wanted any more."""
        by = request.query.get("by", "")
        await self._wishes.take_back(
            request.match_info["room"],
            request.match_info["device"],
            request.match_info["id"],
            by=by,
            address=request.query.get("address", "")[:200],
            issuer=issuer(request),
        )
        request[USER] = by or "-"
        return web.Response(status=204)
