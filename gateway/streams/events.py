"""The event streams: every browser that may sees what changes, and nothing else (docs/api.md, `GET /api/v1/events`).

Whether a viewer may see an event is decided at the moment of sending, by a session that still lives. A client that
does not keep up is cut: it comes back and gets a snapshot. In quiet times and in others, a heartbeat tells the hub's
time every ten seconds.
"""

import asyncio
import logging
from collections.abc import Iterable
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

import aiohttp_sse
from aiohttp import web

from gateway.door.sessions import Sessions
from gateway.picture import guards
from gateway.picture.changes import Change, DescriptionChanged, StateChanged, StatusChanged
from gateway.picture.home import Home
from gateway.picture.seen import order_for, rooms_for, sum_for
from gateway.picture.sums import RoomSum, gone
from gateway.picture.views import RoomView
from gateway.streams import hub_time
from gateway.streams.client import Client
from gateway.streams.event import (
    AUDIT,
    ORDER,
    SUM,
    Event,
    Interest,
    Told,
    as_json,
    event_of,
    frame,
    lockdown,
    shared_frame,
    written,
)
from gateway.streams.hours import Hours
from gateway.streams.hub_time import HEARTBEAT, HEARTBEAT_SECONDS
from gateway.streams.summing import Summing
from gateway.streams.turns import in_turns
from shared.running.log import facts
from shared.words.internal import SessionInfo
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_NO_PING_SECONDS: Final = 86_400.0
"""The library's own pings say nothing that the heartbeats do not."""
_SEND_SECONDS: Final = 10.0
_RETRY_MILLISECONDS: Final = 1000
MOST_STREAMS: Final = 10
"""Per user: open pages of all their browsers; one more ends the oldest. Each API token has as many."""


class Hub:
    """All open streams."""

    def __init__(self, home: Home, sessions: Sessions, zone: ZoneInfo) -> None:
        self._home = home
        self._sessions = sessions
        self._zone = zone
        self._clients: dict[Client, None] = {}  # a set that keeps their order, oldest first
        self._closed = False
        self._followed = asyncio.Event()
        self._recorded: Event | None = None
        self._summing = Summing(self._tell_sum)
        self._summed = False
        self._told: dict[str, RoomSum] = {}
        """What everyone knows who looks at sums and sees all; what of a room that is not in it, differs."""

    def tell(self, changes: Iterable[Change]) -> None:
        """What changed in the home, to everyone who may know."""
        if not self._clients:
            return
        for change in changes:
            if self._summed and isinstance(change, StateChanged | StatusChanged | DescriptionChanged):
                self._summing.note(change.room)
            if (event := event_of(change)) is not None:
                for client in tuple(self._clients):
                    client.offer(event)

    def tell_command(self, *, command_id: str, room: str, device: str, outcome: str, reason: str | None) -> None:
        """How a command ended, to everyone who may see its device."""
        if not self._clients:
            return
        body = {"id": command_id, "room": room, "device": device, "outcome": outcome}
        if reason is not None:
            body["reason"] = reason
        event = Event("command", room, device, as_json(body))
        for client in tuple(self._clients):
            client.offer(event)

    def tell_recorded(self, row: int, happening: int) -> None:
        """The record goes up to this row, and happenings to this number, to everyone who follows them."""
        event = self._recorded = Event(AUDIT, None, None, as_json({"row": row, "happening": happening}))
        for client in tuple(self._clients):
            if client.follows:
                client.offer(event)

    def _tell_sum(self, room: str) -> None:
        """One room in sums, to whoever looks at many; what says the same as before is not said again."""
        now = self._home.sum(room) or gone(room)
        is_news = now != self._told.get(room)
        self._told[room] = now
        # Written now: what is told must be what was compared, though it may have changed again when it is sent.
        whole, part = Event(SUM, room, None, as_json(now) if is_news else None), Event(SUM, room, None, None)
        for client in tuple(self._clients):
            if not client.sees_all:
                client.offer(part)
            elif is_news:
                client.offer(whole)

    async def followed(self) -> None:
        """Wait until somebody follows the record."""
        await self._followed.wait()

    def end_sessions(self, session_ids: Iterable[str]) -> None:
        """These sessions are over: so are their streams."""
        gone = set(session_ids)
        for client in tuple(self._clients):
            if client.session_id in gone:
                client.end()

    def begin_anew(self, user_ids: Iterable[str]) -> None:
        """What these may do has changed: their streams end, and who comes back gets what is theirs now."""
        changed = set(user_ids)
        for client in tuple(self._clients):
            if client.user_id in changed:
                client.end()

    def close(self) -> None:
        """We stop: end every stream at once, or the server would wait for them."""
        self._closed = True
        for client in tuple(self._clients):
            client.end()

    async def stream(
        self, request: web.Request, info: SessionInfo, token: str, interest: Interest
    ) -> web.StreamResponse:
        """Serve one stream until the client, its session or we end."""
        # It says X-Accel-Buffering: no, without which nginx holds back, for ever, what does not fill its buffer.
        response = aiohttp_sse.EventSourceResponse(ping_interval=_NO_PING_SECONDS, send_timeout=_SEND_SECONDS)
        await response.prepare(request)
        client = Client(info, request.transport, interest)
        # Snapshot and subscription in one step: nothing can change unseen in between.
        snapshot = self._snapshot(interest)
        self._join(client)
        hours: Hours | None = None
        try:
            async with response:
                # Only now: whatever is changed from here on ends this stream, which is among those that are told.
                info = (await self._sessions.last_word(token)).info
                hours = Hours(info.grants, now=lambda: guards.local_now(self._zone), over=client.end)
                await response.send(as_json(hub_time.told()), event="hello", retry=_RETRY_MILLISECONDS)
                async for event in in_turns(map(written, snapshot)):
                    if client.ended:  # whoever takes it up slowly goes on with it no longer than their session does
                        return response
                    await self._write(response, client, self._frame(event, client, info))
                await response.send("{}", event="ready")
                if client.follows and self._recorded is not None:
                    await self._write(response, client, self._frame(self._recorded, client, info))
                await self._serve(response, client, token, info)
        except (ConnectionError, TimeoutError):
            pass  # the client went away or was too slow; it comes back by itself
        except HomeError as error:
            log.info("Event stream ended", extra=facts(session=info.id, reason=error.slug))
        finally:
            if hours is not None:
                hours.stop()
            self._clients.pop(client, None)
            self._count_followers()
        return response

    def _join(self, client: Client) -> None:
        theirs = [one for one in self._clients if one.whose == client.whose and not one.ended]
        for one in theirs[: max(0, len(theirs) + 1 - MOST_STREAMS)]:
            one.end()  # a page that still looks comes back by itself
        self._clients[client] = None
        self._count_followers()
        if client.interest.sums:
            self._told.clear()  # its snapshot may say something newer, which must not be taken for said to all
        if self._closed:
            client.end()

    def _count_followers(self) -> None:
        self._summed = any(client.interest.sums for client in self._clients)
        if any(client.follows for client in self._clients):
            self._followed.set()
        else:
            self._followed.clear()

    async def _serve(
        self, response: aiohttp_sse.EventSourceResponse, client: Client, token: str, began: SessionInfo
    ) -> None:
        """What comes, heartbeats among it; all by the session as it is then, until that may other things than it
        `began` with: the word on that may have gone by while our link to the broker was down.
        """
        beating = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._beat, client)
        client.beating = beating
        try:
            while events := await client.next():
                info = (await self._sessions.last_word(token)).info
                if info is not began and _seen_by(info) != _seen_by(began):
                    return
                began = info  # mostly the very same from now on, and then nothing is compared
                await self._write(response, client, b"".join(self._frame(event, client, info) for event in events))
        finally:
            client.beating.cancel()

    def _beat(self, client: Client) -> None:
        """A heartbeat in its turn, and the next one later: also for a client that always has something waiting."""
        client.offer(Event(HEARTBEAT, None, None, None))
        client.beating = asyncio.get_running_loop().call_later(HEARTBEAT_SECONDS, self._beat, client)

    async def _write(self, response: aiohttp_sse.EventSourceResponse, client: Client, some: bytes) -> None:
        """Raises TimeoutError where that is not taken up."""
        if not some:
            return
        try:
            async with asyncio.timeout(_SEND_SECONDS):
                await response.write(some)
        except TimeoutError:
            if client.transport is not None:
                client.transport.abort()  # it takes nothing, not even our goodbye
            raise

    def _snapshot(self, interest: Interest) -> list[Told]:
        """How all that it covers stands at this moment; who may see what is decided when it is sent."""
        told: list[Told] = [lockdown(self._home.lockdown), Event(ORDER, None, None, None)]
        told = [one for one in told if not isinstance(one, Event) or interest.covers(one)]
        names = self._home.names()
        if interest.sums:
            told += [Event(SUM, room, None, None) for room in names]
        for room in names:
            if interest.rooms is None or room in interest.rooms:
                told.append(Event("description", room, None, None))
                told.append(StatusChanged(room, self._home.status(room)))
                told += [StateChanged(room, device, state) for device, state in self._home.states(room)]
        return told

    def _frame(self, event: Event, client: Client, info: SessionInfo) -> bytes:
        """The event on the wire, as this viewer may see it now; nothing where they may not."""
        now = guards.local_now(self._zone)
        if event.room is None:
            allowed = event.name != AUDIT or guards.may_hear_of_records(info)
        elif event.device is not None:
            allowed = guards.may_see(info, event.room, event.device, now)
        else:
            allowed = guards.may_see_room(info, event.room, now)
        if not allowed:
            return b""
        if event.body is not None and (event.name != SUM or guards.sees_all(info)):
            return shared_frame(event.name, event.body)
        body = self._body(event, info, now)
        is_partial = event.name in (SUM, ORDER) and not guards.sees_all(info)
        if is_partial and not client.is_news(event.room, body):
            return b""  # that something else happened in the room, or with another one, is not theirs to know
        return frame(event.name, body)

    def _body(self, event: Event, info: SessionInfo, now: datetime) -> str:
        """What is made for each viewer, or at the moment of sending."""
        if event.name == HEARTBEAT:
            return as_json(hub_time.told())
        if event.name == ORDER:
            return as_json({"rooms": order_for(info, self._home, now)})
        room = event.room or ""
        if event.name == SUM:
            return as_json(sum_for(info, self._home, room, now) or gone(room))
        return self._describe(room, info)

    def _describe(self, room: str, info: SessionInfo) -> str:
        """The room as this viewer sees it; no devices where it is gone."""
        found = self._home.room(room)
        views: tuple[RoomView, ...] = ()
        if found is not None:
            views = rooms_for(info, (found,), guards.local_now(self._zone))
        if not views:
            return as_json({"room": room, "name": room, "devices": []})
        view = views[0]
        icon = {} if view.icon is None else {"icon": view.icon}
        return as_json({"room": room, "name": view.name, **icon, "hidden": view.hidden, "devices": view.devices})


def _seen_by(info: SessionInfo) -> tuple[object, ...]:
    """By what it is decided which home somebody sees."""
    return info.user, info.grants, info.token, info.own
