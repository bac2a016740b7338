"""A day in three sentences, for the daily letter: what was done, what was odd, and how the house stands."""

from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain.sources import is_trusted
from alert_service.tables import events, happenings
from alert_service.tables import letters as outbox
from alert_service.telling import acts
from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from alert_service.telling.reader import Reader
from shared.words.languages import later
from shared.words.names import Outcome, Severity

_MOST = 6
"""What one sentence names; the rest is in the history."""
_FAULTS = ("device:mismatch", "device:restless", "device:unreadable", "room:offline", "service:replaced")
_OPENED = "device:opened"


class Done(msgspec.Struct, frozen=True):
    """What was done to one device how often, and by whom, as far as a gateway says so."""

    what: str
    place: str
    times: int
    by: tuple[str, ...] = ()


class Counted(msgspec.Struct, frozen=True):
    """How often something happened at a place."""

    what: str
    place: str
    times: int


class DayStory(msgspec.Struct, frozen=True):
    """One day; `more` is how many others than those named there were of each."""

    done: tuple[Done, ...] = ()
    opened: tuple[Counted, ...] = ()
    odd: tuple[Counted, ...] = ()
    refused: int = 0
    more: dict[str, int] = {}


async def read(connection: AsyncConnection, *, since_row: int, since: float, until: float) -> DayStory:
    """What the record has after that row, and the happenings between these seconds since 1970."""
    told = func.coalesce(outbox.c.intent, outbox.c.outcome)
    commands = (
        select(events.c.what, events.c.place, events.c.source, events.c.user_name, func.count().label("times"))
        .select_from(outbox.join(events, events.c.row == told))
        .where(outbox.c.kind == "command", outbox.c.ended == Outcome.EXECUTED.value, events.c.row > since_row)
        .where(events.c.severity == Severity.CRITICAL.value)
        .group_by(events.c.what, events.c.place, events.c.source, events.c.user_name)
    )
    done: dict[tuple[str, str], Done] = {}
    for one in (await connection.execute(commands)).all():
        before = done.get((one.what, one.place), Done(one.what, one.place, 0))
        by = (one.user_name,) if one.user_name and is_trusted(one.source) and one.user_name not in before.by else ()
        done[one.what, one.place] = Done(one.what, one.place, before.times + one.times, (*before.by, *by))
    moments = happenings.c.at.between(int(since * 1_000_000), int(until * 1_000_000))
    opened = select(happenings.c.what, happenings.c.place, func.sum(happenings.c.times).label("times"))
    opened = opened.where(moments, happenings.c.what == _OPENED).group_by(happenings.c.what, happenings.c.place)
    odd = select(events.c.what, events.c.place, func.count().label("times"))
    odd = odd.where(events.c.row > since_row, events.c.what.in_(_FAULTS)).group_by(events.c.what, events.c.place)
    refused = select(func.count()).select_from(outbox.join(events, events.c.row == told))
    refused = refused.where(outbox.c.kind == "command", events.c.row > since_row)
    refused = refused.where(outbox.c.ended.in_((Outcome.REJECTED.value, Outcome.EXPIRED.value)))
    acted = sorted(done.values(), key=_often)
    moved, faults = await _counted(connection, opened), await _counted(connection, odd)
    left = {"done": len(acted) - _MOST, "opened": len(moved) - _MOST, "odd": len(faults) - _MOST}
    return DayStory(
        done=tuple(acted[:_MOST]),
        opened=tuple(moved[:_MOST]),
        odd=tuple(faults[:_MOST]),
        refused=(await connection.execute(refused)).scalar_one(),
        more={name: count for name, count in left.items() if count > 0},
    )


def tell(story: DayStory, stands: str, reader: Reader) -> tuple[str, ...]:
    """The three sentences; `stands` is how the record is."""
    done = [_done(one, reader) for one in story.done]
    opened = [_times(acts.ACTS["open"].title, one, reader) for one in story.opened]
    odd = [_odd(one, reader) for one in story.odd]
    if story.refused:
        odd.append(reader.tongue.say_many("{count} act was refused", "{count} acts were refused", story.refused))
    more = story.more
    first = _listed([*done, *opened], more.get("done", 0) + more.get("opened", 0), reader)
    second = _listed(odd, more.get("odd", 0), reader)
    return (
        reader.say(later("At the doors and locks: {list}."), list=first)
        if first
        else reader.say(later("Nothing was done at the doors and locks.")),
        reader.say(later("Odd was: {list}."), list=second) if second else reader.say(later("Nothing was odd.")),
        stands,
    )


def _done(one: Done, reader: Reader) -> str:
    action = one.what.partition(":")[2]
    told = _times(acts.ACTS[action].title if action in acts.ACTS else acts.OTHER.title, one, reader)
    names = ", ".join(clean(name, NAME_CHARACTERS) for name in one.by)
    return f"{told} ({names})" if names else told


def _odd(one: Counted, reader: Reader) -> str:
    if one.what in acts.OF_DEVICES:
        return _times(acts.OF_DEVICES[one.what][0], one, reader)
    known = {"room:offline": later("room {place} away"), "service:replaced": later("service {place} started anew")}
    return _times(known[one.what], one, reader)


def _times(title: str, one: Done | Counted, reader: Reader) -> str:
    told = reader.say(title, place=reader.names.place(one.place), wish=clean(one.what, NAME_CHARACTERS))
    return reader.say(later("{told} {count} times"), told=told, count=one.times) if one.times > 1 else told


def _listed(some: list[str], left: int, reader: Reader) -> str:
    more = [reader.say(later("{count} more"), count=left)] if some and left else []
    return ", ".join([*some, *more])


def _often(one: Done | Counted) -> tuple[int, str, str]:
    return -one.times, one.place, one.what


async def _counted(connection: AsyncConnection, query: Select[Any]) -> list[Counted]:
    rows: Iterable[Any] = (await connection.execute(query)).all()
    return sorted((Counted(row.what, row.place, int(row.times)) for row in rows), key=_often)
