"""A day, a week, a month or a year of the home's calendar, around clock changes too: where it begins, ends, and is cut.

Moments are seconds since 1970. A local day begins with the first moment that has its date, and may have 23 or 25 hours.
"""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta, tzinfo
from itertools import pairwise
from typing import Final, NamedTuple

from shared.words import local_time
from shared.words.languages import Tongue, tongue
from shared.words.problem import HomeError

NAMES: Final = ("day", "week", "month", "year")
FIVE_MINUTES, HOUR = 300, 3600
_DAY: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_EARLIEST, _LATEST = date(1971, 1, 1), date(9000, 12, 31)


class Tick(NamedTuple):
    """A mark on the axis of time: a line at `at`, and words at it, or in the middle up to `until`."""

    at: int
    until: int
    label: str
    under: str = ""
    """A second line of it."""
    strong: bool = False


class Span(NamedTuple):
    """`first` is its first day, `days` how many; `borders` are those of its points, `rows` those of its table."""

    name: str
    first: date
    days: int
    zone: tzinfo
    spoken: Tongue = tongue()
    """In which its names are."""

    @property
    def begin(self) -> int:
        """Its first moment."""
        return start_of(self.first, self.zone)

    @property
    def end(self) -> int:
        """The first moment that does not belong to it any more."""
        return start_of(self.first + timedelta(days=self.days), self.zone)

    @property
    def hours(self) -> int:
        """How many it has: a day has 23, 24 or 25."""
        return round((self.end - self.begin) / HOUR)

    def points(self, *, measured: bool) -> list[int]:
        """Borders of the points of its picture: curves are fine, bars are whole hours, days or months."""
        if self.name == "year":
            return self.by_days() if measured else self.by_months()
        if self.name == "month":
            return self._every(3 * HOUR) if measured else self.by_days()
        if self.name == "week":
            return self._every(HOUR)
        return self._every(FIVE_MINUTES)

    def rows(self) -> list[int]:
        """Borders of the lines of its table: hours of a day, days of a week or a month, months of a year."""
        return {"day": self._by_hours, "year": self.by_months}.get(self.name, self.by_days)()

    def by_days(self) -> list[int]:
        """Where each of its days begins, and its end."""
        return [start_of(self.first + timedelta(days=number), self.zone) for number in range(self.days + 1)]

    def by_months(self) -> list[int]:
        """Where each of its months begins, and its end."""
        starts = (date(self.first.year, month, 1) for month in range(1, 13))
        return [*(start_of(day, self.zone) for day in starts), self.end]

    def ticks(self, *, narrow: bool) -> Iterator[Tick]:
        """The marks on its axis."""
        match self.name:
            case "day":
                yield from self._ticks_of_a_day(6 if narrow else 3)
            case "week":
                for begin, end in _pairs(self.by_days()):
                    day = self._local(begin)
                    name = self.spoken.short_weekday(day)
                    told = name if narrow else self.spoken.say("{weekday} {day}", weekday=name, day=day.day)
                    yield Tick(begin, end, told)
            case "month":
                for number, (begin, end) in enumerate(_pairs(self.by_days())):
                    is_monday = self._local(begin).weekday() == 0
                    if is_monday or not narrow:
                        label = str(number + 1) if narrow or number % 2 == 0 else ""
                        yield Tick(begin, end, label, strong=is_monday)
            case _:
                for begin, end in _pairs(self.by_months()):
                    yield Tick(begin, end, self.spoken.short_month(self._local(begin))[: 1 if narrow else 3])

    def change(self) -> int | None:
        """When the clocks are set within a span of one day; None where they are not."""
        before, after = (datetime.fromtimestamp(moment, UTC) for moment in (self.begin, self.end))
        if self.name != "day" or before.astimezone(self.zone).utcoffset() == after.astimezone(self.zone).utcoffset():
            return None
        return int(local_time.change(before, after, self.zone).timestamp())

    def title(self) -> str:
        """Which it is, in words."""
        last = self.first + timedelta(days=self.days - 1)
        match self.name:
            case "day":
                return self.spoken.say(
                    "{weekday}, {date}", weekday=self.spoken.weekday(self.first), date=self.spoken.dated(self.first)
                )
            case "week":
                begin = self.spoken.dated(self.first, year=self.first.year != last.year)
                if self.first.month == last.month:
                    begin = self.spoken.say("{day}", day=self.first.day)
                return f"{begin} – {self.spoken.dated(last)}"
            case "month":
                return self.spoken.month(self.first, year=True)
            case _:
                return str(self.first.year)

    def before(self) -> date | None:
        """A day of the span before this one."""
        found = self.first - timedelta(days=1)
        return found if found >= _EARLIEST else None

    def after(self, today: date) -> date | None:
        """The first day of the one after it; None where that has not begun."""
        found = self.first + timedelta(days=self.days)
        return found if found <= today else None

    def clock(self, moment: int) -> str:
        """The time of day; of one that comes twice, with the name of its zone."""
        local = self._local(moment)
        twice = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
        return f"{local:%H:%M}" + (f" {self.spoken.zone_name(local, self.zone)}" if twice else "")

    def row_name(self, moment: int) -> str:
        """What a line of the table that begins there is called."""
        local = self._local(moment)
        match self.name:
            case "day":
                return self.clock(moment)
            case "week" | "month":
                return self.spoken.say("{weekday} {day}", weekday=self.spoken.weekday(local), day=local.day)
            case _:
                return self.spoken.month(local)

    def point_name(self, moment: int) -> str:
        """When a point of the picture begins."""
        local = self._local(moment)
        match self.name:
            case "day":
                return self.clock(moment)
            case "year":
                return self.spoken.dated(local, year=False)
            case _:
                return self.spoken.say(
                    "{weekday} {day} {month}, {time}",
                    weekday=self.spoken.short_weekday(local),
                    day=local.day,
                    month=self.spoken.short_month(local),
                    time=self.clock(moment),
                )

    def _every(self, step: int) -> list[int]:
        return [*range(self.begin, self.end, step), self.end]

    def _by_hours(self) -> list[int]:
        return self._every(HOUR)

    def _ticks_of_a_day(self, every: int) -> Iterator[Tick]:
        twice = [begin for begin in self._every(HOUR)[:-1] if self._is_twice(begin)]
        for begin in self._every(HOUR)[:-1]:
            local = self._local(begin)
            if begin in twice:
                yield Tick(begin, begin, f"{local:%H}", under=self.spoken.zone_name(local, self.zone))
            elif local.minute == 0 and local.hour % every == 0 and begin - HOUR not in twice:
                yield Tick(begin, begin, f"{local:%H}")

    def _is_twice(self, moment: int) -> bool:
        local = self._local(moment)
        return local.replace(fold=0).utcoffset() > local.replace(fold=1).utcoffset()  # type: ignore[operator]

    def _local(self, moment: int) -> datetime:
        return datetime.fromtimestamp(moment, self.zone)


def span(name: str, at: str | None, now: datetime, spoken: Tongue = tongue()) -> Span:  # noqa: B008 - read once
    """The span of that name with the day `at` in it; today's where none is given. Raises HomeError("bad-request")."""
    if name not in NAMES:
        raise HomeError("bad-request", f"span: write one of {', '.join(NAMES)}.")
    assert now.tzinfo is not None
    try:
        day = now.date() if not at else date.fromisoformat(at) if _DAY.fullmatch(at) else None
    except ValueError:
        day = None
    if day is None or not _EARLIEST <= day <= _LATEST:
        raise HomeError("bad-request", "at: write a day such as 2026-11-23.")
    match name:
        case "day":
            return Span(name, day, 1, now.tzinfo, spoken)
        case "week":
            return Span(name, day - timedelta(days=day.weekday()), 7, now.tzinfo, spoken)
        case "month":
            first = day.replace(day=1)
            following = (first + timedelta(days=31)).replace(day=1)
            return Span(name, first, (following - first).days, now.tzinfo, spoken)
        case _:
            first = day.replace(month=1, day=1)
            return Span(name, first, (first.replace(year=first.year + 1) - first).days, now.tzinfo, spoken)


def start_of(day: date, zone: tzinfo) -> int:
    """The first moment of a local day."""
    return int(local_time.first(datetime(day.year, day.month, day.day), zone).timestamp())  # noqa: DTZ001 - local


def _pairs(borders: list[int]) -> Iterator[tuple[int, int]]:
    return pairwise(borders)
