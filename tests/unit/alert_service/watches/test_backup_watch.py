"""A household reads that its backups fail or are old: once each time, over restarts too, and anew after a good one."""

import datetime as dt
from pathlib import Path

from sqlalchemy import select

from alert_service.chain.arrivals import Arrival
from alert_service.letters import mailbox
from alert_service.record import records
from alert_service.tables import events
from alert_service.watches import backup_watch
from alert_service.watches.backup_watch import BackupWatch
from shared.keeping import notes
from shared.keeping.database import Store
from shared.words.noted import BackupTarget
from tests.unit.alert_service.letters.test_outbox import House
from tests.unit.alert_service.parts import HOUSE, START, Clock, Postman, masters

DAY = 86400.0
BEGIN = dt.datetime.fromtimestamp(START, dt.UTC)


async def look(store: Store, folder: Path, clock: Clock) -> None:
    """Twice, by a service that has just started."""

    async def record(arrival: Arrival) -> None:
        async with store.write() as connection:
            await records.record(connection, [arrival], clock(), HOUSE)

    watch = BackupWatch(folder, await backup_watch.told_of_backups(store), record, now=clock)
    await watch.look()
    await watch.look()


async def told(store: Store) -> list[str]:
    async with store.read() as connection:
        return list((await connection.execute(select(events.c.what).order_by(events.c.row))).scalars())


def note(folder: Path, clock: Clock, *, good: dt.datetime | None, failure: str = "") -> None:
    tried = dt.datetime.fromtimestamp(clock(), dt.UTC)
    notes.write(folder, BackupTarget("/mnt/backup", BEGIN, good, tried, failure))


async def test_it_is_told_when_one_fails_and_when_the_last_good_one_is_3_7_and_30_days_old(
    store: Store, postman: Postman, clock: Clock, tmp_path: Path
) -> None:
    house = House(store, postman, clock)
    async with store.write() as connection:
        await mailbox.set_people(connection, masters("ada@example.org"), START)
    note(tmp_path, clock, good=BEGIN)
    await look(store, tmp_path, clock)
    assert await told(store) == []
    for day in range(1, 33):
        clock.time = START + day * DAY + 60
        note(tmp_path, clock, good=BEGIN, failure=f"/mnt/backup: plug it in (try {day})")
        await look(store, tmp_path, clock)
        await house.rounds(120)
        ages = sum(day >= threshold for threshold in backup_watch.THRESHOLDS)
        assert await told(store) == ["backup:failed"] + ["backup:old"] * ages, day
    subjects = [letter.subject for letter in house.postman.letters]
    assert len(subjects) == 4
    assert "Backup failed" in subjects[0]
    assert "Backups are old" in subjects[1]
    assert "plug it in" in house.postman.letters[0].text


async def test_after_a_good_one_the_next_failure_is_told_anew(store: Store, clock: Clock, tmp_path: Path) -> None:
    note(tmp_path, clock, good=BEGIN, failure="away")
    await look(store, tmp_path, clock)
    note(tmp_path, clock, good=BEGIN + dt.timedelta(hours=1))
    await look(store, tmp_path, clock)
    note(tmp_path, clock, good=BEGIN + dt.timedelta(hours=1), failure="away")
    await look(store, tmp_path, clock)
    assert await told(store) == ["backup:failed"] * 2


async def test_where_none_ever_lay_it_counts_from_when_the_target_was_named(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    note(tmp_path, clock, good=None)
    clock.time += 4 * DAY
    await look(store, tmp_path, clock)
    assert await told(store) == ["backup:old"]


async def test_a_home_without_a_target_or_with_a_torn_note_gets_no_letter(
    store: Store, clock: Clock, tmp_path: Path
) -> None:
    await look(store, tmp_path, clock)
    notes.write(tmp_path, BackupTarget("", BEGIN, None, BEGIN, "away"))
    clock.time += 40 * DAY
    await look(store, tmp_path, clock)
    (tmp_path / "backup-target.json").write_text("torn")
    await look(store, tmp_path, clock)
    assert await told(store) == []
