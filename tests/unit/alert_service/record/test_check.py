"""The service's own check: it follows the record, and tells of tampering once."""

import asyncio

from sqlalchemy import delete, func, select, update

from alert_service.chain import chain
from alert_service.record import check
from alert_service.record.check import Check
from alert_service.tables import events, letters
from shared.keeping.database import Store
from shared.words.internal_alerts import ChainBroken
from shared.words.messages import utc
from tests.unit.alert_service.parts import HOUSE, Clock
from tests.unit.alert_service.record_parts import acts, all_rows, tell


def checking(store: Store, clock: Clock) -> tuple[Check, list[None]]:
    woken: list[None] = []
    return Check(store, now=clock, recorded=lambda: woken.append(None), follow=HOUSE), woken


async def test_it_says_up_to_where_the_record_is_whole(store: Store, clock: Clock) -> None:
    one, _ = checking(store, clock)
    assert (one.status.row, one.status.hash, one.status.checked_at) == (0, chain.GENESIS, None)
    await tell(store, acts(250))
    await one.whole()
    head = (await all_rows(store))[-1].hash
    assert (one.status.row, one.status.hash, one.status.checked_at) == (250, head, utc(clock.time))
    await tell(store, acts(3, first=300))
    clock.time += 60
    await one.go_on()
    assert (one.status.row, one.status.checked_at, one.status.broken) == (253, utc(clock.time), None)


async def test_tampering_is_told_once_by_an_event_and_a_letter(store: Store, clock: Clock) -> None:
    one, woken = checking(store, clock)
    await tell(store, acts(9))
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 5).values(what="x:y"))
    for _ in range(3):
        clock.time += 100_000
        await one.whole()
    assert one.status.broken == ChainBroken(row=5, reason="was changed")
    assert one.status.row == 4
    assert len(woken) == 3
    told = [row for row in await all_rows(store) if row.source == "alerts"]
    assert [(row.event.what, row.event.detail) for row in told] == [
        (check.CHAIN_BROKEN, {"row": "5", "told": "was changed"})
    ]
    async with store.read() as connection:
        assert (await connection.execute(select(func.count()).select_from(letters))).scalar() == 1


async def test_a_rollback_under_a_running_service_is_found(store: Store, clock: Clock) -> None:
    one, _ = checking(store, clock)
    await tell(store, acts(9))
    await one.whole()
    async with store.write() as connection:
        await connection.execute(delete(events).where(events.c.row > 6))
    await one.go_on()
    assert one.status.broken is not None
    assert one.status.broken.row == 9
    before = one.status
    await one.go_on()
    assert one.status == before


async def test_a_record_that_was_put_right_is_whole_again(store: Store, clock: Clock) -> None:
    one, _ = checking(store, clock)
    await tell(store, acts(9))
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 5).values(what="x:y"))
    await one.whole()
    async with store.write() as connection:
        await connection.execute(update(events).where(events.c.row == 5).values(what="device:unlock"))
    await one.whole()
    assert (one.status.row, one.status.broken) == (10, None)


async def test_it_runs_until_it_is_cancelled(store: Store, clock: Clock) -> None:
    one, _ = checking(store, clock)
    await tell(store, acts(5))
    task = asyncio.create_task(one.run())
    while one.status.checked_at is None:  # noqa: ASYNC110 - a status, not an event
        await asyncio.sleep(0.01)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert one.status.row == 5
