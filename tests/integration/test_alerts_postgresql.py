"""The record and the outbox over PostgreSQL: the same rules, another database."""

import asyncio
import zoneinfo
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text

from alert_service.chain import chain
from alert_service.chain.arrivals import Arrival
from alert_service.chain.spans import Spans
from alert_service.happenings import keeping
from alert_service.happenings.passing import MONTH
from alert_service.history import happened, history
from alert_service.history.narrowing import Scope
from alert_service.intake import asker, seq_rows
from alert_service.intake.gaps import Missing
from alert_service.letters import mailbox, opening
from alert_service.letters.daily import DailyLetter
from alert_service.letters.outbox import Manner, Outbox
from alert_service.noticing.rehearsal import rehearse
from alert_service.record import erasing, records, standing
from alert_service.record.retention import Retention
from alert_service.store import open_store
from alert_service.tables import events
from alert_service.telling import noticed
from alert_service.telling.noticed import SECOND
from alert_service.telling.policy import Rule
from shared.keeping.database import Store
from shared.words.internal_alerts import AuditFilter
from shared.words.messages import utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.noticing.house import House as DoorHouse
from tests.unit.alert_service.parts import HOUSE, START, Postman, event, masters, work
from tests.unit.alert_service.record.test_retention import WHOLE
from tests.unit.alert_service.record_parts import DAY, acts, all_rows, tell, verdict


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
            receipts, _ = await records.record(connection, told, START, HOUSE)
            await mailbox.set_people(connection, masters("ada@example.org"), START)
    assert {key for key in receipts if key[0] != "alerts"} == {
        ("gateway", "asked"),
        ("hall", "done"),
        ("garage", "plain"),
    }
    async with store.read() as connection:
        rows = [records.as_row(one) for one in (await connection.execute(events.select().order_by(events.c.row))).all()]
        mine = await history.page(connection, Scope(user="u1", places=("garage/*",)), limit=2, after=None)
        late = AuditFilter(user="u1", outcome=Outcome.EXECUTED, since=utc(START - 9), until=utc(START + 0.2))
        for scope in (Scope(), Scope(user="u1"), Scope(user="u2", rooms=True)):
            wanted = await history.page(connection, scope, limit=9, after=None, wanted=late)
            assert [one.row for one in wanted.events] == [2]
            indoors = await history.page(connection, Scope(user="", rooms=True), limit=9, after=None)
            assert {one.row for one in indoors.events} == {1, 2, 3, 4}
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


async def test_acts_and_happenings_are_one_history_alike(store: Store) -> None:
    def happening(second: int, what: str, where: str) -> Arrival:
        told = event(id=f"h{second}", at=START + second, what=what, where=where, user=None, severity=Severity.INFO)
        return Arrival("hall", told)

    happened_then = [happening(1, "device:opened", "hall/door"), happening(3, "device:motion", "hall/motion")]
    async with store.write() as connection:
        await keeping.keep(connection, happened_then, START + 9, MONTH)
        for second in (0, 2, 4):
            act = event(id=f"a{second}", at=START + second, what=f"device:{'unlock' if second else 'lock'}")
            await records.record(connection, [Arrival("gateway", act)], START + second, HOUSE)
    async with store.read() as connection:

        async def ids(scope: Scope, **asked: Any) -> list[str]:
            page = await history.page(connection, scope, limit=2, after=None, **asked)
            rest = await history.page(connection, scope, limit=9, after=page.next, **asked) if page.next else None
            pages = [page] if rest is None else [page, rest]
            acts = [one.id for found in pages for one in found.events]
            return sorted(acts + [one.id for found in pages for one in found.happenings])

        assert await ids(Scope(), happenings="too") == ["a0", "a2", "a4", "h1", "h3"]
        assert await ids(Scope(), happenings="only") == ["h1", "h3"]
        assert await ids(Scope(), wanted=AuditFilter(what="device:un*")) == ["a2", "a4"]
        assert await ids(Scope(), wanted=AuditFilter(what="device:*", room="hall"), happenings="too") == [
            "a0",
            "a2",
            "a4",
            "h1",
            "h3",
        ]
        assert await ids(Scope(user="x", places=("hall/door",)), happenings="too") == ["h1"]
        about = await history.page(connection, Scope(), limit=9, after=None, happenings="too", around=2)
        assert [one.id for one in about.happenings] == ["h3", "h1"]
        assert [one.id for one in await happened.last(connection, ["hall/door"])] == ["h1"]


async def test_a_flood_becomes_a_digest(store: Store) -> None:
    told = [Arrival("hall", event(id=f"e{n}", command_id=None)) for n in range(30)]
    now = START
    async with store.write() as connection:
        await records.record(connection, told, now, HOUSE)
        await mailbox.set_people(connection, masters("ada@example.org"), now)
    postman = Postman()
    outbox = Outbox(store, postman, Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=1000, alone=5), now=lambda: now)
    await work(outbox)
    now += 31
    await work(outbox)
    assert [x.subject for x in postman.letters][5:] == ["25 alerts from hall"]


async def test_an_intent_expires(store: Store) -> None:
    async with store.write() as connection:
        await records.record(connection, [Arrival("gateway", event(outcome=Outcome.ASKED))], START, HOUSE)
    async with store.write() as connection:
        assert await opening.expire(connection, START + 29) == 0
        assert await opening.expire(connection, START + 30) == 1


async def test_days_are_removed_people_erased_and_the_record_checked_alike(store: Store) -> None:
    await tell(store, acts(5), START - 40 * DAY)
    await tell(store, acts(5, first=10))
    assert (await verdict(store)).row == 10
    assert await Retention(store, 30, lambda: WHOLE, now=lambda: START).round() is not None
    assert [row.row for row in await all_rows(store)] == [6, 7, 8, 9, 10, 11]
    assert await erasing.erase(store, user_id="u1", emails=["ada@example.org"], now=START) == 5
    assert (await verdict(store)).broken is None
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), START)
    daily = DailyLetter(store, "07:00", zoneinfo.ZoneInfo("UTC"), lambda: WHOLE, now=lambda: START + DAY)
    assert await daily.round()
    assert not await daily.round()
    postman = Postman()
    manner = Manner(zone=zoneinfo.ZoneInfo("UTC"), per_minute=1000, alone=1)
    await work(Outbox(store, postman, manner, now=lambda: START + DAY))
    assert "row 12\n" in postman.letters[0].text
    async with store.write() as connection:
        await connection.execute(events.update().where(events.c.row == 8).values(seq=99))
    broken = (await verdict(store)).broken
    assert broken == chain.Broken(row=8, reason="was changed")


async def test_whoever_appends_at_the_same_time_waits_and_the_chain_has_no_fork(store: Store) -> None:
    await asyncio.gather(*(tell(store, acts(3, first=10 * n)) for n in range(1, 9)))
    assert (await verdict(store)).row == 24


async def test_recorded_numbers_and_their_gaps(store: Store) -> None:
    told = [Arrival("hall", event(seq=n, severity=Severity.INFO)) for n in (7, 5, 6, 12, 2**52)]
    async with store.write() as connection:
        await records.record(connection, [*told, asker.report(Missing("hall", ((8, 9),)), START)], START, HOUSE)
    known = Spans()
    async with store.read() as connection:
        for source, first, last in await seq_rows.recorded(connection):
            assert source == "hall"
            known.add(first, last)
        assert await seq_rows.between(connection, "hall", (6, 100), 9) == [6, 7, 12]
    assert list(known) == [(0, 9), (12, 12), (2**52, 2**52)]


async def test_happenings_are_watched_and_tried_alike(store: Store) -> None:
    rule = Rule(what="device:opened", lasting="10 min")
    home = DoorHouse(store, rule)
    await home.ready()
    since = round(home.time * SECOND)
    await home.opens()
    await home.passes(660)
    await home.restart()
    await home.closes()
    await home.happens("device:opened", at=home.time - 90_000)
    await home.happens("device:closed", at=home.time - 80_000)
    await home.passes(86_400)
    assert await home.forms() == ["began", "ended", "sum"]
    would = await rehearse(store, noticed.read([rule]), home.zone, since, round(home.time * SECOND))
    assert [one.letter.form for one in would] == ["began", "ended", "sum"]


GROWN = """
INSERT INTO events ("row", source, id, seq, at, received_at, what, place, room, issuer, outcome, severity, detail,
                    people, previous, hash, clock)
SELECT n, 'alerts', 'e' || n, n, n, n, 'device:on', 'hall/lamp', 'hall', 'gateway', 'executed', 'info', '{}',
       '', '', '', n
FROM generate_series(1, 30000) AS n
"""


def scans(plan: dict[str, Any]) -> list[tuple[str | None, float]]:
    """Of each look into the record, anywhere below: by which index, and how many rows it took or threw away."""
    below = [one for part in plan.get("Plans", ()) for one in scans(part)]
    if plan.get("Relation Name") != "events":
        return below
    rows = plan["Actual Rows"] + plan.get("Rows Removed by Filter", 0)
    return [*below, (plan.get("Index Name"), rows * plan["Actual Loops"])]


async def test_the_question_before_a_batch_does_not_read_the_record(store: Store) -> None:
    explained = text("EXPLAIN (ANALYZE, FORMAT JSON) " + standing._QUESTIONS["postgresql"].text)
    named = {"keys": '[["alerts", "e7"], ["hall", "new"]]', "users": '[["u1"]]'}
    async with store.write() as connection:
        await connection.execute(text(GROWN))
        # As after a restore: how many rows are whose, PostgreSQL has not counted yet.
        (restored,) = (await connection.execute(explained, named)).scalar_one()
        await connection.execute(text("ANALYZE"))
        (counted,) = (await connection.execute(explained, named)).scalar_one()
        stood = await standing.stands(connection, [("alerts", "e7"), ("hall", "new")], ["u1"])
    assert (stood.row, stood.clock, stood.seq, list(stood.known)) == (30_000, 30_000, 30_000, [("alerts", "e7")])
    assert dict(scans(restored["Plan"]))["events_by_seq"] == 1, restored
    looks = scans(counted["Plan"])
    assert len(looks) == 5, looks
    assert all(index is not None and rows <= 2 for index, rows in looks), looks
