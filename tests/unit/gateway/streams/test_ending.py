"""A stream ends with its session, whatever it is at."""

import asyncio
from typing import Any, cast

from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.door.sessions import Sessions
from gateway.picture.home import Home
from gateway.streams.client import Client
from gateway.streams.event import Event, Interest
from gateway.streams.events import Hub
from shared.words.internal import SessionInfo
from shared.words.names import Role
from tests.house import DEADLINE
from tests.unit.gateway.pages.house import config
from tests.unit.gateway.parts import REGISTRY, FakeAuth, session


async def test_a_session_that_ends_ends_also_a_stream_that_is_at_its_snapshot() -> None:
    home = Home()
    home.set_registry(REGISTRY)
    hub = Hub(home, Sessions(cast("Any", FakeAuth()), link_up=lambda: True), config().zone)
    info = session(Role.MASTER)

    async def serve(request: web.Request) -> web.StreamResponse:
        return await hub.stream(request, info, "t", Interest())

    def end_and_write(event: Event, one: Client, who: SessionInfo) -> bytes:
        hub.end_sessions([info.id])
        return written(event, one, who)

    written, hub._frame = hub._frame, end_and_write  # type: ignore[assignment, method-assign]
    app = web.Application()
    app.router.add_get("/", serve)
    async with asyncio.timeout(DEADLINE), TestClient(TestServer(app)) as browser:
        told = await (await browser.get("/")).text()
    assert [line for line in told.splitlines() if line.startswith("event: ")] == ["event: hello", "event: lockdown"]
