"""The record and the outbox over PostgreSQL: the same rules, another database."""

import zoneinfo
from collections.abc import AsyncIterator

import pytest

from alert_service import chain, history, mailbox, records
from alert_service.arrivals import Arrival
from alert_service.history import Scope
from alert_service.outbox import Manner, Outbox
from alert_service.store import open_store
from alert_service.tables import events
from shared.database import Store
from shared.names import Outcome, Severity
from tests.unit.alert_service.parts import START, Postman, event, masters, work


@pytest.fixture
async def store(empty_database: str) -> AsyncIterator[Store]:
    """The database, migrated."""
    opened = await open_store(empty_database)
    yield opened
    await opened.close()


async def test_events_letters_and_history_behave_alike(store: Store) -> None:
    told = [
        Arrival("gateway", event(id="asked", outcome=Outcome.ASKED, detail={"ü": "<b>"})),
        Arrival("hall", event(id="done", seq=2**52, at=START + 0.123456)),
        Arrival("hall", event(id="done", what="device:lock")),
        Arrival("garage", event(id="plain", where="garage/light", user=None, severity=Severity.INFO)),
    ]
    for _ in range(2):
        async with store.write() as connection:
            receipts = await records.record(connection, told, START)
            await mailbox.set_people(connection, masters("ada@example.org"), START)
    assert {key for key in receipts if key[0] != "alerts"} == {
        ("gateway", "asked"),
        ("hall", "done"),
        ("garage", "plain"),
    }
    async with store.read() as connection:
        rows = [records.as_row(one) for one in (await connection.execute(events.select().order_by(events.c.row))).all()]
        mine = await history.page(connection, Scope(user="u1", places=("garage/*",)), limit=2, after=None)
    assert [row.event for row in rows[:2]] == [told[0].event, told[1].event]
    assert len(rows) == 4
    assert chain.verify(rows).broken is None
    assert [one.id for one in mine.events] == ["plain", "done"]
    assert mine.next == "2"

    postman = Postman()
    outbox = Outbox(store, postman, Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=1000, alone=1), now=lambda: START)
    await work(outbox)
    await work(outbox)
    assert len(postman.letters) == 2
    async with store.read() as connection:
        assert await mailbox.count(connection) == (0, 0)
        assert await mailbox.next_delivery(connection, "mail") is None


async def test_a_flood_becomes_a_digest(store: Store) -> None:
    told = [Arrival("hall", event(id=f"e{n}", command_id=None)) for n in range(30)]
    now = START
    async with store.write() as connection:
        await records.record(connection, told, now)
        await mailbox.set_people(connection, masters("ada@example.org"), now)
    postman = Postman()
    outbox = Outbox(store, postman, Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=1000, alone=5), now=lambda: now)
    await work(outbox)
    now += 31
    await work(outbox)
    assert [x.subject for x in postman.letters][5:] == ["25 alerts from hall"]


async def test_an_intent_expires(store: Store) -> None:
    async with store.write() as connection:
        await records.record(connection, [Arrival("gateway", event(outcome=Outcome.ASKED))], START)
    async with store.write() as connection:
        assert await records.expire(connection, START + 29) == 0
        assert await records.expire(connection, START + 30) == 1
