"""Answers what gateways ask: from hours where they fit, then from five minutes, from rows for what is still open."""

import time
from collections.abc import Callable
from itertools import pairwise

from alert_service.readings import grid, sums
from alert_service.readings.book import Book, Kept
from alert_service.readings.keeper import Keeper
from alert_service.readings.rooms import Device
from alert_service.readings.sums import FIVE_MINUTES, HOUR, Sum
from alert_service.readings.tables import five_minutes, hours
from shared.words.internal_readings import ReadingPoint, ReadingsPage, ReadingsQuery
from shared.words.problem import HomeError


class Asking:
    """Over one book and what its keeper has not written yet."""

    def __init__(self, book: Book, keeper: Keeper, kept: Kept, *, now: Callable[[], float] = time.time) -> None:
        self._book = book
        self._keeper = keeper
        self._kept = kept
        self._now = now

    async def answer(self, query: ReadingsQuery) -> ReadingsPage:
        """The points of a query. Raises HomeError("invalid-value")."""
        now = int(self._now())
        if query.borders is None:
            step, edges = grid.borders(query, now, self._kept)
        else:
            step, edges = None, list(query.borders)
            if any(later <= earlier for earlier, later in pairwise(edges)):
                raise HomeError("invalid-value", "borders must go upwards.")
            edges = grid.coarser(edges, grid.finest(edges[0], now, self._kept))
        device = Device(query.room, query.device, query.kind)
        number = self._book.ids.get(device)
        found = await self._sums(device, number, edges, now)
        points = tuple(_point(one, end) for one, end in zip(found, edges[1:], strict=True))
        return ReadingsPage(step=step, points=points, begun=await self._begun(device, number))

    async def _sums(self, device: Device, number: int | None, edges: list[int], now: int) -> list[Sum]:
        length = grid.source(edges, now, self._kept)
        parts: list[Sum] = []
        begin, end = edges[0], edges[-1]
        if number is not None and length == HOUR:
            parts += await self._book.sums(hours, number, begin, min(end, self._book.hours_until))
            begin = max(begin, self._book.hours_until)
        if number is not None and length >= FIVE_MINUTES and begin < end:
            parts += await self._book.sums(five_minutes, number, begin, min(end, self._book.summed_until))
            begin = max(begin, self._book.summed_until)
        if begin >= end:
            return sums.merged(parts, edges)
        rows = [] if number is None else await self._book.rows(number, begin * 1000, end * 1000)
        rows += self._keeper.waiting(device)
        rows = [row for place, row in enumerate(rows) if place == 0 or row.at > rows[place - 1].at]
        until = min(self._keeper.heard_until(device), end * 1000)
        if length == 1:
            return sums.of_rows(rows, edges, until)
        tail = range(sums.floor(begin, FIVE_MINUTES), min(end, now + FIVE_MINUTES) + FIVE_MINUTES, FIVE_MINUTES)
        parts += sums.of_rows(rows, tail, until) if len(tail) > 1 else []
        return sums.merged(parts, edges)

    async def _begun(self, device: Device, number: int | None) -> int | None:
        first = None if number is None else await self._book.first(number)
        if first is None and (waiting := self._keeper.waiting(device)):
            return waiting[0].at // 1000
        return first


def _point(one: Sum, end: int) -> ReadingPoint:
    return ReadingPoint(
        at=one.start,
        seconds=end - one.start,
        known=round(one.known, 3),
        fault=round(one.faulty, 3),
        on=round(one.on, 3),
        count=one.fresh,
        min=one.low,
        max=one.high,
        mean=one.mean,
    )
