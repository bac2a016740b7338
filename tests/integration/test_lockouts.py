"""Lock-outs as browsers and programs meet them at the real gateway, on a real broker."""

import asyncio
from collections.abc import AsyncIterator

import msgspec
import pytest

from shared.broker.bus import Bus
from shared.words import messages, topics
from shared.words.internal import Grant
from shared.words.names import Role
from tests.house import Broker
from tests.integration.gateway_parts import GatewayHouse, next_event, stream_events
from tests.unit.gateway.parts import DEVICES, HALL, LAMP, NOW, session

MASTER = session(Role.MASTER)
MEMBER = session(Role.MEMBER)
GUEST = session(Role.GUEST, Grant(room="hall", device="lamp"))


@pytest.fixture
async def house(broker: Broker) -> AsyncIterator[GatewayHouse]:
    async with GatewayHouse(broker) as made:
        yield made


async def test_the_master_user_locks_out_and_lifts_and_the_device_shows_it(house: GatewayHouse) -> None:
    master, member = await house.visitor(MASTER), await house.visitor(MEMBER)
    _, before, _ = await member.get("/api/v1/devices/hall/lamp")
    assert "locked_out" not in before
    for _ in range(2):
        status, body, _ = await master.lock_out("lamp")
        assert (status, body["id"], body["locked_out"], body["lockout_by"]) == (200, "lamp", True, "master")
    told = house.auth.lockouts[0]
    assert (told[0], told[1].by, told[1].address) == ("hall/lamp", MASTER.user.id, "127.0.0.1")
    status, body, _ = await member.command("lamp", "on")
    assert (status, body["type"], body["reason"]) == (409, "/problems/locked-out", "locked-out")
    assert body["detail"] == "Only off works until the master user lifts the lock-out."
    assert (await member.command("lamp", "off"))[0] == 200
    status, body, _ = await master.lock_out("lamp", locked_out=False)
    assert (status, "locked_out" in body) == (200, False)
    assert (await member.command("lamp", "on"))[0] == 200
    assert [command.action for command in house.room.heard] == ["off", "on"], "nothing else was sent"


async def test_others_may_not_and_learn_of_nothing_that_they_may_not_see(house: GatewayHouse) -> None:
    member, guest = await house.visitor(MEMBER), await house.visitor(GUEST)
    for visitor in (member, guest):
        status, body, _ = await visitor.lock_out("lamp")
        assert (status, body["type"]) == (403, "/problems/forbidden")
    for visitor, device in ((guest, "front-door"), (guest, "nothing"), (member, "nothing")):
        status, body, _ = await visitor.lock_out(device)
        assert (status, body["type"]) == (404, "/problems/unknown-device")
    stranger = await house.visitor()
    await stranger.fetch_token()
    assert (await stranger.lock_out("lamp"))[0] == 401
    assert house.auth.lockouts == []


async def test_a_change_without_token_or_sense_is_refused(house: GatewayHouse) -> None:
    master = await house.visitor(MASTER)
    assert (await master.lock_out("lamp", headers={"X-CSRF-Token": "x"}))[0] == 403
    assert (await master.lock_out("lamp", headers={"Origin": "https://evil.example"}))[0] == 403
    for value in ("true", 1, None):
        status, body, _ = await master.lock_out("lamp", locked_out=value)
        assert (status, body["type"]) == (422, "/problems/invalid-value")
    assert house.auth.lockouts == []


async def test_a_session_that_just_ended_lifts_nothing(house: GatewayHouse) -> None:
    master = await house.visitor(MASTER)
    await master.lock_out("lamp")
    house.auth.sessions.clear()
    status, body, _ = await master.lock_out("lamp", locked_out=False)
    assert (status, body["type"]) == (401, "/problems/sign-in-required")
    assert house.auth.locked_out == {"hall/lamp"}


async def test_limits_hold_up_lifting_and_never_locking_out(broker: Broker) -> None:
    def tight(text: str) -> str:
        return text.replace('commands = "120/minute"', 'commands = "1/minute"')

    async with GatewayHouse(broker, edit=tight) as house:
        master, member = await house.visitor(MASTER), await house.visitor(MEMBER)
        assert [(await master.lock_out("lamp", locked_out=False))[0] for _ in range(2)] == [200, 429]
        assert [(await master.lock_out("lamp"))[0] for _ in range(2)] == [200, 200]
        assert [(await member.lock_out("lamp"))[0] for _ in range(2)] == [403, 429]


async def test_what_the_rooms_own_file_locks_out_is_not_lifted_from_the_hub(house: GatewayHouse) -> None:
    master = await house.visitor(MASTER)
    lamp = msgspec.structs.replace(LAMP, lockout=True)
    others = tuple(device for device in DEVICES if device.id != "lamp")
    house.room.publish(topics.description("hall"), msgspec.structs.replace(HALL, devices=(lamp, *others)))
    await house.until(lambda: house.gateway.home.description("hall") != HALL, "the room described itself anew")
    _, body, _ = await master.get("/api/v1/devices/hall/lamp")
    assert (body["locked_out"], body["lockout_by"], body["lockout"]) == (True, "room", True)
    status, body, _ = await master.lock_out("lamp", locked_out=False)
    assert (status, body["type"]) == (409, "/problems/locked-out")
    assert body["detail"] == "It is set in the room's own file, and lifted there."
    assert (await master.command("lamp", "on"))[0] == 409
    assert (await master.command("lamp", "off"))[0] == 200


async def test_open_pages_hear_of_it_at_once(house: GatewayHouse) -> None:
    master, guest = await house.visitor(MASTER), await house.visitor(GUEST)
    events = stream_events(guest)
    await next_event(events, "ready")
    await master.lock_out("lamp")
    (lamp,) = (await next_event(events, "description"))["devices"]
    assert (lamp["locked_out"], lamp["lockout_by"]) == (True, "master")
    await master.lock_out("front-door")
    await master.lock_out("lamp", locked_out=False)
    while "locked_out" in (await next_event(events, "description"))["devices"][0]:
        pass  # of the front door the guest hears that the room changed, and no more


async def test_what_another_gateway_changed_is_heard_from_the_broker(house: GatewayHouse, broker: Broker) -> None:
    member = await house.visitor(MEMBER)
    events = stream_events(member)
    await next_event(events, "ready")
    house.auth.lock_out("hall", "lamp", locked_out=True)
    bus = Bus(broker.config("auth"), subscriptions=(), on_message=lambda _d: None)
    running = asyncio.create_task(bus.run())
    await house.until(lambda: bus.connected, "the auth service's bus is connected")
    assert await bus.publish(topics.LOCKOUTS, messages.Lockouts(devices=("hall/lamp",), at=NOW)) < 128
    described = await next_event(events, "description")
    assert next(d["lockout_by"] for d in described["devices"] if d["id"] == "lamp") == "master"
    assert (await member.command("lamp", "on"))[0] == 409
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
