"""A row that a hand has spoiled: the check names it, and nothing else stops because of it."""

import zoneinfo

import msgspec
import pytest
from sqlalchemy import text

from alert_service.chain.arrivals import Arrival
from alert_service.history import history
from alert_service.history.narrowing import Scope
from alert_service.intake import gaps, seq_rows
from alert_service.intake.gaps import Gaps
from alert_service.letters import mailbox
from alert_service.letters.daily import DailyLetter
from alert_service.letters.outbox import Manner, Outbox
from alert_service.record import records
from alert_service.record.check import Check
from alert_service.record.retention import Retention
from alert_service.watches import room_watch
from shared.keeping.database import Store
from shared.words import messages
from shared.words.internal_alerts import AuditPage
from tests.unit.alert_service.parts import HOUSE, START, Clock, Postman, event, masters, work
from tests.unit.alert_service.record_parts import DAY, acts, all_rows, tell

SPOILED = [
    ("outcome", "'splendid'"),
    ("outcome", "x'7b179cbad79d'"),
    ("severity", "'huge'"),
    ("detail", "'no JSON'"),
    ("detail", "'[]'"),
    ("detail", "'{\"user\": 1}'"),
    ("detail", "x'ff'"),
    ("at", str(2**62)),
    ("received_at", str(2**62)),
    ("at", "'soon'"),
    ("what", "x'ff'"),
    ("place", "x'ff'"),
    ("issuer", "x'ff'"),
    ("user_name", "x'ff'"),
    ("hash", "x'ff'"),
    ("seq", "'many'"),
    ("what", "hex(zeroblob(200))"),
    ("id", "'no id'"),
]


@pytest.mark.parametrize(("column", "value"), SPOILED)
async def test_a_spoiled_row_is_shown_as_one_and_stops_nothing(store: Store, column: str, value: str) -> None:
    await tell(store, acts(5))
    async with store.write() as connection:
        await connection.execute(text(f"UPDATE events SET {column} = {value} WHERE row = 4"))
    async with store.read() as connection:
        page = await history.page(connection, Scope(), limit=10, after=None)
    heard = messages.decode(AuditPage, msgspec.json.encode(page))  # as a gateway reads it
    assert [event.row for event in heard.events] == [5, 4, 3, 2, 1]
    assert heard.events[1].what == "audit:spoiled"
    async with store.read() as connection:
        assert (await records.rows(connection, [4]))[4].event.what == "audit:spoiled"
    # Its producer, who tells it again, is answered, and what it tells beside it is recorded.
    await tell(store, acts(6))
    assert {row.event.id for row in await all_rows(store)} >= {"e5", "e6"}


@pytest.mark.parametrize(
    ("column", "value"), [*SPOILED, ("received_at", "'late'"), ("received_at", "-1"), ("seq", "x'ff'")]
)
@pytest.mark.parametrize(
    ("source", "what"), [("hall", "device:unlock"), ("alerts", gaps.MISSING), ("alerts", room_watch.OFFLINE)]
)
async def test_a_spoiled_row_ends_no_service_at_its_start(
    store: Store, column: str, value: str, source: str, what: str
) -> None:
    told = event(what=what, where="hall", seq=7, command_id=None, detail={"numbers": "1-2", "since": "?"})
    async with store.write() as connection:
        await records.record(connection, [Arrival(source, told)], START - 2 * DAY, HOUSE)
        await mailbox.set_people(connection, masters("ada@example.org"), START)
        await connection.execute(text(f"UPDATE events SET {column} = {value}"))
    async with store.read() as connection:
        known = await seq_rows.recorded(connection)
    tracker = Gaps()
    for one in known:
        tracker.know(*one)
    tracker.link_up(0.0)
    tracker.due(10.0)
    await room_watch.told_away(store)
    check = Check(store, now=lambda: START, recorded=lambda: None, follow=HOUSE)
    await check.whole()
    writer = DailyLetter(store, "07:00", zoneinfo.ZoneInfo("UTC"), lambda: check.status, now=lambda: START)
    await writer.round()
    postman = Postman()
    clock = Clock()
    outbox = Outbox(store, postman, Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=100_000, alone=3), now=clock)
    for _ in range(3):
        await work(outbox)
        clock.time += 700
    assert check.status.broken is not None
    assert postman.letters, "that the record was tampered with is told"
    await Retention(store, 14, lambda: check.status, now=lambda: START).round()
    await tell(store, acts(3, first=20))  # what comes next is recorded all the same
    assert {row.event.id for row in await all_rows(store)} >= {"e20", "e22"}
