"""What is pending: pressed, taken back, and carried out at its time."""

from aiohttp import web

from auth_service.account.appointments import Appointments
from auth_service.account.pending_wishes import PendingWishes
from auth_service.answers.issuer import issuer
from shared.door.web import USER, json_response, read_json
from shared.words.pending import CameDue, Press, Went


class ByPending:
    """Presses at devices that do not act at once, and what gateways carry out of them."""

    def __init__(self, wishes: PendingWishes, appointments: Appointments) -> None:
        self._wishes = wishes
        self._appointments = appointments

    async def press(self, request: web.Request) -> web.Response:
        """What came of it."""
        asked = await read_json(request, Press)
        room, device, _ = _place(request)
        return json_response(await self._wishes.press(room, device, asked, issuer(request)))

    async def take_back(self, request: web.Request) -> web.Response:
        """It is not wanted any more."""
        by = request.query.get("by", "")
        address = request.query.get("address", "")[:200]
        await self._wishes.take_back(*_place(request), by=by, address=address, issuer=issuer(request))
        request[USER] = by or "-"
        return web.Response(status=204)

    async def came_due(self, request: web.Request) -> web.Response:
        """The appointment, for this gateway to carry out."""
        return json_response(await self._appointments.give(*_place(request), await read_json(request, CameDue)))

    async def went(self, request: web.Request) -> web.Response:
        """It was carried out, or nothing was sent."""
        await self._appointments.went(*_place(request), await read_json(request, Went))
        return web.Response(status=204)


def _place(request: web.Request) -> tuple[str, str, str]:
    """Room, device, and the id of what is pending, where the path has one."""
    match = request.match_info
    return match["room"], match["device"], match.get("id", "")
