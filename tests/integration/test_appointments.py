"""Appointments over two gateways of one home, PostgreSQL behind their auth service: seen, vetoed, and done once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from auth_service.home import lockdown
from shared.words.messages import Command, Who
from tests.house import DEADLINE, Broker
from tests.integration.gateway_parts import PASSWORD
from tests.integration.test_two_persons import DOOR, shows, unlock
from tests.integration.two_gateways_parts import MASTER, Person, TwoGateways, begun


@pytest.fixture(scope="module")
def running(broker: Broker, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoGateways]:
    """Begun once; skipped, with the reason, where PostgreSQL or Redis is not installed."""
    with begun(broker, cluster, tmp_path_factory.mktemp("redis")) as made:
        yield made


class House:
    """Ada at the one gateway, Bea at the other; a front door that is unlocked by appointment."""

    def __init__(self, town: TwoGateways, ada: Person, bea: Person) -> None:
        self.town, self.ada, self.bea = town, ada, bea

    def heard(self) -> list[Command]:
        """What the room was told to do, questions about earlier wishes left out."""
        return [one for one in self.town.room.heard if one.action == "unlock" and not one.recall]

    async def without_delay(self) -> None:
        """What is pressed from now on is due at once: pages and API let nobody wish for less than a minute."""
        engine = create_async_engine(self.town.auth.database)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE devices SET delay_minutes = 0"))
        await engine.dispose()


@pytest.fixture
async def house(running: TwoGateways) -> AsyncIterator[House]:
    """Each test has people of its own."""
    async with running as town:
        one, other = town.gates
        ada = await town.signed_in(MASTER, one)
        email = f"{uuid.uuid4().hex[:8]}@example.org"
        await town.user(email)
        bea = await town.signed_in(email, other)
        status, body, _ = await ada.put(f"{DOOR}/confirm-by", {"confirm_by": "appointment", "delay_minutes": 5})
        assert status in (200, 403), body  # once it is so, less takes a proof
        engine = create_async_engine(town.auth.database)
        async with engine.begin() as connection:
            await connection.execute(text("UPDATE devices SET delay_minutes = 5"))
        await engine.dispose()
        made = House(town, ada, bea)
        for person in (ada, bea):
            await shows(person, lambda told: told["confirm_by"] == "appointment" and "pending" not in told)
        yield made


async def gone(house: House) -> None:
    for person in (house.ada, house.bea):
        await shows(person, lambda told: "pending" not in told)


async def test_what_is_made_at_one_gateway_is_seen_and_vetoed_at_the_other(house: House) -> None:
    before = len(house.heard())
    status, asked = await unlock(house.ada)
    assert (status, asked["outcome"], asked["confirm_by"]) == (202, "pending", "appointment")
    told = await shows(house.bea, lambda told: "pending" in told)
    assert [(one["id"], one["due"]) for one in told["pending"]] == [(asked["id"], asked["due"])]
    assert (await house.bea.delete(f"{DOOR}/pending/{asked['id']}"))[0] == 204
    await gone(house)
    assert len(house.heard()) == before


async def test_at_its_time_one_of_both_gateways_has_it_done_once(house: House) -> None:
    await house.without_delay()
    for number in range(3):
        before = len(house.heard())
        status, asked = await unlock(house.bea if number % 2 else house.ada)
        assert status == 202
        async with asyncio.timeout(DEADLINE):
            while len(house.heard()) == before:  # noqa: ASYNC110 - the room is no coroutine's
                await asyncio.sleep(0.02)
        await gone(house)
        (command,) = house.heard()[before:]
        assert command.id == asked["id"]
        assert command.user is not None


async def test_who_signs_out_leaves_no_appointment(house: House) -> None:
    before = len(house.heard())
    status, _ = await unlock(house.bea)
    assert status == 202
    await shows(house.ada, lambda told: "pending" in told)
    status, _, _ = await house.bea.post("/api/v1/logout", {})
    assert status == 204
    await shows(house.ada, lambda told: "pending" not in told)
    assert len(house.heard()) == before


async def test_a_lockdown_on_one_gateway_leaves_none_anywhere(house: House) -> None:
    before = len(house.heard())
    assert (await unlock(house.ada))[0] == 202
    await shows(house.bea, lambda told: "pending" in told)
    assert (await house.bea.put("/api/v1/lockdown", {"active": True, "password": PASSWORD}))[0] == 200
    async with asyncio.timeout(DEADLINE):
        while await _pending(house):  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.05)
    async with lockdown.opened(house.town.auth, now=lambda: datetime.now(UTC)) as (the_lockdown, _):
        await the_lockdown.end(Who(issuer="admin"))
    assert len(house.heard()) == before


async def _pending(house: House) -> int:
    engine = create_async_engine(house.town.auth.database)
    async with engine.begin() as connection:
        left: int = (await connection.execute(text("SELECT count(*) FROM pending_wishes"))).scalar_one()
    await engine.dispose()
    return left
