"""The recorder's internal HTTPS interface: readings for gateways, and how the service fares."""

from collections.abc import Callable

from aiohttp import web

from alert_service.readings.asking import Asking
from alert_service.readings.keeper import Keeper
from shared.door.web import allow, internal_app, json_response, read_json
from shared.words import internal
from shared.words.internal_readings import ReadingsQuery, ReadingsReady

_CALLERS = ("gateway", "gateway-*", "admin")


class Api:
    """The routes over one book."""

    def __init__(self, asking: Asking, keeper: Keeper, *, connected: Callable[[], bool]) -> None:
        self._asking = asking
        self._keeper = keeper
        self._connected = connected

    def app(self) -> web.Application:
        """The application, with the house's middlewares."""
        app = internal_app()
        app.router.add_post(internal.READINGS, allow(*_CALLERS)(self.readings))
        app.router.add_get(internal.READY, allow(*_CALLERS)(self.ready))
        return app

    async def readings(self, request: web.Request) -> web.StreamResponse:
        """The points of a query; see shared.words.internal_readings."""
        return json_response(await self._asking.answer(await read_json(request, ReadingsQuery)))

    async def ready(self, _request: web.Request) -> web.StreamResponse:
        """How the service fares."""
        timelines = len(self._keeper.rooms.timelines)
        said = ReadingsReady(broker=self._connected(), recording=not self._keeper.failing, devices=timelines)
        return json_response(said)
