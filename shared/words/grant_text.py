"""A grant in one line, as the record has it and the `homesystem` command takes it: "hall/lamp mon-fri 22:00-06:00".

What is granted without a limit is left out. Days are English words in every language: programs read them, too.
"""

import re
from datetime import UTC, date, datetime, timedelta, tzinfo
from typing import Final

from shared.words.grant_times import DAY, day_begun, first_of_day
from shared.words.internal import Grant
from shared.words.local_time import first, last
from shared.words.names import Action

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_EVERY_DAY: Final = tuple(range(7))
_LOOK: Final = "look"
_HOURS: Final = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)-([01]?\d|2[0-4]):([0-5]\d)")


def written(grant: Grant, zone: tzinfo | None = None) -> str:
    """The line: place, days, hours, "from" and "until", "only" some actions ("look": none).

    Moments are in UTC; for people, who know in which `zone` they are, days and times of theirs.
    """
    words = [f"{grant.room}/{grant.device}"]
    if set(grant.weekdays) != set(_EVERY_DAY):
        words.append(days(grant.weekdays))
    if (grant.from_minute, grant.to_minute) != (0, DAY):
        words.append(f"{clock(grant.from_minute)}-{clock(grant.to_minute)}")
    for name, at in (("from", grant.since), ("until", grant.until)):
        if at is not None:
            utc = f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
            words += [name, utc if zone is None else moment(at, zone, ends=name == "until")]
    if grant.actions is not None:
        words += ["only", *(grant.actions or (_LOOK,))]
    return " ".join(words)


def read(line: str) -> Grant:
    """The grant of a line that was `written`. Raises ValueError for any other."""
    place, *rest = line.split(" ")
    room, slash, device = place.partition("/")
    if not slash:
        raise ValueError("a grant begins with ROOM/DEVICE")
    wanted: dict[str, object] = {}
    while rest:
        word = rest.pop(0)
        if word in ("from", "until") and rest:
            wanted["since" if word == "from" else word] = datetime.fromisoformat(rest.pop(0))
        elif word == "only":
            wanted["actions"] = () if rest == [_LOOK] else tuple(Action(name) for name in rest)
            rest = []
        elif word[:1].isdigit():
            wanted["from_minute"], wanted["to_minute"] = read_hours(word)
        else:
            wanted["weekdays"] = read_days(word)
    return Grant(room=room, device=device, **wanted)  # type: ignore[arg-type]


def read_moment(text: str, zone: tzinfo, *, ends: bool = False) -> datetime:
    """The moment (UTC) of "2026-12-24" or "2026-12-24T18:00" in the zone; a day that `ends` is included.

    Raises ValueError.
    """
    text = text.strip()
    try:
        if len(text) == len("2026-12-24"):
            return first_of_day(date.fromisoformat(text) + timedelta(days=int(ends)), zone)
        local = datetime.fromisoformat(text)
        if local.tzinfo is not None:
            return local.astimezone(UTC)
        return last(local, zone) if ends else first(local, zone)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text or 'nothing'} is no day; write 2026-12-24, or 2026-12-24T18:00") from error


def moment(moment: datetime, zone: tzinfo, *, ends: bool = False) -> str:
    """What `read_moment` reads: the day where it begins at that moment, or ended at it; else day and time."""
    day = day_begun(moment, zone)
    if day is not None:
        return str(day - timedelta(days=int(ends)))
    return f"{moment.astimezone(zone):%Y-%m-%dT%H:%M}"


def days(weekdays: tuple[int, ...]) -> str:
    """ "mon-fri,sun": three or more in a row as a span."""
    spans = [DAYS[a] if a == b else f"{DAYS[a]}-{DAYS[b]}" for a, b in runs(weekdays)]
    return ",".join(spans)


def runs(weekdays: tuple[int, ...]) -> list[tuple[int, int]]:
    """First and last of each span; two neighbours are two, three or more are a span."""
    found: list[tuple[int, int]] = []
    for day in sorted(set(weekdays)):
        if found and found[-1][1] == day - 1:
            found[-1] = (found[-1][0], day)
        else:
            found.append((day, day))
    return [part for a, b in found for part in ([(a, b)] if b - a != 1 else [(a, a), (b, b)])]


def read_days(text: str) -> tuple[int, ...]:
    """The weekdays (0 is Monday) of "mon-fri", "sat,sun" or "fri-mon". Raises ValueError."""
    found = set[int]()
    for part in text.lower().split(","):
        first, dash, last = part.strip().partition("-")
        begin = _day(first)
        end = _day(last) if dash else begin
        found |= {day % 7 for day in range(begin, end + (7 if end < begin else 0) + 1)}
    return tuple(sorted(found))


def read_hours(text: str) -> tuple[int, int]:
    """The minutes of "22:00-06:00". Raises ValueError."""
    matched = _HOURS.fullmatch(text.strip())
    if matched is None:
        raise ValueError(f"{text} is no span of hours; write 22:00-06:00")
    a, b, c, d = map(int, matched.groups())
    if max(a * 60 + b, c * 60 + d) > DAY:
        raise ValueError(f"{text} is no span of hours; a day ends at 24:00")
    return a * 60 + b, c * 60 + d


def clock(minute: int) -> str:
    """ "22:00"; the end of a day is "24:00"."""
    return f"{minute // 60:02d}:{minute % 60:02d}"


def _day(text: str) -> int:
    known = next(
        (number for number, name in enumerate(DAYS) if len(text) >= 3 and _full(number).startswith(text)), None
    )
    if known is None:
        raise ValueError(f"{text or 'nothing'} is no weekday; write mon, tue, wed, thu, fri, sat or sun")
    return known


def _full(number: int) -> str:
    return ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")[number]
