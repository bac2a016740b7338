"""A lockdown as browsers and programs meet it at the real gateway, on a real broker."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest

from shared.broker.bus import Bus
from shared.words import messages, topics
from shared.words.internal import Grant, LockdownState
from shared.words.names import Role
from tests.house import DEADLINE, Broker
from tests.integration.gateway_parts import CODE, PASSWORD, GatewayHouse, next_event, stream_events
from tests.integration.test_gateway import end_of
from tests.unit.gateway.parts import session

MASTER = session(Role.MASTER)
MEMBER = session(Role.MEMBER)
GUEST = session(Role.GUEST, Grant(room="hall", device="lamp"))
ADDRESS = "/api/v1/lockdown"


@pytest.fixture
async def house(broker: Broker) -> AsyncIterator[GatewayHouse]:
    async with GatewayHouse(broker) as made:
        yield made


@contextlib.asynccontextmanager
async def auth_bus(house: GatewayHouse, broker: Broker) -> AsyncIterator[Bus]:
    """The auth service's own connection; what it retained is cleared in the end."""
    bus = Bus(broker.config("auth"), subscriptions=(), on_message=lambda _d: None)
    running = asyncio.create_task(bus.run())
    await house.until(lambda: bus.connected, "the auth service's bus is connected")
    yield bus
    await bus.send(topics.LOCKDOWN, b"", retain=True)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_code_locks_the_home_down_and_another_ends_it(house: GatewayHouse) -> None:
    master, member = await house.visitor(MASTER), await house.visitor(MEMBER)
    assert (await member.get(ADDRESS))[1] == {"active": False}
    events = stream_events(member)
    assert await next_event(events, "lockdown") == {"active": False}
    await next_event(events, "ready")
    assert (await master.post(f"{ADDRESS}/code"))[0] == 202
    status, body, response = await master.put(ADDRESS, {"active": True, "code": CODE})
    assert (status, body["active"], "since" in body) == (200, True, True)
    assert "__Host-session" in response.headers.get("Set-Cookie", "")
    wanted = house.auth.lockdowns[-1]
    assert (wanted.active, wanted.code, wanted.address) == (True, CODE, "127.0.0.1")
    for visitor in (master, member):
        assert (await visitor.get("/api/v1/me"))[0] == 401
    assert "state" not in await end_of(events), "the stream ends and tells nothing more"

    await member.sign_in(MEMBER.user.email)
    await master.sign_in(MASTER.user.email)
    assert (await member.get(ADDRESS))[1]["active"] is True
    for device, action in (("lamp", "on"), ("front-door", "unlock"), ("blind", "open")):
        status, body, _ = await member.command(device, action, id=f"c-{device}")
        told = {name: body[name] for name in ("type", "id", "outcome", "reason")}
        refused = {"type": "/problems/lockdown", "id": f"c-{device}", "outcome": "rejected", "reason": "lockdown"}
        assert (status, told) == (409, refused)
    for device, action in (("lamp", "off"), ("front-door", "lock"), ("blind", "stop")):
        assert (await member.command(device, action))[0] == 200
    assert [command.action for command in house.room.heard] == ["off", "lock", "stop"], "nothing else was sent"

    status, body, _ = await member.put(ADDRESS, {"active": False, "code": CODE, "password": PASSWORD})
    assert (status, body["type"]) == (403, "/problems/forbidden")
    assert (await member.post(f"{ADDRESS}/code"))[0] == 403
    events = stream_events(member)
    assert (await next_event(events, "lockdown"))["active"] is True
    await next_event(events, "ready")
    await master.post(f"{ADDRESS}/code")
    status, body, _ = await master.put(ADDRESS, {"active": False, "code": CODE, "password": PASSWORD})
    assert (status, body) == (200, {"active": False})
    assert await next_event(events, "lockdown") == {"active": False}, "open pages hear of it at once"
    assert (await member.command("lamp", "on"))[0] == 200
    assert (await master.get("/api/v1/me"))[0] == 200


async def test_who_may_not_is_refused_before_anything_is_asked(house: GatewayHouse) -> None:
    guest, stranger = await house.visitor(GUEST), await house.visitor()
    await stranger.fetch_token()
    assert (await guest.get(ADDRESS))[1] == {"active": False}
    for visitor, expected in ((guest, 403), (stranger, 401)):
        assert (await visitor.post(f"{ADDRESS}/code"))[0] == expected
        for active in (True, False):
            assert (await visitor.put(ADDRESS, {"active": active, "code": CODE}))[0] == expected
    assert (await stranger.get(ADDRESS))[0] == 401
    assert house.auth.lockdowns == []


async def test_a_change_without_token_or_sense_is_refused(house: GatewayHouse) -> None:
    master = await house.visitor(MASTER)
    await master.post(f"{ADDRESS}/code")
    for headers in ({"X-CSRF-Token": "x"}, {"Origin": "https://evil.example"}):
        assert (await master.put(ADDRESS, {"active": True, "code": CODE}, headers=headers))[0] == 403
        assert (await master.post(f"{ADDRESS}/code", headers=headers))[0] == 403
    for body in ({}, {"active": "true"}, {"active": True, "code": 1}, {"active": True, "code": "x" * 33}):
        status, problem, _ = await master.put(ADDRESS, body)
        assert (status, problem["type"]) == (422, "/problems/invalid-value")
    assert house.auth.lockdowns == []
    status, problem, _ = await master.put(ADDRESS, {"active": True, "code": "AAAA-2222"})
    assert (status, problem["type"]) == (403, "/problems/confirmation-failed")


async def test_limits_are_each_sessions_own(broker: Broker) -> None:
    def tight(text: str) -> str:
        assert text.count("lockdown") == 2
        return text.replace('lockdown_code = "5/10 minute"', 'lockdown_code = "1/10 minute"').replace(
            'lockdown = "20/10 minute"', 'lockdown = "2/10 minute"'
        )

    async with GatewayHouse(broker, edit=tight) as house:
        thief, owner = await house.visitor(MASTER), await house.visitor(session(Role.MASTER, number=2))
        assert [(await thief.post(f"{ADDRESS}/code"))[0] for _ in range(2)] == [202, 429]
        tries = [await thief.put(ADDRESS, {"active": True, "code": "AAAA-2222"}) for _ in range(3)]
        assert [status for status, _, _ in tries] == [403, 403, 429]
        assert tries[-1][1]["retry_after"] > 0
        assert (await owner.post(f"{ADDRESS}/code"))[0] == 202
        assert (await owner.put(ADDRESS, {"active": True, "code": CODE}))[0] == 200


async def test_a_word_on_the_broker_begins_it_at_once_and_alone_ends_nothing(
    house: GatewayHouse, broker: Broker
) -> None:
    member = await house.visitor(MEMBER)
    events = stream_events(member)
    await next_event(events, "ready")
    began = datetime.now(UTC)
    async with auth_bus(house, broker) as bus:
        house.auth.lockdown = LockdownState(active=True, at=began)
        await bus.publish(topics.LOCKDOWN, messages.Lockdown(active=True, at=began))
        assert (await next_event(events, "lockdown"))["active"] is True
        for later in (-60, 60):
            await bus.publish(topics.LOCKDOWN, messages.Lockdown(active=False, at=began + timedelta(seconds=later)))
            await bus.publish(topics.REVOKED, messages.Revoked(sessions=(f"mark{later}",)))
            await house.until(partial(house.gateway.sessions._ended.__contains__, f"mark{later}"), "it heard both")
            assert (await member.command("lamp", "on"))[0] == 409
        house.auth.lockdown = LockdownState(active=False, at=began + timedelta(seconds=61))
        await bus.publish(topics.LOCKDOWN, messages.Lockdown(active=False, at=began + timedelta(seconds=61)))
        assert (await next_event(events, "lockdown"))["active"] is False
        assert (await member.command("lamp", "on"))[0] == 200


async def test_a_gateway_that_starts_during_a_lockdown_knows_of_it_without_the_brokers_word(broker: Broker) -> None:
    made = GatewayHouse(broker)
    made.auth.lockdown = LockdownState(active=True, at=datetime.now(UTC))
    async with made as house:
        member = await house.visitor(MEMBER)
        assert (await member.command("lamp", "on"))[0] == 409
        assert house.room.heard == []


async def test_what_changed_while_the_link_was_down_is_asked_for_at_the_next(
    house: GatewayHouse, broker: Broker
) -> None:
    member = await house.visitor(MEMBER)
    assert (await member.command("lamp", "on"))[0] == 200
    broker.kill()
    (broker.home.mosquitto / "mosquitto.db").unlink(missing_ok=True)  # so that nothing is retained
    await house.until(lambda: not house.gateway.bus.connected, "the link is lost")
    house.auth.lockdown = LockdownState(active=True, at=datetime.now(UTC))
    broker.start()
    async with asyncio.timeout(DEADLINE):
        await house.until(lambda: house.gateway.home.lockdown.active, "the gateway asked")
    house.room.vanish()
    house.room.start()
    await house.until(lambda: house.gateway.home.status("hall") == "online", "the room is online")
    assert (await member.command("lamp", "on"))[0] == 409
