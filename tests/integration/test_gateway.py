"""The gateway as browsers and programs meet it, on a real broker and over real TLS."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from yarl import URL

from gateway.api import login
from gateway.door import sessions
from gateway.streams import events as gateway_events
from gateway.streams.events import MOST_STREAMS
from shared.broker.bus import Bus
from shared.proof.spool import Spool
from shared.running.waiting import woken
from shared.words import messages, topics
from shared.words.internal import Budget, Grant, Regulation
from shared.words.internal_alerts import AuditScope
from shared.words.messages import Acknowledgement
from shared.words.names import Outcome, Role, Severity
from shared.words.problem import CATALOGUE, HomeError
from tests.house import DEADLINE, Broker
from tests.integration.gateway_parts import CODE, PASSWORD, GatewayHouse, Visitor, next_event, stream_events
from tests.unit.gateway.parts import NOW, session

MASTER = session(Role.MASTER)
MEMBER = session(Role.MEMBER)
GUEST = session(Role.GUEST, Grant(room="hall", device="lamp"))


@pytest.fixture
async def house(broker: Broker) -> AsyncIterator[GatewayHouse]:
    async with GatewayHouse(broker) as made:
        yield made


async def end_of(events: AsyncIterator[tuple[str, dict[str, Any]]]) -> list[str]:
    """Everything until the stream's end."""
    names = []
    async with asyncio.timeout(DEADLINE):
        async for name, _ in events:
            names.append(name)
    return names


# --- commands ------------------------------------------------------------------------------------------------


async def test_a_lamp_goes_on_by_the_rooms_word(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    status, body, _ = await ada.command("lamp", "on", id="wish-1")
    assert status == 200, body
    assert (body["id"], body["outcome"], body["state"]["value"]) == ("wish-1", "executed", "on")
    command = house.room.heard[0]
    assert command.user is not None
    assert (command.user.id, command.origin, house.room.issuers) == (MEMBER.user.id, "127.0.0.1", ["gateway"])
    assert house.room.hub_heard_first == [True], "a live heartbeat of ours goes before the first command"
    status, body, _ = await ada.get("/api/v1/devices/hall/lamp")
    assert (status, body["state"]["value"], body["available"]) == (200, "on", True)


async def test_what_the_room_refuses_is_a_conflict(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    house.room.answer = lambda _d, c: Acknowledgement(
        id=c.id or "", outcome=Outcome.REJECTED, reason="interlocked", at=NOW
    )
    status, body, response = await ada.command("lamp", "on")
    assert status == 409
    assert response.headers["Content-Type"].startswith("application/problem+json")
    assert (body["type"], body["outcome"], body["reason"]) == ("/problems/interlocked", "rejected", "interlocked")


async def test_a_room_that_vanishes_in_the_middle_is_unknown_at_once(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    house.room.answer = lambda _d, _c: None
    asked = asyncio.create_task(ada.command("lamp", "on"))
    await asyncio.to_thread(house.room.wait_for, 1)
    house.room.vanish()
    status, body, _ = await asked
    assert (status, body["outcome"], body["type"]) == (504, "unknown", "/problems/unknown")
    status, body, _ = await ada.command("lamp", "on")
    assert (status, body["type"]) == (503, "/problems/room-offline")
    status, body, _ = await ada.get("/api/v1/devices/hall/lamp")
    assert (body["state"], body["available"]) == (None, False)


async def test_a_silent_room_is_unknown_after_the_promised_time(house: GatewayHouse) -> None:
    house.gateway.commands._patience.seconds = 0.05
    ada = await house.visitor(MEMBER)
    house.room.answer = lambda _d, _c: None
    status, body, _ = await ada.command("lamp", "on")
    assert (status, body["outcome"]) == (504, "unknown")


async def test_a_repeat_while_under_way_is_one_command(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    house.room.answer = lambda _d, _c: None
    first = asyncio.create_task(ada.command("lamp", "on", id="once"))
    await asyncio.to_thread(house.room.wait_for, 1)
    second = asyncio.create_task(ada.command("lamp", "on", id="once"))
    status, body, _ = await ada.command("lamp", "off", id="once")
    assert (status, body["type"]) == (409, "/problems/id-reused")
    house.room.publish(
        topics.acknowledgement("hall", "lamp"), Acknowledgement(id="once", outcome=Outcome.EXECUTED, at=NOW)
    )
    assert [(await task)[0] for task in (first, second)] == [200, 200]
    assert len(house.room.heard) == 1


async def test_a_press_that_comes_late_moves_nothing(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    pressed_at = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    for action, device in (("on", "lamp"), ("unlock", "front-door")):
        status, body, _ = await ada.command(device, action, confirm=True, pressed_at=pressed_at)
        assert (status, body["type"], body["outcome"]) == (504, "/problems/expired", "expired")
    status, body, _ = await ada.command("front-door", "lock", pressed_at=pressed_at)
    assert status == 200, "what makes safer is never too late"
    assert [command.action for command in house.room.heard] == ["lock"]


async def test_a_repeat_is_answered_as_before_however_late_it_comes(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    _, first, _ = await ada.command("lamp", "on", id="late-repeat")
    pressed_at = (datetime.now(UTC) - timedelta(seconds=30)).isoformat()
    status, again, _ = await ada.command("lamp", "on", id="late-repeat", pressed_at=pressed_at)
    assert (status, again) == (200, first)
    assert len(house.room.heard) == 1


async def test_a_critical_id_that_nobody_answered_is_used_and_moves_nothing_again(house: GatewayHouse) -> None:
    house.gateway.commands._patience.seconds = 0.05
    ada = await house.visitor(MEMBER)
    house.room.answer = lambda _d, _c: None
    status, body, _ = await ada.command("front-door", "unlock", confirm=True, id="used")
    assert (status, body["outcome"]) == (504, "unknown")
    await asyncio.to_thread(house.room.wait_for, 1)  # and says nothing of it, also where that took it long
    house.gateway.commands._patience.seconds = DEADLINE
    house.room.answer = lambda _d, c: Acknowledgement(
        id=c.id or "", outcome=Outcome.REJECTED if c.recall else Outcome.EXECUTED, reason="id-used", at=NOW
    )
    status, body, _ = await ada.command("front-door", "unlock", confirm=True, id="used")
    assert (status, body["type"], body["outcome"]) == (409, "/problems/id-used", "rejected")
    assert [command.recall for command in house.room.heard] == [False, True]


async def test_a_press_by_a_clock_that_is_ahead_counts_from_its_arrival(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    before = time.time()
    ahead = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    status, _, _ = await ada.command("lamp", "on", pressed_at=ahead)
    assert status == 200
    issued = house.room.heard[0].issued
    assert issued is not None
    assert before - 0.001 <= issued <= time.time()


async def test_a_body_that_trickles_in_makes_its_wish_no_younger(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    begun, rest = asyncio.Event(), asyncio.Event()

    async def trickle() -> AsyncIterator[bytes]:
        yield b'{"action": '
        begun.set()
        await rest.wait()
        yield b'"on"}'

    headers = {"Content-Type": "application/json"}
    asked = asyncio.create_task(
        ada.post("/api/v1/devices/hall/lamp/commands", data=trickle(), headers=headers), name="trickle"
    )
    await begun.wait()
    await ada.command("lamp", "on")  # it goes the whole way after the other has begun
    middle = time.time()
    await ada.command("lamp", "off")
    rest.set()
    assert (await asked)[0] == 200
    issued = house.room.heard[2].issued
    assert issued is not None
    assert issued <= middle


def raw_command(ada: Visitor, device: str, action: str) -> bytes:
    """A command as it goes over the wire."""
    body = json.dumps({"action": action}).encode()
    cookies = "; ".join(f"{one.key}={one.value}" for one in ada.http.cookie_jar)
    head = (
        f"POST /api/v1/devices/hall/{device}/commands HTTP/1.1\r\nHost: {URL(ada.url).authority}\r\n"
        f"Origin: {ada.url}\r\nCookie: {cookies}\r\nX-CSRF-Token: {ada.csrf}\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def answered(reader: asyncio.StreamReader) -> int:
    """The status of the next answer."""
    async with asyncio.timeout(DEADLINE):
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
    length = next(line for line in head.splitlines() if line.lower().startswith("content-length:"))
    await reader.readexactly(int(length.partition(":")[2]))
    return int(head.split()[1])


async def test_a_head_that_trickles_in_makes_its_wish_no_younger(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    url = URL(ada.url)
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=house.trusted)
    whole = raw_command(ada, "lamp", "on")
    try:
        for part in (whole, whole):  # on a connection that has been used, too
            heard = len(house.room.heard)
            writer.write(part[:40])
            await writer.drain()
            await ada.command("lamp", "on")  # it goes the whole way after the other has begun
            middle = time.time()
            await ada.command("lamp", "off")
            writer.write(part[40:])
            assert await answered(reader) == 200
            issued = house.room.heard[heard + 2].issued
            assert issued is not None
            assert issued <= middle
    finally:
        writer.close()


async def test_a_wish_that_waits_behind_another_on_its_connection_becomes_no_younger(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    url = URL(ada.url)
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=house.trusted)
    executed, house.room.answer = house.room.answer, lambda _d, _c: None
    try:
        writer.write(raw_command(ada, "lamp", "on") + raw_command(ada, "lamp", "off"))
        await asyncio.to_thread(house.room.wait_for, 1)
        middle = time.time()
        await ada.get("/api/v1/me")
        house.room.answer = executed
        done = Acknowledgement(id=house.room.heard[0].id or "", outcome=Outcome.EXECUTED, at=NOW)
        house.room.publish(topics.acknowledgement("hall", "lamp"), done)
        assert [await answered(reader) for _ in range(2)] == [200, 200]
    finally:
        writer.close()
    issued = house.room.heard[1].issued
    assert issued is not None
    assert issued <= middle


async def test_a_connection_that_was_quiet_for_a_while_makes_no_wish_older(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    url = URL(ada.url)
    reader, writer = await asyncio.open_connection(url.host, url.port, ssl=house.trusted)
    try:
        for _ in range(2):
            for count in range(2):
                heard, before = len(house.room.heard), time.time()
                whole = raw_command(ada, "lamp", "on")
                for part in (whole,) if count == 0 else (whole[:-5], whole[-5:]):
                    writer.write(part)
                    await writer.drain()
                assert await answered(reader) == 200
                issued = house.room.heard[heard].issued
                assert issued is not None
                assert before - 0.001 <= issued <= time.time()
    finally:
        writer.close()


@pytest.mark.parametrize(
    "pressed_at", ["yesterday", "2026-11-27T20:00:00", 1_800_000_000, "2026-13-27T20:00:00Z", "", ["2026"], True]
)
async def test_a_moment_that_is_none_is_refused(house: GatewayHouse, pressed_at: object) -> None:
    ada = await house.visitor(MEMBER)
    status, body, _ = await ada.command("lamp", "on", pressed_at=pressed_at)
    assert (status, body["type"]) == (422, "/problems/invalid-value")
    assert "pressed_at" in body["detail"]
    assert house.room.heard == []


async def test_a_critical_command_needs_confirmation_a_fresh_session_and_leaves_its_intent(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    status, body, _ = await ada.command("front-door", "unlock")
    assert (status, body["type"]) == (409, "/problems/confirmation-required")
    asked = house.auth.verified
    former = [e.seq for e in house.gateway.spool.pending(100)]
    status, body, _ = await ada.command("front-door", "unlock", confirm=True)
    assert (status, body["state"]["value"]) == (200, "unlocked")
    assert house.auth.verified == asked + 1
    intents = [
        e for e in house.gateway.spool.pending(100, after=max(former, default=0)) if e.severity is Severity.CRITICAL
    ]
    assert [(e.what, e.where, e.outcome, e.who.user and e.who.user.id) for e in intents] == [
        ("device:unlock", "hall/front-door", Outcome.ASKED, MEMBER.user.id)
    ]
    status, _, _ = await ada.command("front-door", "lock")
    assert status == 200, "a safe action needs no confirmation"


async def test_a_session_that_just_ended_opens_no_door(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    await ada.command("lamp", "on")
    house.auth.sessions.clear()
    status, body, _ = await ada.command("front-door", "unlock", confirm=True)
    assert (status, body["type"]) == (401, "/problems/sign-in-required")
    assert [c.action for c in house.room.heard] == ["on"]


@pytest.mark.parametrize(
    ("device", "body", "status", "slug"),
    [
        ("lamp", {"action": "unlock"}, 409, "unknown-action"),
        ("dimmer", {"action": "set", "value": 101}, 422, "invalid-value"),
        ("dimmer", {"action": "set", "value": "high"}, 422, "invalid-value"),
        ("dimmer", {"action": "set"}, 422, "invalid-value"),
        ("lamp", {"action": "on", "id": "no spaces"}, 422, "invalid-value"),
        ("lamp", {"action": 1}, 422, "invalid-value"),
        ("lamp", {}, 422, "invalid-value"),
        ("lamp", [], 422, "invalid-value"),
        ("cellar", {"action": "on"}, 404, "unknown-device"),
        ("door-contact", {"action": "on"}, 409, "unknown-action"),
    ],
)
async def test_what_does_not_fit_is_never_sent(
    house: GatewayHouse, device: str, body: Any, status: int, slug: str
) -> None:
    ada = await house.visitor(MEMBER)
    found, problem, _ = await ada.post(f"/api/v1/devices/hall/{device}/commands", body)
    assert (found, problem["type"]) == (status, f"/problems/{slug}")
    assert house.room.heard == []


@pytest.mark.parametrize(
    ("data", "kind", "status", "slug"),
    [
        (b"not json", "application/json", 400, "malformed"),
        (b'{"x":' + b"[" * 60_000, "application/json", 422, "invalid-value"),
        (b"action=on", "application/x-www-form-urlencoded", 415, "unsupported-media-type"),
        (b"{" + b" " * 70_000 + b"}", "application/json", 413, "too-large"),
        (b"\xff", "application/json", 400, "malformed"),
    ],
)
async def test_a_body_that_is_none_is_refused(
    house: GatewayHouse, data: bytes, kind: str, status: int, slug: str
) -> None:
    ada = await house.visitor(MEMBER)
    found, problem, _ = await ada.post("/api/v1/devices/hall/lamp/commands", data=data, headers={"Content-Type": kind})
    assert (found, problem["type"]) == (status, f"/problems/{slug}")


# --- who may ---------------------------------------------------------------------------------------------------


async def test_a_guest_sees_and_moves_what_is_granted_and_nothing_else(house: GatewayHouse) -> None:
    guest = await house.visitor(GUEST)
    _, body, _ = await guest.get("/api/v1/devices")
    assert [(d["room"], d["id"]) for d in body["devices"]] == [("hall", "lamp")]
    _, body, _ = await guest.get("/api/v1/rooms")
    assert [[d["id"] for d in room["devices"]] for room in body["rooms"]] == [["lamp"]]
    assert (await guest.command("lamp", "on"))[0] == 200
    for path in ("/api/v1/devices/hall/front-door", "/api/v1/devices/hall/nothing"):
        status, body, _ = await guest.get(path)
        assert (status, body["type"]) == (404, "/problems/unknown-device")
    status, body, _ = await guest.command("front-door", "lock")
    assert (status, body["type"]) == (404, "/problems/unknown-device")
    assert [c.action for c in house.room.heard] == ["on"]
    _, _, _ = await guest.get("/api/v1/audit")
    assert house.alerts.queries[-1].scope == AuditScope(user=GUEST.user.id, places=("hall/lamp",))


async def test_without_a_session_nothing_is_told(house: GatewayHouse) -> None:
    stranger = await house.visitor()
    await stranger.fetch_token()
    for path in ("me", "rooms", "devices", "devices/hall/lamp", "events", "audit", "audit/export?format=csv"):
        status, body, _ = await stranger.get(f"/api/v1/{path}")
        assert (status, body["type"]) == (401, "/problems/sign-in-required"), path
    assert (await stranger.command("lamp", "on"))[0] == 401
    status, body, _ = await stranger.get("/api/v1/nothing")
    assert (status, body["type"]) == (404, "/problems/not-found")


# --- signing in ------------------------------------------------------------------------------------------------


async def test_the_cookie_and_the_token_are_renewed_at_sign_in(house: GatewayHouse) -> None:
    ada = await house.visitor()
    before = await ada.fetch_token()
    house.auth.people[MEMBER.user.email] = MEMBER
    await ada.post("/api/v1/login/code", {"email": MEMBER.user.email, "password": PASSWORD})
    status, body, response = await ada.post(
        "/api/v1/login", {"email": MEMBER.user.email, "password": PASSWORD, "code": CODE}
    )
    assert status == 200
    assert body["csrf_token"] != before
    assert body["user"] == {
        "id": MEMBER.user.id,
        "name": MEMBER.user.name,
        "email": MEMBER.user.email,
        "role": "member",
    }
    cookies = {c.split("=")[0]: c.lower() for c in response.headers.getall("Set-Cookie")}
    for name in ("__Host-session", "__Host-browser"):
        for word in ("secure", "httponly", "samesite=lax", "path=/"):
            assert word in cookies[name]
        assert "domain" not in cookies[name]
    status, _, _ = await ada.command("lamp", "on")
    assert status == 403, "the token from before the sign-in is over"
    ada.csrf = body["csrf_token"]
    assert (await ada.command("lamp", "on"))[0] == 200


async def test_a_code_serves_only_the_browser_that_asked(house: GatewayHouse) -> None:
    house.auth.people[MEMBER.user.email] = MEMBER
    ada, thief = await house.visitor(), await house.visitor()
    await ada.fetch_token()
    await thief.fetch_token()
    await ada.post("/api/v1/login/code", {"email": MEMBER.user.email, "password": PASSWORD})
    status, body, _ = await thief.post(
        "/api/v1/login", {"email": MEMBER.user.email, "password": PASSWORD, "code": CODE}
    )
    assert (status, body["type"]) == (401, "/problems/sign-in-failed")


async def test_signing_out_ends_session_and_streams(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    events = stream_events(ada)
    await next_event(events, "ready")
    status, _, _ = await ada.post("/api/v1/logout")
    assert status == 204
    assert len(house.auth.ended) == 1
    await end_of(events)
    assert (await ada.get("/api/v1/me"))[0] == 401


async def test_me_tells_who_i_am(house: GatewayHouse) -> None:
    guest = await house.visitor(GUEST)
    _, body, _ = await guest.get("/api/v1/me")
    assert body["user"]["role"] == "guest"
    assert body["grants"] == [{"room": "hall", "device": "lamp"}]


async def test_codes_are_refused_by_address_alone_and_not_to_a_browser_that_is_known(house: GatewayHouse) -> None:
    owner = await house.visitor(MEMBER)
    await owner.post("/api/v1/logout")
    await owner.fetch_token()
    stranger = await house.visitor()
    await stranger.fetch_token()
    answers = []
    for number in range(11):  # the owner's first sign-in, from the same address, was one of its ten
        email = MEMBER.user.email if number % 2 else "nobody@example.org"
        answers.append((await stranger.post("/api/v1/login/code", {"email": email, "password": "guess"}))[:2])
    accepted = (202, {"status": login._ON_ITS_WAY})
    assert answers[:9] == [accepted] * 9
    assert [status for status, _ in answers[9:]] == [429, 429]
    assert (await owner.post("/api/v1/login/code", {"email": MEMBER.user.email, "password": PASSWORD}))[0] == 202
    assert [asked.known != "" for asked in house.auth.asked[-2:]] == [False, True]
    assert house.auth.asked[-1].regulation == Regulation(letters=(Budget(5, 600),), wrong_passwords=(Budget(50, 3600),))


async def test_an_auth_service_that_is_away_is_told(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    await house.auth.stop()
    stranger = await house.visitor()
    await stranger.fetch_token()
    status, body, _ = await stranger.post("/api/v1/login/code", {"email": "a@b.c", "password": "p"})
    assert (status, body["type"]) == (503, "/problems/auth-unreachable")
    assert body["detail"] == CATALOGUE["auth-unreachable"].advice, "no address of the hub's inside"
    status, body, _ = await ada.command("front-door", "unlock", confirm=True)
    assert (status, body["type"]) == (503, "/problems/auth-unreachable")
    assert body["detail"] == CATALOGUE["auth-unreachable"].advice
    assert house.room.heard == []


async def test_without_the_auth_service_one_switches_off_and_on_no_more(
    house: GatewayHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "CACHE_SECONDS", -1.0)
    ada = await house.visitor(MEMBER)
    assert (await ada.get("/api/v1/me"))[0] == 200
    await house.auth.stop()
    status, body, _ = await ada.command("lamp", "on")
    assert (status, body["type"]) == (503, "/problems/auth-unreachable")
    assert (await ada.command("lamp", "off"))[0] == 200
    assert (await ada.get("/api/v1/devices"))[0] == 200
    house.gateway.sessions.forget((MEMBER.id,))
    assert (await ada.command("lamp", "off"))[0] == 503, "an end that was told is an end"


# --- protection ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "wrong"},
        {"Origin": ""},
        {"Origin": "null"},
        {"Origin": "https://evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "evil.example", "Origin": "https://evil.example"},
    ],
)
async def test_a_change_from_elsewhere_is_refused(house: GatewayHouse, headers: dict[str, str]) -> None:
    ada = await house.visitor(MEMBER)
    status, body, _ = await ada.post("/api/v1/devices/hall/lamp/commands", {"action": "on"}, headers=headers)
    assert (status, body["type"]) == (403, "/problems/csrf")
    assert house.room.heard == []


async def test_every_answer_carries_the_careful_headers(house: GatewayHouse) -> None:
    stranger = await house.visitor()
    for path in ("/healthz", "/api/v1/csrf", "/api/v1/me", "/api/v1/nothing", "/login", "/nothing"):
        _, _, response = await stranger.get(path)
        headers = response.headers
        assert headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
        assert "unsafe" not in headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
        assert "Server" not in headers
        assert "Access-Control-Allow-Origin" not in headers
        assert (headers.get("WWW-Authenticate") == "Bearer") is (response.status == 401)


async def test_what_is_no_http_learns_nothing_of_us(house: GatewayHouse) -> None:
    reader, writer = await asyncio.open_connection("localhost", house.home.settings.https_port, ssl=house.trusted)
    writer.write(b"GET /\x00 HTTP/9.9\r\n\r\n")
    async with asyncio.timeout(DEADLINE):
        answer = (await reader.read()).lower()
    writer.close()
    assert b" 400 " in answer.splitlines()[0]
    assert b"aiohttp" not in answer
    assert b"python" not in answer


async def test_other_origins_get_nothing_unless_listed_and_never_cookies(broker: Broker) -> None:
    listed, other = "https://panel.example.org", "https://evil.example"
    async with GatewayHouse(broker, edit=lambda text: text.replace("origins = []", f'origins = ["{listed}"]')) as house:
        visitor = await house.visitor()
        ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
        path = "/api/v1/devices/hall/lamp/commands"
        async with visitor.http.options(path, headers={"Origin": listed, **ask}) as response:
            assert response.status == 200
            assert response.headers["Access-Control-Allow-Origin"] == listed
            assert "Access-Control-Allow-Credentials" not in response.headers
        async with visitor.http.options(path, headers={"Origin": other, **ask}) as response:
            assert response.status == 403
            assert "Access-Control-Allow-Origin" not in response.headers
        for origin, allowed in ((listed, listed), (other, None)):
            for address, expected in (("/api/v1/devices", allowed), ("/api/v1/me", None)):  # what tokens open, and not
                _, _, response = await visitor.get(address, headers={"Origin": origin})
                assert response.headers.get("Access-Control-Allow-Origin") == expected
                assert "Access-Control-Allow-Credentials" not in response.headers


async def test_limits_refuse_with_a_time_and_never_a_safe_action(broker: Broker) -> None:
    def tight(text: str) -> str:
        return text.replace('commands = "120/minute"', 'commands = "2/minute"')

    async with GatewayHouse(broker, edit=tight) as house:
        ada = await house.visitor(MEMBER)
        assert [(await ada.command("lamp", "on"))[0] for _ in range(3)] == [200, 200, 429]
        status, body, response = await ada.command("lamp", "on")
        assert status == 429
        assert response.headers["Retry-After"] == str(body["retry_after"])
        assert (await ada.command("lamp", "off"))[0] == 200
        assert (await ada.command("front-door", "lock"))[0] == 200
        assert (await ada.get("/healthz"))[0] == 200


async def test_reads_are_limited_per_user(broker: Broker) -> None:
    async with GatewayHouse(
        broker, edit=lambda text: text.replace('reads = "300/minute"', 'reads = "4/minute"')
    ) as house:
        ada, ben = await house.visitor(MEMBER), await house.visitor(MASTER)
        assert [(await ada.get("/api/v1/me"))[0] for _ in range(5)] == [200, 200, 200, 200, 429]
        assert (await ben.get("/api/v1/me"))[0] == 200


# --- streams ---------------------------------------------------------------------------------------------------


async def test_a_stream_begins_with_the_home_and_follows_it(house: GatewayHouse) -> None:
    ada, ben = await house.visitor(MEMBER), await house.visitor(MASTER)
    events = stream_events(ada)
    description = await next_event(events, "description")
    assert [d["id"] for d in description["devices"]][:2] == ["front-door", "lamp"]
    assert await next_event(events, "availability") == {"room": "hall", "status": "online"}
    first = await next_event(events, "state")
    assert (first["device"], first["state"]["value"]) == ("front-door", "locked")
    await next_event(events, "ready")
    await ben.command("lamp", "on", id="from-ben")
    changed = await next_event(events, "state")
    assert (changed["device"], changed["state"]["value"]) == ("lamp", "on")
    told = await next_event(events, "command")
    assert told == {"id": "from-ben", "room": "hall", "device": "lamp", "outcome": "executed"}
    house.room.vanish()
    assert await next_event(events, "availability") == {"room": "hall", "status": "offline"}


async def test_a_stream_of_sums_tells_each_room_at_a_glance_and_no_device_of_a_room_that_nobody_opened(
    house: GatewayHouse,
) -> None:
    ada, guest = await house.visitor(MEMBER), await house.visitor(GUEST)
    whole, theirs = stream_events(ada, "/api/v1/events?rooms=&sums"), stream_events(guest, "/api/v1/events?rooms=&sums")
    begun = []
    async with asyncio.timeout(DEADLINE):
        async for name, body in whole:
            begun.append((name, body.get("room"), body.get("devices")))
            if name == "ready":
                break
    assert begun == [
        ("hello", None, None),
        ("lockdown", None, None),
        ("order", None, None),
        ("sum", "hall", 5),
        ("ready", None, None),
    ]
    granted = await next_event(theirs, "sum")
    assert (granted["devices"], granted["looks"]) == (1, {"off": {"count": 1, "device": "Lamp"}})
    await ada.command("front-door", "unlock", confirm=True)
    opened = await next_event(whole, "sum")
    assert opened["looks"]["unlocked"] == {"count": 1, "device": "Front door"}
    house.room.vanish()
    away = await next_event(whole, "sum")
    assert (away["status"], away["looks"]) == ("offline", {})


async def test_a_guests_stream_tells_what_is_granted_and_nothing_else(house: GatewayHouse) -> None:
    guest, ada = await house.visitor(GUEST), await house.visitor(MEMBER)
    events = stream_events(guest)
    seen = []
    async with asyncio.timeout(DEADLINE):
        async for name, body in events:
            seen.append((name, body.get("device"), [d["id"] for d in body.get("devices", [])]))
            if name == "ready":
                break
    assert seen == [
        ("hello", None, []),
        ("lockdown", None, []),
        ("order", None, []),
        ("description", None, ["lamp"]),
        ("availability", None, []),
        ("state", "lamp", []),
        ("ready", None, []),
    ]
    await ada.command("front-door", "unlock", confirm=True)
    await ada.command("lamp", "on", id="last")
    after = []
    async with asyncio.timeout(DEADLINE):
        async for name, body in events:
            after.append((name, body["device"]))
            if name == "command":
                break
    assert after == [("state", "lamp"), ("command", "lamp")]


async def test_a_grant_that_ended_is_felt_by_the_open_stream(house: GatewayHouse) -> None:
    guest, ada = await house.visitor(GUEST), await house.visitor(MEMBER)
    events = stream_events(guest)
    await next_event(events, "ready")
    token = next(t for t, info in house.auth.sessions.items() if info.user.role is Role.GUEST)
    house.auth.sessions[token] = session(Role.GUEST, Grant(room="hall", device="blind"))
    house.gateway.sessions.forget_all()  # as where the word on it was not heard
    await ada.command("lamp", "on")
    async with asyncio.timeout(DEADLINE):
        assert not [body async for _, body in events if body.get("device") == "lamp"], "it ends, and tells nothing more"
    events = stream_events(guest)
    await next_event(events, "ready")
    await ada.command("lamp", "off")
    await ada.command("blind", "open")
    assert (await next_event(events, "command"))["device"] == "blind"


async def test_a_session_that_the_auth_service_ended_loses_its_stream(house: GatewayHouse, broker: Broker) -> None:
    ada = await house.visitor(MEMBER)
    events = stream_events(ada)
    await next_event(events, "ready")
    house.auth.sessions.clear()
    bus = Bus(broker.config("auth"), subscriptions=(), on_message=lambda _d: None)
    running = asyncio.create_task(bus.run())
    await house.until(lambda: bus.connected, "the auth service's bus is connected")
    await bus.publish(topics.REVOKED, messages.Revoked(sessions=(MEMBER.id,)))
    await end_of(events)
    assert (await ada.get("/api/v1/me"))[0] == 401
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_one_stream_too_many_ends_the_oldest_and_no_other(house: GatewayHouse) -> None:
    ada, ben = await house.visitor(MEMBER), await house.visitor(MASTER)
    streams = [stream_events(ada) for _ in range(MOST_STREAMS + 1)]
    bens = stream_events(ben)
    await next_event(bens, "ready")
    for events in streams:
        await next_event(events, "ready")
    await end_of(streams[0])
    await ada.command("lamp", "on", id="for-all")
    for events in (*streams[1:], bens):
        assert (await next_event(events, "command"))["id"] == "for-all"
        await events.aclose()


async def test_a_stream_tells_the_hubs_time_and_so_does_a_read(
    house: GatewayHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_events, "HEARTBEAT_SECONDS", 0.05)
    ada = await house.visitor(MEMBER)
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    events = stream_events(ada)
    names = ("hello", "heartbeat", "heartbeat")
    told = [datetime.fromisoformat((await next_event(events, name))["now"]) for name in names]
    status, body, _ = await ada.get("/api/v1/time")
    assert status == 200
    told.append(datetime.fromisoformat(body["now"]))
    assert [before, *told] == sorted([before, *told])
    assert told[-1] <= datetime.now(UTC) + timedelta(milliseconds=1)
    await events.aclose()
    await house.until(
        lambda: not house.gateway.hub._clients, "a stream whose client went is over at the next heartbeat"
    )
    stranger = await house.visitor()
    assert (await stranger.get("/api/v1/time"))[0] == 401


async def test_a_stream_is_narrowed_to_rooms(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    here, elsewhere = (stream_events(ada, f"/api/v1/events?rooms={room}") for room in ("hall", "garage"))
    heard: list[list[str]] = []
    for events in (here, elsewhere):
        heard.append([])
        async with asyncio.timeout(DEADLINE):
            async for name, _ in events:
                heard[-1].append(name)
                if name == "ready":
                    break
    assert {"description", "availability", "state"} <= set(heard[0])
    assert heard[1] == ["hello", "lockdown", "ready"]
    await ada.command("lamp", "on", id="here")
    assert (await next_event(here, "command"))["id"] == "here"
    for events in (here, elsewhere):
        await events.aclose()
    assert (await ada.get("/api/v1/events?rooms=no/room"))[0] == 400


async def test_stopping_ends_streams_and_waiting_commands_at_once(house: GatewayHouse) -> None:
    ada, ben = await house.visitor(MEMBER), await house.visitor(MASTER)
    events = stream_events(ada)
    await next_event(events, "ready")
    house.room.answer = lambda _d, _c: None
    asked = asyncio.create_task(ben.command("lamp", "on"))
    await asyncio.to_thread(house.room.wait_for, 1)
    await asyncio.wait_for(house.stop(), DEADLINE)
    await end_of(events)
    assert (await asked)[0] == 504


# --- the broker goes and comes -----------------------------------------------------------------------------------


async def test_a_broker_that_dies_makes_all_unknown_and_heals(house: GatewayHouse, broker: Broker) -> None:
    ada = await house.visitor(MEMBER)
    events = stream_events(ada)
    await next_event(events, "ready")
    broker.kill()
    try:
        assert await next_event(events, "availability") == {"room": "hall", "status": "unknown"}
        status, body, _ = await ada.command("lamp", "on")
        assert (status, body["type"]) == (503, "/problems/broker-unreachable")
        assert (await ada.get("/readyz"))[0] == 503
    finally:
        house.room.vanish()
        broker.start()
    await house.until(lambda: house.gateway.bus.connected, "the gateway is back")
    house.room.start()
    while (await next_event(events, "availability"))["status"] != "online":
        pass  # the broker may remember an earlier goodbye
    assert (await ada.command("lamp", "on"))[0] == 200


async def test_ready_says_when_a_command_would_be_carried_out(house: GatewayHouse) -> None:
    stranger = await house.visitor()
    status, text, _ = await stranger.get("/healthz")
    assert (status, text) == (200, b"ok\n")
    status, text, _ = await stranger.get("/readyz")
    assert (status, text) == (200, b"ready\n")
    await house.auth.stop()
    assert await ready_after_a_second(stranger) == 503
    assert (await stranger.get("/healthz"))[0] == 200


async def ready_after_a_second(visitor: Visitor) -> int:
    """What /readyz says once all that it may still remember is a second old; it answers within another."""
    await asyncio.sleep(1.0)
    async with asyncio.timeout(DEADLINE):
        status: int = (await visitor.get("/readyz"))[0]
    return status


async def until_ready(visitor: Visitor) -> None:
    async with asyncio.timeout(DEADLINE):
        while (await visitor.get("/readyz"))[0] != 200:
            await woken(asyncio.Event(), 0.25)  # reads are counted


async def test_a_broker_that_is_frozen_makes_it_unready_although_its_link_stands(
    house: GatewayHouse, broker: Broker
) -> None:
    stranger = await house.visitor()
    assert (await stranger.get("/readyz"))[0] == 200
    broker.freeze()
    try:
        assert await ready_after_a_second(stranger) == 503
    finally:
        broker.thaw()
    await until_ready(stranger)


async def test_an_auth_service_that_is_frozen_makes_it_unready(house: GatewayHouse) -> None:
    stranger = await house.visitor()
    house.auth.free.clear()
    try:
        assert await ready_after_a_second(stranger) == 503
    finally:
        house.auth.free.set()
    await until_ready(stranger)


async def test_a_spool_that_takes_no_proof_makes_it_unready(
    house: GatewayHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_spool: Spool) -> int:
        raise HomeError("no-proof", "the spool's disk is mounted read-only")

    stranger = await house.visitor()
    with monkeypatch.context() as patched:
        patched.setattr(Spool, "space", full)
        assert await ready_after_a_second(stranger) == 503
    await until_ready(stranger)


async def test_a_room_that_nobody_enrolled_is_not_shown(house: GatewayHouse) -> None:
    ada = await house.visitor(MEMBER)
    house.auth.rooms.clear()
    house.auth.enrolled.clear()
    await house.gateway.registrar.refresh()
    _, body, _ = await ada.get("/api/v1/devices")
    assert body == {"devices": []}
    assert (await ada.command("lamp", "on"))[0] == 404
    assert (await ada.get("/readyz"))[0] == 503


# --- the request log ---------------------------------------------------------------------------------------------


async def test_the_log_names_every_request_and_no_secret(house: GatewayHouse, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO")
    ada = await house.visitor(MEMBER)
    await ada.command("lamp", "on")
    await ada.get("/api/v1/me?token=query-secret")
    stranger = await house.visitor()
    await stranger.fetch_token()
    await stranger.post("/api/v1/login", {"email": "ada@example.org", "password": "hunter22", "code": "ZZZZ-ZZZZ"})
    lines = [(r.getMessage(), getattr(r, "facts", {})) for r in caplog.records]
    requests = [f for message, f in lines if message == "Request" and f["path"].startswith("/api")]
    commands = [f for f in requests if f["path"].endswith("/commands")]
    assert [(f["user"], f["address"], f["method"], f["status"]) for f in commands] == [
        (MEMBER.user.id, "127.0.0.1", "POST", 200)
    ]
    assert ("Sign-in failed", {"event": "sign_in_failed", "address": "127.0.0.1"}) in lines
    written = caplog.text + repr(lines)
    secrets = [PASSWORD, CODE, "hunter22", "ZZZZ-ZZZZ", "query-secret", ada.csrf, *house.auth.sessions]
    secrets += [cookie.value for cookie in ada.http.cookie_jar]
    assert [secret for secret in secrets if secret in written] == []


async def test_whoever_is_refused_stands_in_the_log_once(broker: Broker, caplog: pytest.LogCaptureFixture) -> None:
    async with GatewayHouse(broker, edit=lambda text: text.replace('reads = "300/', 'reads = "3/')) as house:
        ada, guest = await house.visitor(MEMBER), await house.visitor(GUEST)
        caplog.clear()
        assert (await ada.lock_out("lamp"))[0] == 403
        assert (await ada.get("/users"))[0] == 403
        assert (await guest.command("front-door", "unlock"))[0] == 404
        assert (await guest.command("no-such-thing", "on"))[0] == 404
        path = "/api/v1/devices/hall/lamp/commands"
        assert (await ada.post(path, {"action": "on"}, headers={"Origin": "https://elsewhere.example"}))[0] == 403
        while (await ada.get("/api/v1/me"))[0] != 429:
            pass
        told = [record.__dict__["facts"] for record in caplog.records if record.name == "security"]
    for one in told:
        assert one.pop("address") == "127.0.0.1"
    who = {"user": MEMBER.user.id}
    assert told == [
        {"event": "forbidden", **who, "method": "PUT", "path": "/api/v1/devices/hall/lamp/lockout"},
        {"event": "forbidden", **who, "method": "GET", "path": "/users"},
        {"event": "forbidden", "user": GUEST.user.id, "room": "hall", "device": "front-door"},
        {"event": "csrf_refused", **who, "method": "POST", "path": path},
        {"event": "rate_limited", "limit": "reads", "key": f"user:{MEMBER.user.id}"},
    ]
