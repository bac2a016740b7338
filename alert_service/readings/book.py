"""Readings in their database: one write adds rows, sums up what is over, and takes away what is over its time.

All of it in one transaction, so that sums are always those of the rows, whenever the power fails.
"""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import ColumnElement, Table, and_, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.readings import sums
from alert_service.readings.quantities import GAP, Said
from alert_service.readings.rooms import Device
from alert_service.readings.sums import FIVE_MINUTES, HOUR, Sum
from alert_service.readings.tables import devices, five_minutes, hours, readings, settings
from alert_service.readings.timeline import Row
from shared.keeping.database import Store
from shared.words.names import Kind

LATE_SECONDS = 120
"""So long after its end five minutes are summed up: a room that is silent is known to be away after 75 seconds."""
_MOST_AT_ONCE = 7 * 86_400
"""So much time is summed up in one write, after a long absence."""
_REMOVED_AT_ONCE = 2 * 86_400
"""So much of what is over its time goes in one write."""
_REMOVED_OF = 200
"""Of so many devices."""


class Kept(msgspec.Struct, frozen=True):
    """For how many days rows, sums over five minutes and sums over hours are kept."""

    raw_days: int = 10
    five_minute_days: int = 90
    hourly_days: int = 3650


class Known(NamedTuple):
    """What the database knew when it was opened."""

    last: dict[Device, Row]
    known_until: int
    """Milliseconds; up to then somebody listened."""


class Book:
    """The only writer. `ids` are the numbers of the devices, `before` each one's last row before `summed_until`."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self.ids: dict[Device, int] = {}
        self.summed_until = 0
        self.hours_until = 0
        self._before: dict[int, Row] = {}
        self._due: list[int] = []
        """Devices of which what is too old is still to be removed."""
        self._remove_before = 0

    async def open(self, now: int) -> Known:
        """Read what is known; a new book begins at `now` (milliseconds)."""
        async with self._store.read() as connection:
            found = {row.name: row.value for row in (await connection.execute(select(settings))).all()}
            begun = sums.floor(now // 1000, FIVE_MINUTES)
            self.summed_until = int(found.get("summed_until", begun))
            self.hours_until = int(found.get("hours_until", sums.floor(begun, HOUR)))
            for row in (await connection.execute(select(devices))).all():
                self.ids[Device(row.room, row.device, Kind(row.kind))] = row.id
            last = {}
            for device, number in self.ids.items():
                if (newest := await _last_before(connection, number, 2**62)) is not None:
                    last[device] = newest
                if (before := await _last_before(connection, number, self.summed_until * 1000)) is not None:
                    self._before[number] = before
        return Known(last, max(int(found.get("known_until", now)), self.summed_until * 1000))

    async def write(
        self, added: Mapping[Device, Sequence[Row]], known_until: int, kept: Kept, *, remove_before: int | None
    ) -> None:
        """Add rows, in order; `known_until` (milliseconds): somebody listened up to then.

        With `remove_before` (seconds: now, as far as the clock is believed) what is over its time goes.
        """
        fresh = {
            device: number
            for number, device in enumerate(
                (device for device in added if device not in self.ids), start=max(self.ids.values(), default=0) + 1
            )
        }
        numbers = self.ids | fresh
        lines = [
            {"device": numbers[device], "at": row.at, "value": row.said.value, "fault": row.said.fault}
            for device, rows in added.items()
            for row in rows
        ]
        over = max(sums.floor(known_until // 1000 - LATE_SECONDS, FIVE_MINUTES), self.summed_until)
        due = self._due if remove_before is None else list(numbers.values())
        self._remove_before = self._remove_before if remove_before is None else remove_before
        async with self._store.write() as connection:
            if fresh:
                await connection.execute(
                    insert(devices),
                    [
                        {"id": number, "room": device.room, "device": device.id, "kind": device.kind.value}
                        for device, number in fresh.items()
                    ],
                )
            if lines:
                await connection.execute(insert(readings), lines)
            begin = await self._begin(connection, over)
            end = min(over, begin + _MOST_AT_ONCE)
            end_of_hours = max(sums.floor(end, HOUR), self.hours_until)
            before = await self._sum_up(connection, begin, end)
            await self._sum_hours(connection, end_of_hours)
            if due:
                await _remove(connection, due[:_REMOVED_OF], self._remove_before, kept)
            await _set(connection, known_until=known_until, summed_until=end, hours_until=end_of_hours)
        self.ids, self.summed_until, self.hours_until = numbers, end, end_of_hours
        self._due = due[_REMOVED_OF:]
        self._before |= before

    async def turn_back(self, now: int) -> None:
        """The clock was set back to `now` (milliseconds): what is dated later is taken out."""
        start = sums.floor(now // 1000, FIVE_MINUTES)
        end, hour_end = min(self.summed_until, start), min(self.hours_until, sums.floor(start, HOUR))
        async with self._store.write() as connection:
            for number in self.ids.values():
                await connection.execute(delete(readings).where(readings.c.device == number, readings.c.at > now))
                for table, begin in ((five_minutes, end), (hours, hour_end)):
                    await connection.execute(delete(table).where(table.c.device == number, table.c.start >= begin))
            await _set(connection, known_until=now, summed_until=end, hours_until=hour_end)
            found = {}
            for number in self.ids.values():
                if (row := await _last_before(connection, number, end * 1000)) is not None:
                    found[number] = row
        self.summed_until, self.hours_until, self._before = end, hour_end, found

    async def rows(self, number: int, since: int, until: int) -> list[Row]:
        """A device's rows from `since` on and before `until` (milliseconds), and the last one before."""
        async with self._store.read() as connection:
            before = await _last_before(connection, number, since)
            wanted = select(readings.c.at, readings.c.value, readings.c.fault).where(
                readings.c.device == number, readings.c.at >= since, readings.c.at < until
            )
            found = [_row(*line) for line in (await connection.execute(wanted.order_by(readings.c.at))).all()]
        return found if before is None else [before, *found]

    async def first(self, number: int) -> int | None:
        """When the first that is kept of a device began, in seconds."""
        async with self._store.read() as connection:
            row = (
                await connection.execute(select(func.min(readings.c.at)).where(readings.c.device == number))
            ).scalar()
            starts = [
                (await connection.execute(select(func.min(table.c.start)).where(table.c.device == number))).scalar()
                for table in (five_minutes, hours)
            ]
        found = [start for start in (*starts, None if row is None else row // 1000) if start is not None]
        return min(found, default=None)

    async def sums(self, table: Table, number: int, since: int, until: int) -> list[Sum]:
        """A device's sums that start in that time (seconds)."""
        async with self._store.read() as connection:
            wanted = select(*[*table.c][1:]).where(
                table.c.device == number, table.c.start >= since, table.c.start < until
            )
            return [Sum(*line) for line in (await connection.execute(wanted.order_by(table.c.start))).all()]

    async def _begin(self, connection: AsyncConnection, over: int) -> int:
        """Where there is something to be summed up: a long time of which nothing is known is passed over."""
        begin = self.summed_until
        if over - begin <= _MOST_AT_ONCE or any(row.said != GAP for row in self._before.values()):
            return begin
        wanted = select(func.min(readings.c.at)).join_from(devices, readings, _newer(begin * 1000))
        first = (await connection.execute(wanted)).scalar()
        return over if first is None else min(over, sums.floor(first // 1000, FIVE_MINUTES))

    async def _sum_up(self, connection: AsyncConnection, begin: int, end: int) -> dict[int, Row]:
        """Sum up five minutes each, up to `end`; each device's last row before that."""
        if end <= begin:
            return {}
        said: dict[int, list[Row]] = {number: [row] for number, row in self._before.items()}
        wanted = (
            select(readings.c.device, readings.c.at, readings.c.value, readings.c.fault)
            .join_from(devices, readings, _newer(begin * 1000))
            .where(readings.c.at < end * 1000)
            .order_by(readings.c.device, readings.c.at)
        )
        for number, *line in (await connection.execute(wanted)).all():
            said.setdefault(number, []).append(_row(*line))
        borders = range(begin, end + 1, FIVE_MINUTES)
        lines = [
            {"device": number, **one._asdict()}
            for number, rows in said.items()
            for one in sums.of_rows(rows, borders, end * 1000)
            if not sums.is_empty(one)
        ]
        if lines:
            await connection.execute(insert(five_minutes), lines)
        return {number: rows[-1] for number, rows in said.items()}

    async def _sum_hours(self, connection: AsyncConnection, end: int) -> None:
        begin = self.hours_until
        if end <= begin:
            return
        wanted = (
            select(five_minutes)
            .join_from(
                devices, five_minutes, and_(five_minutes.c.device == devices.c.id, five_minutes.c.start >= begin)
            )
            .where(five_minutes.c.start < end)
            .order_by(five_minutes.c.device, five_minutes.c.start)
        )
        parts: dict[int, list[Sum]] = {}
        for number, *line in (await connection.execute(wanted)).all():
            parts.setdefault(number, []).append(Sum(*line))
        lines = [
            {"device": number, **sums.merged(of_hour, (start, start + HOUR))[0]._asdict()}
            for number, of_device in parts.items()
            for start, of_hour in itertools.groupby(of_device, lambda part: sums.floor(part.start, HOUR))
        ]
        if lines:
            await connection.execute(insert(hours), lines)


async def _remove(connection: AsyncConnection, numbers: Iterable[int], now: int, kept: Kept) -> None:
    """The oldest of what is over its time. A device's last row before that stays: it still holds."""
    for number in numbers:
        horizon = (now - kept.raw_days * 86_400) * 1000
        of_device = readings.c.device == number
        oldest = (await connection.execute(select(func.min(readings.c.at)).where(of_device))).scalar()
        if oldest is not None and oldest < horizon:
            horizon = min(horizon, oldest + _REMOVED_AT_ONCE * 1000)
            newest = select(func.max(readings.c.at)).where(of_device, readings.c.at <= horizon).scalar_subquery()
            await connection.execute(delete(readings).where(of_device, readings.c.at < newest))
        for table, days in ((five_minutes, kept.five_minute_days), (hours, kept.hourly_days)):
            of_table = table.c.device == number
            first = (await connection.execute(select(func.min(table.c.start)).where(of_table))).scalar()
            end = now - days * 86_400
            if first is not None and first < end:
                end = min(end, first + 30 * _REMOVED_AT_ONCE)
                await connection.execute(delete(table).where(of_table, table.c.start < end))


async def _last_before(connection: AsyncConnection, number: int, moment: int) -> Row | None:
    wanted = select(readings.c.at, readings.c.value, readings.c.fault).where(
        readings.c.device == number, readings.c.at < moment
    )
    line = (await connection.execute(wanted.order_by(readings.c.at.desc()).limit(1))).first()
    return None if line is None else _row(*line)


def _newer(moment: int) -> ColumnElement[bool]:
    """By way of the devices, so that it is a look at each one's newest rows and not at the whole table."""
    return and_(readings.c.device == devices.c.id, readings.c.at >= moment)


def _row(at: int, value: float | None, fault: str | None) -> Row:
    return Row(at, Said(value, fault))


async def _set(connection: AsyncConnection, **values: int) -> None:
    await connection.execute(delete(settings).where(settings.c.name.in_(values)))
    await connection.execute(insert(settings), [{"name": name, "value": str(value)} for name, value in values.items()])
