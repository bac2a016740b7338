"""What takes two persons, over two gateways of one home, PostgreSQL behind their auth service: one command, once."""

import asyncio
import uuid
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from shared.words.messages import Acknowledgement, Command
from shared.words.names import Outcome
from tests.house import DEADLINE, Broker
from tests.integration.two_gateways_parts import MASTER, Person, TwoGateways, begun
from tests.unit.gateway.parts import NOW

DOOR = "/api/v1/devices/hall/front-door"
WAYS = {"confirm_by": "two-persons"}


@pytest.fixture(scope="module")
def running(broker: Broker, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoGateways]:
    """Begun once; skipped, with the reason, where PostgreSQL or Redis is not installed."""
    with begun(broker, cluster, tmp_path_factory.mktemp("redis")) as made:
        yield made


class House:
    """Ada at the one gateway, Bea and Cy at the other; a front door that takes two."""

    def __init__(self, town: TwoGateways, ada: Person, bea: Person, cy: Person) -> None:
        self.town, self.room, self.ada, self.bea, self.cy = town, town.room, ada, bea, cy

    def heard(self) -> list[Command]:
        """What the room was told to do, questions about earlier wishes left out."""
        return [one for one in self.room.heard if one.action == "unlock" and not one.recall]


@pytest.fixture
async def house(running: TwoGateways) -> AsyncIterator[House]:
    """Each test has people of its own."""
    async with running as town:
        one, other = town.gates
        ada = await town.signed_in(MASTER, one)
        people = []
        for _ in range(2):
            email = f"{uuid.uuid4().hex[:8]}@example.org"
            await town.user(email)
            people.append(await town.signed_in(email, other))
        status, body, _ = await ada.put(f"{DOOR}/confirm-by", WAYS)
        assert status == 200, body
        made = House(town, ada, *people)
        for person in (ada, *people):
            await shows(person, lambda told: told["confirm_by"] == "two-persons")
        yield made


async def shows(person: Person, wanted: Any) -> dict[str, Any]:
    """Wait until a person's gateway shows the door like that."""
    async with asyncio.timeout(DEADLINE):
        while not wanted(told := (await person.get(DOOR))[1]):  # noqa: ASYNC110 - nobody is told of it
            await asyncio.sleep(0.05)
    found: dict[str, Any] = told
    return found


async def unlock(person: Person, **more: Any) -> tuple[int, dict[str, Any]]:
    status, body, _ = await person.post(f"{DOOR}/commands", {"action": "unlock", "confirm": True, **more})
    return status, body


async def test_what_one_asks_at_one_gateway_another_agrees_to_at_the_other(house: House) -> None:
    before = len(house.heard())
    status, asked = await unlock(house.ada)
    assert (status, asked["outcome"]) == (202, "pending")
    told = await shows(house.bea, lambda told: "pending" in told)
    assert [one["id"] for one in told["pending"]] == [asked["id"]]
    assert len(house.heard()) == before
    status, done = await unlock(house.bea, agrees_to=asked["id"], id="bea-1")
    assert (status, done["outcome"]) == (200, "executed")
    (command,) = house.heard()[before:]
    assert command.user is not None
    assert command.user.name != "Ada Lovelace", "the wish of who agreed"
    await shows(house.ada, lambda told: "pending" not in told)


async def test_of_two_who_agree_at_once_through_both_gateways_one_has_it_done(house: House) -> None:
    before = len(house.heard())
    _, asked = await unlock(house.ada)
    cy = await house.cy.over(house.town.gates[0])
    both = await asyncio.gather(*(unlock(one, agrees_to=asked["id"]) for one in (house.bea, cy)))
    assert sorted(status for status, _ in both) == [200, 409]
    assert len(house.heard()) == before + 1


async def test_an_id_that_agreed_through_one_moves_nothing_through_the_other(house: House) -> None:
    _, asked = await unlock(house.ada)
    before = len(house.heard())
    assert (await unlock(house.bea, agrees_to=asked["id"], id="once"))[0] == 200
    there = await house.bea.over(house.town.gates[0])

    def recalled(_device: str, command: Command) -> Acknowledgement:
        assert command.recall
        return Acknowledgement(id=command.id or "", outcome=Outcome.EXECUTED, at=NOW, repeated=True)

    house.room.answer, usual = recalled, house.room.answer
    try:
        assert (await unlock(there, agrees_to=asked["id"], id="once"))[0] == 200, "as it was answered before"
    finally:
        house.room.answer = usual
    assert len(house.heard()) == before + 1
    status, told = await unlock(house.ada, id=asked["id"])
    assert (status, told["type"]) == (409, "/problems/id-used")
    assert "pending" not in (await house.ada.get(DOOR))[1]


async def test_taking_back_at_one_gateway_and_agreeing_at_the_other_is_one_of_both(house: House) -> None:
    for _ in range(3):
        before = len(house.heard())
        _, asked = await unlock(house.ada)
        await shows(house.bea, lambda told: "pending" in told)
        gone, agreed = await asyncio.gather(
            house.ada.delete(f"{DOOR}/pending/{asked['id']}"),
            unlock(house.bea, agrees_to=asked["id"]),
        )
        assert (gone[0], agreed[0]) in {(204, 409), (409, 200)}
        assert len(house.heard()) - before == (1 if agreed[0] == 200 else 0)
