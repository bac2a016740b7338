"""What rooms would loosen, and what the master user says to it."""

from aiohttp import web

from auth_service.account.waiting import Waiting
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words.internal_waiting import WaitingDecision


class ByWaiting:
    """What rooms would loosen, and what the master user says to it."""

    def __init__(self, waiting: Waiting) -> None:
        self._waiting = waiting

    async def rows(self, _request: web.Request) -> web.Response:
        """What waits."""
        return json_response(await self._waiting.everything())

    async def decide(self, request: web.Request) -> web.Response:
        """Loosen it, or leave it as it is for good."""
        wanted = await read_json(request, WaitingDecision)
        room, device = request.match_info["room"], request.match_info["device"]
        stands = await self._waiting.decide(room, device, wanted, issuer(request))
        request[USER] = wanted.by or "-"
        return json_response(stands)
