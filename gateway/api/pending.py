"""DELETE /api/v1/devices/{room}/{device}/pending/{id}: what waits for a second person is not wanted any more."""

from aiohttp import web

from gateway.desk import taking_back


async def take_back(request: web.Request) -> web.Response:
    """204; a second time it is a problem, since nothing is pending then."""
    match = request.match_info
    await taking_back.take_back(request, match["room"], match["device"], match["id"])
    return web.Response(status=204)
