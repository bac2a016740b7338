"""A lockdown from the auth service to the rooms: real broker, real auth service, real agent, killed in turn."""

import asyncio
import signal
import subprocess
import time
from collections.abc import AsyncIterator, Iterator

import pytest

from deploy.folder import home as homes
from shared.door.client import ServiceClient
from shared.words import internal, messages, topics
from shared.words.internal import LockdownChange, LockdownCodeRequest, LockdownState
from shared.words.messages import Lockdown, Revoked, utc
from shared.words.problem import HomeError
from tests.house import DEADLINE, Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room, Said, audit_events
from tests.integration.test_auth import EMAIL, NONE, PASSWORD, Service, letter, service, sign_in, verify

__all__ = ["service"]

DEVICES = """
[[devices]]
id = "lamp"
name = "Lamp"
kind = "switch"
pin = 17

[[devices]]
id = "front-door"
name = "Front door"
kind = "lock"
pin = 27
critical = true
confirm = true

[[devices]]
id = "blind"
name = "Blind"
kind = "cover"
pins = [5, 6]
travel_time = 30

[[devices]]
id = "vent"
name = "Smoke vent"
kind = "switch"
pin = 22
safe_actions = ["on"]
"""
LOCKED = ("rejected", "lockdown")
DONE = ("executed", None)


@pytest.fixture(scope="module")
def hall(home: homes.Home) -> Iterator[Room]:
    """A lamp, a door, a blind, and a vent that its own file calls safe to open."""
    made = Room(home)
    made.furnish(DEVICES)
    yield made
    made.stop(signal.SIGKILL)


@pytest.fixture
def gateway_ear(broker: Broker) -> Iterator[Client]:
    """The gateway's connection: it commands, and hears what rooms and the hub say."""
    with Client(broker, "gateway", *GATEWAY_HEARS, topics.REVOKED, topics.LOCKDOWN) as ear:
        yield ear


@pytest.fixture
def room(hall: Room, service: Service, gateway_ear: Client) -> Room:
    """The hall, online, with a gateway that it knows."""
    if hall.process is None:
        hall.online(gateway_ear)
    gateway_ear.heartbeat()
    return hall


@pytest.fixture
async def gateway(service: Service) -> AsyncIterator[ServiceClient]:
    """Calls to the auth service as the gateway makes them."""
    async with service.client("gateway") as client:
        yield client


async def code(service: Service, gateway: ServiceClient, token: str) -> str:
    before = len([x for x in service.sink.letters if EMAIL in str(x["To"])])
    await gateway.call("POST", internal.LOCKDOWN_CODE, NONE, LockdownCodeRequest(token=token, address="192.0.2.7"))
    return await letter(service, before + 1)


async def change(gateway: ServiceClient, token: str, typed: str, *, active: bool) -> LockdownState:
    wanted = LockdownChange(token=token, active=active, code=typed, password=PASSWORD, address="192.0.2.7")
    return await gateway.call("PUT", internal.LOCKDOWN, LockdownState, wanted)


def word(ear: Client, *, active: bool) -> Lockdown:
    """Wait for this word on `system/lockdown`."""

    def fits(said: Said) -> Lockdown | None:
        if said.topic != topics.LOCKDOWN:
            return None
        told = messages.decode(Lockdown, said.payload)
        return told if told.active is active else None

    found = ear.wait_for(f"the word that a lockdown is {'on' if active else 'over'}", fits)
    assert isinstance(found, Lockdown)
    return found


def retained(broker: Broker, expected: LockdownState) -> None:
    """Wait until whoever connects hears this."""

    def says() -> bool:
        heard = subprocess.run(
            broker.tool("mosquitto_sub", "kitchen", "-t", topics.LOCKDOWN, "-C", "1", "-W", "1"),
            capture_output=True,
            timeout=DEADLINE,
            check=False,
        ).stdout.strip()
        return bool(heard) and messages.decode(Lockdown, heard).active is expected.active

    until(says, f"the broker retains {expected}")


def refuses_and_obeys(ear: Client) -> None:
    """What a room does in a lockdown, for a gateway."""
    for device, action in (("lamp", "on"), ("front-door", "unlock"), ("blind", "open"), ("blind", "close")):
        assert ear.command(device, action) == LOCKED, (device, action)
    for device, action in (("lamp", "off"), ("front-door", "lock"), ("blind", "stop"), ("vent", "on"), ("vent", "off")):
        assert ear.command(device, action) == DONE, (device, action)


@pytest.fixture
async def locked_down(service: Service, room: Room, gateway: ServiceClient, gateway_ear: Client) -> AsyncIterator[str]:
    """A lockdown that the master user began; the token of the session that was ended by it. It is over in the end."""
    answer = await sign_in(service, gateway)
    gateway_ear.forget()
    began = await change(gateway, answer.token, await code(service, gateway, answer.token), active=True)
    assert began.active
    assert (await asyncio.to_thread(word, gateway_ear, active=True)).at == began.at
    yield answer.token
    token = (await sign_in(service, gateway)).token
    gateway_ear.forget()
    assert not (await change(gateway, token, await code(service, gateway, token), active=False)).active
    await asyncio.to_thread(word, gateway_ear, active=False)
    await asyncio.to_thread(until, lambda: gateway_ear.command("lamp", "on") == DONE, "the room obeys again")


async def test_rooms_obey_safe_actions_only_and_sessions_are_over(
    service: Service, gateway: ServiceClient, gateway_ear: Client, room: Room, locked_down: str
) -> None:
    def ended(said: Said) -> bool | None:
        return True if said.topic == topics.REVOKED and messages.decode(Revoked, said.payload).sessions else None

    await asyncio.to_thread(gateway_ear.wait_for, "the sessions' end", ended)
    with pytest.raises(HomeError, match="sign-in-required"):
        await verify(gateway, locked_down)
    levels = room.waveform
    await asyncio.to_thread(refuses_and_obeys, gateway_ear)
    assert [edge for edge in room.waveform[len(levels) :] if edge[0] != "vent"] == []
    token = (await sign_in(service, gateway)).token
    assert (await verify(gateway, token)).user.email == EMAIL, "one may sign in again"
    known = await gateway.call("GET", internal.REGISTRY, internal.Registry)
    assert known.lockdown.active


async def test_trusted_client_is_refused_by_the_room(broker: Broker, room: Room, locked_down: str) -> None:
    def act() -> list[tuple[str, str | None]]:
        hears = [topics.acknowledgement("hall", device) for device in ("lamp", "front-door")]
        with Client(broker, "phone", *hears) as phone:
            return [phone.command("lamp", "on"), phone.command("front-door", "unlock"), phone.command("lamp", "off")]

    assert await asyncio.to_thread(act) == [LOCKED, LOCKED, DONE]


async def test_it_outlives_the_agent(gateway_ear: Client, room: Room, locked_down: str) -> None:
    room.stop(signal.SIGKILL)
    await asyncio.to_thread(room.online, gateway_ear)
    gateway_ear.heartbeat()
    await asyncio.to_thread(refuses_and_obeys, gateway_ear)


async def test_it_outlives_the_broker(broker: Broker, room: Room, service: Service, gateway: ServiceClient) -> None:
    token = (await sign_in(service, gateway)).token
    await change(gateway, token, await code(service, gateway, token), active=True)
    await asyncio.to_thread(retained, broker, LockdownState(active=True))

    def come_back(*, empty: bool) -> None:
        broker.kill()
        if empty:  # and all is lost that it had retained
            (broker.home.mosquitto / "mosquitto.db").unlink(missing_ok=True)
        broker.start()
        with Client(broker, "gateway", *GATEWAY_HEARS) as ear:
            room.there(ear)
            ear.heartbeat()
            refuses_and_obeys(ear)
        retained(broker, LockdownState(active=True))

    await asyncio.to_thread(come_back, empty=False)
    await asyncio.to_thread(come_back, empty=True)
    token = (await sign_in(service, gateway)).token
    await change(gateway, token, await code(service, gateway, token), active=False)
    await asyncio.to_thread(retained, broker, LockdownState(active=False))


async def test_it_outlives_the_auth_service_and_an_older_word_ends_nothing(
    broker: Broker, service: Service, gateway_ear: Client, room: Room, locked_down: str
) -> None:
    service.stop(signal.SIGKILL)
    began = word(gateway_ear, active=True)

    def say(told: Lockdown) -> None:
        # As a broker would whose file is older, or one that repeats itself.
        with Client(broker, "auth", topics.receipt("auth")) as auth:
            auth.publish(topics.LOCKDOWN, messages.encode(told), retain=True)

    for told in (Lockdown(active=False, at=utc(began.at.timestamp() - 60)), began, began):
        await asyncio.to_thread(say, told)
        await asyncio.to_thread(refuses_and_obeys, gateway_ear)
    await asyncio.to_thread(say, Lockdown(active=False, at=utc(began.at.timestamp() - 60)))
    service.start()
    await asyncio.to_thread(retained, broker, LockdownState(active=True))
    await asyncio.to_thread(refuses_and_obeys, gateway_ear)


async def test_everything_is_told_to_the_alert_service(
    broker: Broker, service: Service, room: Room, gateway_ear: Client, locked_down: str
) -> None:
    def hear() -> tuple[set[str], set[tuple[str, str | None]]]:
        with Client(broker, "alerts", topics.ALL_AUDIT) as alerts:
            until(lambda: "home:locked-down" in {e.what for e in audit_events(alerts, "auth")}, "auth tells of it")
            gateway_ear.command("front-door", "unlock")
            until(lambda: [e for e in audit_events(alerts) if e.what == "device:unlock"], "the room tells of it")
            return (
                {e.what for e in audit_events(alerts, "auth")},
                {(e.outcome, e.detail.get("reason")) for e in audit_events(alerts) if e.what == "device:unlock"},
            )

    auth, hall = await asyncio.to_thread(hear)
    assert "home:locked-down" in auth
    assert ("rejected", "lockdown") in hall


async def test_nobody_but_the_auth_service_says_that_it_is_over(broker: Broker, room: Room, locked_down: str) -> None:
    forged = messages.encode(Lockdown(active=False, at=utc(time.time() + 60))).decode()
    for who in ("phone", "tablet", "kitchen", "gateway-2", "alerts", "admin"):
        sent = await asyncio.to_thread(broker.publish, who, "-r", "-t", topics.LOCKDOWN, "-m", forged)
        assert "Not authorized" in sent.stderr, who
    await asyncio.to_thread(retained, broker, LockdownState(active=True))
