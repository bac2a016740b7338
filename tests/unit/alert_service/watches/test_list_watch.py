"""Whoever could be locked out by a revocation list that ends reads of it before, and once each time."""

from pathlib import Path

from sqlalchemy import func, select

from alert_service.chain.arrivals import Arrival
from alert_service.letters import mailbox
from alert_service.record import records
from alert_service.tables import events
from alert_service.watches.list_watch import ListWatch
from shared.keeping.database import Store
from shared.trust.revoked import Listed, RevocationList
from tests.unit.alert_service.letters.test_outbox import House
from tests.unit.alert_service.parts import HOUSE, START, Clock, Postman, masters

DAY = 86400.0


class Made(RevocationList):
    """A list that ends when the test says so."""

    def __init__(self, ends: float | None) -> None:
        super().__init__(Path("/nowhere/ca.crt"))
        self.today = Listed(frozenset(), ends)

    def ends(self) -> float | None:
        return self.today.ends


async def test_it_is_told_a_week_and_a_day_before_and_at_its_end_also_over_restarts(
    store: Store, postman: Postman, clock: Clock
) -> None:
    house = House(store, postman, clock)
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), START)

    async def record(arrival: Arrival) -> None:
        async with store.write() as connection:
            await records.record(connection, [arrival], clock(), HOUSE)

    listed = Made(START + 30 * DAY)
    for day in range(32):
        for _ in range(2):  # each time a service that has just started
            watch = ListWatch(listed, record, now=clock)
            await watch.look()
            await watch.look()
        clock.time += DAY
        await house.rounds(120)
        told = await count(store)
        assert told == (0 if day < 23 else 1 if day < 29 else 2 if day < 30 else 3), day
    subjects = [letter.subject for letter in house.postman.letters]
    assert len(subjects) == 3
    assert all("ertificate about to end" in subject for subject in subjects)
    listed.today = Listed(frozenset(), clock() + 30 * DAY)
    await ListWatch(listed, record, now=clock).look()
    assert await count(store) == 3


async def test_without_a_list_there_is_nothing_to_tell(clock: Clock) -> None:
    async def never(_arrival: Arrival) -> None:
        raise AssertionError

    await ListWatch(Made(None), never, now=clock).look()


async def count(store: Store) -> int:
    async with store.read() as connection:
        return (await connection.execute(select(func.count()).select_from(events))).scalar_one()
