"""A stream ends with its session, whatever it is at."""

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, cast
from zoneinfo import ZoneInfo

import pytest
from aiohttp import web
from aiohttp.test_utils import TestClient, TestServer

from gateway.door.sessions import Sessions
from gateway.picture import guards
from gateway.picture.home import Home
from gateway.streams import events, hours
from gateway.streams.client import Client
from gateway.streams.event import Event, Interest
from gateway.streams.events import Hub
from shared.words.internal import Grant, SessionInfo
from shared.words.names import Role
from tests.house import DEADLINE
from tests.unit.gateway.pages.house import config
from tests.unit.gateway.parts import NOW, REGISTRY, FakeAuth, session


def hub_of(info: SessionInfo, auth: FakeAuth | None = None, link_up: Callable[[], bool] = lambda: True) -> Hub:
    """A home's streams; `info` is the session of the token "t"."""
    home, auth = Home(), auth or FakeAuth()
    home.set_registry(REGISTRY)
    auth.sessions["t"] = info
    return Hub(home, Sessions(cast("Any", auth), link_up=link_up), config().zone)


async def told_to(hub: Hub, info: SessionInfo) -> list[str]:
    """The names of everything that one stream tells until it ends."""

    async def serve(request: web.Request) -> web.StreamResponse:
        return await hub.stream(request, info, "t", Interest())

    app = web.Application()
    app.router.add_get("/", serve)
    async with asyncio.timeout(DEADLINE), TestClient(TestServer(app)) as browser:
        told = await (await browser.get("/")).text()
    return [line.removeprefix("event: ") for line in told.splitlines() if line.startswith("event: ")]


async def snapshot(hub: Hub, info: SessionInfo) -> list[str]:
    """What a stream begins with."""

    async def nothing_more(*_stream: Any) -> None:
        """It ends behind its snapshot."""

    hub._serve = nothing_more  # type: ignore[assignment, method-assign]
    return await told_to(hub, info)


async def test_a_guests_stream_ends_with_its_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    info = session(Role.GUEST, Grant(room="hall", device="lamp", until=NOW + timedelta(hours=1)))
    hub, now = hub_of(info), NOW

    def local_now(zone: ZoneInfo) -> datetime:
        return now.astimezone(zone)

    monkeypatch.setattr(hours, "_LOOK_SECONDS", 0.01)
    monkeypatch.setattr(guards, "local_now", local_now)
    serve = hub._serve

    async def an_hour_passes(*stream: Any) -> None:
        nonlocal now
        now = NOW + timedelta(hours=1)
        await serve(*stream)

    hub._serve = an_hour_passes  # type: ignore[assignment, method-assign]
    told = await told_to(hub, info)
    assert (told[2], told[3], told[-1]) == ("order", "description", "ready")
    assert "description" not in await snapshot(hub, info), "who comes back gets what is theirs then"


async def test_a_stream_that_begins_while_rights_change_begins_with_the_new_ones() -> None:
    before = session(Role.GUEST, Grant(room="hall", device="lamp"))
    assert "description" in await snapshot(hub_of(before), before)
    assert "description" not in await snapshot(hub_of(session(Role.GUEST)), before)


@pytest.mark.parametrize(
    "after",
    [
        session(Role.GUEST),
        session(Role.GUEST, Grant(room="hall", device="lamp"), Grant(room="garage", device="gate")),
        session(Role.MEMBER),
    ],
    ids=["less", "more", "another role"],
)
async def test_rights_that_changed_while_the_link_was_down_end_a_stream_of_before(
    after: SessionInfo, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, auth, is_up = session(Role.GUEST, Grant(room="hall", device="lamp")), FakeAuth(), True
    monkeypatch.setattr(events, "HEARTBEAT_SECONDS", 0.01)
    hub = hub_of(before, auth, lambda: is_up)
    beat, beats = hub._beat, 0

    def change_unheard(client: Client) -> None:
        nonlocal beats, is_up
        beats += 1
        if beats == 3:
            is_up, auth.sessions["t"] = False, after
        beat(client)

    hub._beat = change_unheard  # type: ignore[method-assign]
    told = await told_to(hub, before)
    assert told[-3:] == ["ready", "heartbeat", "heartbeat"], "as long as they stand it goes on"


async def test_a_session_that_ends_ends_also_a_stream_that_is_at_its_snapshot() -> None:
    info = session(Role.MASTER)
    hub = hub_of(info)

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
