"""Happenings over PostgreSQL: kept once, beside the chain, asked for by nobody, removed in time; as over SQLite."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import select

from alert_service.chain import chain
from alert_service.chain.arrivals import OURSELVES, Arrival
from alert_service.happenings import keeping
from alert_service.happenings.passing import MONTH, Kept
from alert_service.happenings.retention import ASKED_FOR_SECONDS, Retention
from alert_service.intake import seq_rows
from alert_service.intake.recorder import Recorder
from alert_service.store import open_store
from alert_service.tables import events, happenings, passed
from alert_service.watches.room_watch import AWAY, BACK, away_now
from shared.keeping.database import Store
from shared.words.happenings import TIMES, UNTIL
from shared.words.messages import AuditEvent, utc
from shared.words.names import Severity
from tests.unit.alert_service.parts import HOUSE, START, Clock, event
from tests.unit.alert_service.record_parts import DAY, acts, verdict


@pytest.fixture
async def store(empty_database: str) -> AsyncIterator[Store]:
    """The database, migrated."""
    opened = await open_store(empty_database)
    yield opened
    await opened.close()


def happening(id_: str, seq: int, **more: object) -> AuditEvent:
    """The hall's word on its door."""
    told: dict[str, object] = {"what": "device:opened", "where": "hall/door", "issuer": "hall", "user": None}
    told |= {"address": None, "command_id": None, "severity": Severity.INFO}
    return event(id=id_, seq=seq, **(told | more))  # type: ignore[arg-type]  # by name


def ours(what: str, room: str, at: float) -> Arrival:
    """Our own word on a room."""
    told = happening(f"{what}:{room}:{at}", 0, what=what, where=room, issuer=OURSELVES, at=at)
    return Arrival(OURSELVES, told)


async def places(store: Store) -> list[tuple[str, int, int, int, str]]:
    """Id, both times, how many and the gesture of every happening, by number."""
    columns = happenings.c.id, happenings.c.at, happenings.c.until, happenings.c.times, happenings.c.event
    async with store.read() as connection:
        return [tuple(one) for one in await connection.execute(select(*columns).order_by(happenings.c.number))]


async def test_acts_and_happenings_of_one_batch_are_each_where_they_belong_and_once(store: Store) -> None:
    recorder = Recorder(store, recorded=lambda: None, follow=HOUSE, now=lambda: START + 60)
    summed = {"event": "double", TIMES: "12", UNTIL: utc(START + 30).isoformat()}
    told = [
        Arrival("hall", happening("a", 5)),
        Arrival("hall", acts(1)[0][1]),
        Arrival("hall", happening("b", 2**52, what="device:pressed", where="hall/bell", at=START + 1.5, detail=summed)),
    ]
    for _ in range(2):
        for one in told:
            await recorder.tell(one)
        async with store.write() as connection:
            await keeping.keep(connection, [one for one in told if one.event.id != "e1"], START + 60, MONTH)
    first, second, last = (chain.microseconds(utc(at)) for at in (START, START + 1.5, START + 30))
    assert await places(store) == [("a", first, first, 1, ""), ("b", second, last, 12, "double")]
    assert ((found := await verdict(store)).row, found.broken) == (1, None)
    async with store.read() as connection:
        assert [one.id for one in await connection.execute(select(events.c.id))] == ["e1"]
        assert await keeping.newest(connection) > 0
        assert await seq_rows.between(connection, "hall", (1, 2**53), 9) == [1, 5, 2**52]
        known = {(first, last) for source, first, last in await seq_rows.recorded(connection) if source == "hall"}
    assert {(0, 1), (5, 5), (2**52, 2**52)} <= known


async def test_what_is_off_and_what_is_old_is_not_kept_and_never_asked_for(store: Store) -> None:
    async with store.write() as connection:
        await keeping.keep(connection, [Arrival("hall", happening("off", 3))], START, Kept(31, ("hall/*",)))
        many = [Arrival("hall", happening(f"o{n}", 10 + n, at=START + n / 1000)) for n in range(700)]
        await keeping.keep(connection, many, START, MONTH)
    clock = Clock()
    clock.time = START + 3 * DAY
    async with store.write() as connection:
        young = [Arrival("hall", happening("young", 999, at=clock.time))]
        await keeping.keep(connection, young, clock.time, MONTH)
    retention = Retention(store, Kept(2), now=clock)
    assert await retention.round()
    while await retention.round():
        pass
    assert [one[0] for one in await places(store)] == ["young"]
    async with store.read() as connection:
        known = {(first, last) for source, first, last in await seq_rows.recorded(connection) if source == "hall"}
        assert {(0, 3), (10, 709), (999, 999)} <= known
        assert len(await seq_rows.between(connection, "hall", (1, 10_000), 10_000)) == 702
    clock.time += ASKED_FOR_SECONDS + 1
    while await retention.round():
        pass
    async with store.read() as connection:
        assert (await connection.execute(select(passed))).all() == []


async def test_which_rooms_are_away_is_found_again(store: Store) -> None:
    told = [ours(AWAY, "hall", START), ours(AWAY, "garage", START + 1), ours(BACK, "hall", START + 4)]
    recorder = Recorder(store, recorded=lambda: None, follow=HOUSE, now=lambda: START + 60)
    for one in [*told, *told]:
        await recorder.tell(one)
    assert await away_now(store) == {"garage": START + 1}
    assert len(await places(store)) == 3
