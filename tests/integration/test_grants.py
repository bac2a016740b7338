"""What the master user lets a guest do, at the gateway: asked for, refused, and felt by what is open at once."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from shared.broker.bus import Bus
from shared.words import messages, topics
from shared.words.internal import Grant
from shared.words.names import Action, Role
from tests.house import DEADLINE, Broker
from tests.integration.gateway_parts import GatewayHouse, next_event, stream_events
from tests.unit.gateway.parts import session

MASTER = session(Role.MASTER)
MEMBER = session(Role.MEMBER)
LAMP = Grant(room="hall", device="lamp")
GUEST = session(Role.GUEST, LAMP)
PATH = f"/api/v1/users/{GUEST.user.id}/grants"


@pytest.fixture
async def house(broker: Broker) -> AsyncIterator[GatewayHouse]:
    async with GatewayHouse(broker) as made:
        yield made


async def devices_of(events: AsyncIterator[tuple[str, dict[str, object]]]) -> list[str]:
    """The devices in the snapshot of a stream."""
    found: list[str] = []
    async with asyncio.timeout(DEADLINE):
        async for name, body in events:
            if name == "description":
                devices = body["devices"]
                assert isinstance(devices, list)
                found += [one["id"] for one in devices]
            if name == "ready":
                break
    return found


async def test_the_master_user_replaces_what_a_guest_may_do_and_open_streams_feel_it(house: GatewayHouse) -> None:
    ada, guest = await house.visitor(MASTER), await house.visitor(GUEST)
    status, body, _ = await ada.get("/api/v1/users")
    assert (status, [row["user"]["role"] for row in body["users"]]) == (200, ["master", "guest"])
    before = stream_events(guest)
    assert await devices_of(before) == ["lamp"]
    wanted = {"room": "hall", "device": "blind", "actions": ["open"], "until": "2999-12-24T18:00:00+01:00"}
    status, body, _ = await ada.put(PATH, {"grants": [wanted]})
    assert status == 200, body
    assert (body["grants"], body["user"]["id"]) == ([wanted], GUEST.user.id)
    assert body["devices"] == [{"room": "hall", "device": "blind", "holds": True, "changes": "2999-12-24T17:00:00Z"}]
    assert (await ada.get(PATH))[1]["devices"] == body["devices"]
    (asked,) = house.auth.granted
    assert (asked.by, asked.address, asked.instead_of) == (MASTER.user.id, "127.0.0.1", None)
    async with asyncio.timeout(DEADLINE):
        assert [name async for name, _ in before if name != "heartbeat"] == []
    assert await devices_of(stream_events(guest)) == ["blind"]
    assert (await guest.command("lamp", "on"))[0] == 404
    status, body, _ = await guest.command("blind", "close")
    assert (status, body["type"]) == (403, "/problems/forbidden")
    assert (await guest.command("blind", "open"))[0] == 200
    assert [one["actions"] for one in (await guest.get("/api/v1/devices"))[1]["devices"]] == [[Action.OPEN]]


async def test_what_another_gateway_or_the_hub_changed_ends_streams_here(house: GatewayHouse, broker: Broker) -> None:
    guest, ada = await house.visitor(GUEST), await house.visitor(MASTER)
    theirs, ours = stream_events(guest), stream_events(ada)
    assert await devices_of(theirs) == ["lamp"]
    await next_event(ours, "ready")
    house.auth.grant(GUEST.user.id)
    bus = Bus(broker.config("auth"), subscriptions=(), on_message=lambda _d: None)
    running = asyncio.create_task(bus.run())
    await house.until(lambda: bus.connected, "the auth service's bus is connected")
    await bus.publish(topics.REVOKED, messages.Revoked(sessions=(), users=(GUEST.user.id,)))
    async with asyncio.timeout(DEADLINE):
        assert [name async for name, _ in theirs if name != "heartbeat"] == []
    assert await devices_of(stream_events(guest)) == []
    assert (await guest.command("lamp", "on"))[0] == 404
    await ada.command("lamp", "on", id="goes-on")
    assert (await next_event(ours, "command"))["id"] == "goes-on"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"grants": [{"room": "hall"}]}, "grants[0].device"),
        ({"grants": [{"room": "hall", "device": "lamp", "till": "noon"}]}, "grants[0].till"),
        ({"grants": [{"room": "hall", "device": "lamp", "actions": ["fly"]}]}, "grants[0].actions[0]"),
        ({"grants": [{"room": "hall", "device": "lamp", "until": "noon"}]}, "grants[0].until"),
        ({"grants": {}}, "grants"),
        ({"grants": [], "also": 1}, "also"),
        ({}, "grants"),
    ],
)
async def test_what_cannot_be_meant_names_its_field(house: GatewayHouse, body: object, field: str) -> None:
    ada = await house.visitor(MASTER)
    status, problem, _ = await ada.put(PATH, body)
    assert (status, problem["type"], problem["field"]) == (422, "/problems/invalid-value", field)
    assert house.auth.granted == []


async def test_nobody_else_sees_or_changes_it(house: GatewayHouse) -> None:
    nobody, member, guest = await house.visitor(), await house.visitor(MEMBER), await house.visitor(GUEST)
    await nobody.fetch_token()
    for visitor, status in ((nobody, 401), (member, 403), (guest, 403)):
        for path in ("/api/v1/users", PATH):
            assert (await visitor.get(path))[0] == status
        assert (await visitor.put(PATH, {"grants": []}))[0] == status
    assert house.auth.granted == []


async def test_only_guests_have_grants(house: GatewayHouse) -> None:
    ada = await house.visitor(MASTER)
    for user in (MASTER.user.id, "nobody"):
        assert (await ada.get(f"/api/v1/users/{user}/grants"))[0] == 404
