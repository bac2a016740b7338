"""What the watch over happenings keeps, in SQL: how far it looked, what it watches, and what it gathers."""

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Row as SqlRow
from sqlalchemy import Select, delete, func, insert, select, update
from sqlalchemy import exists as sql_exists
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters import mailbox
from alert_service.tables import events, happenings, notice_sums, notices
from alert_service.telling.noticed import Happening
from alert_service.telling.tidings import DAY, Doubt, Tiding

_CURSOR = "noticed"
_KEPT = 40 * DAY
"""So long a notice is kept after it was told: longer than the happening itself."""
_FEW = 8
_ROOM_GONE, _ROOM_BACK = ("room:away", "room:offline"), ("room:back", "room:online-again")
_FAULTS = {"device:unreadable": "unreadable", "device:restless": "restless"}
_WELL = ("device:reads-again", "device:holds-still")


class Watched(msgspec.Struct, kw_only=True):
    """A notice. `shift`: by how much the hub's clock was set since; `end`: what ended it, once that is known."""

    id: int
    rule: str
    state: str
    happening: Happening
    due_at: int | None = None
    shift: int = 0
    end: Happening | None = None

    def is_due(self, now: int) -> bool:
        """Whether it is to be looked at by itself."""
        return self.due_at is not None and self.due_at <= now


class _Body(msgspec.Struct, frozen=True):
    happening: Happening
    shift: int
    end: Happening | None


class Sum(msgspec.Struct, kw_only=True):
    """What a rule tells in one letter: to whom, how many, and the first of them."""

    name: str
    to: tuple[str, ...]
    source: str
    count: int = 0
    late: bool = False
    last_at: int = 0
    tidings: tuple[Tiding, ...] = ()


async def cursor(connection: AsyncConnection) -> int | None:
    """The last happening that was looked at; None where nobody ever looked."""
    kept = await mailbox.remembered(connection, _CURSOR)
    return int(kept) if kept is not None else None


async def set_cursor(connection: AsyncConnection, number: int | None) -> None:
    """Everything up to `number` was looked at; None: nobody looks any more."""
    await mailbox.remember(connection, _CURSOR, str(number) if number is not None else None)


async def newest(connection: AsyncConnection) -> int:
    """The last happening there is, or 0."""
    return (await connection.execute(select(func.max(happenings.c.number)))).scalar() or 0


async def is_newer(connection: AsyncConnection) -> bool:
    """Whether there is any that nobody looked at."""
    return await newest(connection) > (await cursor(connection) or 0)


async def fresh(connection: AsyncConnection, after: int, limit: int) -> list[Happening]:
    """The next happenings, as they came."""
    wanted = _columns().where(happenings.c.number > after).order_by(happenings.c.number).limit(limit)
    return [_happening(one) for one in (await connection.execute(wanted)).all()]


async def last_seq(connection: AsyncConnection, source: str, before: int) -> int:
    """The highest number that a source gave to any happening that came before row `before`."""
    mine = select(func.max(happenings.c.seq)).where(happenings.c.source == source, happenings.c.number < before)
    return (await connection.execute(mine)).scalar() or 0


async def ends_after(connection: AsyncConnection, happening: Happening, what: str) -> list[Happening]:
    """The first few that may have ended a happening, of those that came already; `what` ends such a one."""
    wanted = _columns().where(happenings.c.place == happening.place, happenings.c.what == what)
    if happening.times > 1:
        wanted = wanted.where(happenings.c.at >= happening.at - DAY, happenings.c.until >= happening.until)
    else:
        wanted = wanted.where(happenings.c.at >= happening.at)
    wanted = wanted.order_by(happenings.c.at, happenings.c.number).limit(_FEW)
    return [_happening(one) for one in (await connection.execute(wanted)).all()]


async def active(connection: AsyncConnection) -> list[Watched]:
    """What is watched, or was told and lasts."""
    found = select(notices).where(notices.c.state.in_(("waiting", "open", "ended"))).order_by(notices.c.id)
    return [_watched(one) for one in (await connection.execute(found)).all()]


async def is_known(connection: AsyncConnection, rule: str, happening: Happening) -> bool:
    """Whether a rule dealt with it already: a file that was mended may know less of how far we came."""
    same = notices.c.rule == rule, notices.c.source == happening.source, notices.c.happening == happening.id
    return bool((await connection.execute(select(sql_exists().where(*same)))).scalar_one())


async def watch(
    connection: AsyncConnection, rule: str, happening: Happening, state: str, due_at: int | None
) -> Watched:
    """A new notice."""
    body = msgspec.json.encode(_Body(happening, 0, None)).decode()
    made = await connection.execute(
        insert(notices).values(
            rule=rule,
            source=happening.source,
            happening=happening.id,
            place=happening.place,
            state=state,
            due_at=due_at,
            body=body,
        )
    )
    assert made.inserted_primary_key is not None
    number = int(made.inserted_primary_key[0])
    return Watched(id=number, rule=rule, state=state, happening=happening, due_at=due_at)


async def keep(
    connection: AsyncConnection, one: Watched, due_at: int | None = None, *, told_at: int | None = None
) -> None:
    """A notice as it is now."""
    values: dict[str, Any] = {
        "state": one.state,
        "due_at": due_at,
        "body": msgspec.json.encode(_Body(one.happening, one.shift, one.end)).decode(),
    }
    if told_at is not None:
        values["told_at"] = told_at
    await connection.execute(update(notices).where(notices.c.id == one.id).values(**values))


async def drop(connection: AsyncConnection, one: Watched) -> None:
    """There is nothing to tell of it."""
    await connection.execute(delete(notices).where(notices.c.id == one.id))


async def told_since(connection: AsyncConnection, rule: str, place: str, since: int) -> int:
    """How many letters of a rule about a place were begun since then."""
    counting = select(func.count()).select_from(notices)
    counting = counting.where(notices.c.rule == rule, notices.c.place == place, notices.c.told_at > since)
    return (await connection.execute(counting)).scalar_one()


async def next_due(connection: AsyncConnection) -> int | None:
    """When something is to be looked at by itself."""
    moments = [
        (await connection.execute(select(func.min(column)))).scalar()
        for column in (notices.c.due_at, notice_sums.c.due_at)
    ]
    return min((moment for moment in moments if moment is not None), default=None)


async def not_before(connection: AsyncConnection, moment: int) -> None:
    """Nothing that is watched is looked at earlier: what is on its way to us comes first."""
    early = update(notices).where(notices.c.state == "waiting", notices.c.due_at < moment)
    await connection.execute(early.values(due_at=moment))


async def sums(connection: AsyncConnection) -> dict[str, tuple[int, Sum]]:
    """What is being gathered, by rule: when it is due, and what it is."""
    found = (await connection.execute(select(notice_sums))).all()
    return {one.rule: (one.due_at, msgspec.json.decode(one.body, type=Sum)) for one in found}


async def keep_sum(connection: AsyncConnection, rule: str, due_at: int, gathered: Sum | None) -> None:
    """What a rule gathers now; None: it was told."""
    await connection.execute(delete(notice_sums).where(notice_sums.c.rule == rule))
    if gathered is not None:
        body = msgspec.json.encode(gathered).decode()
        await connection.execute(insert(notice_sums).values(rule=rule, due_at=due_at, body=body))


async def forget_old(connection: AsyncConnection, now: int) -> None:
    """Drop what was told long ago, and what never ended in all that time."""
    await connection.execute(delete(notices).where(notices.c.told_at < now - _KEPT))


async def doubts(connection: AsyncConnection, happening: Happening) -> tuple[Doubt, ...]:
    """Why it may not last any more, though no end was heard: the room is away, or its input says nothing."""
    found = []
    room, slash, _ = happening.place.partition("/")
    if slash:
        away = await _since(connection, room, _ROOM_GONE, _ROOM_BACK)
        if away is not None:
            found.append(Doubt("room-away", away[1]))
        fault = await _since(connection, happening.place, tuple(_FAULTS), _WELL)
        if fault is not None:
            found.append(Doubt(_FAULTS[fault[0]], fault[1]))  # type: ignore[arg-type]
    return tuple(found)


async def _since(
    connection: AsyncConnection, place: str, gone: Sequence[str], well: Sequence[str]
) -> tuple[str, int] | None:
    """Which of two states a place was last told to be in, by the record or beside it: `gone`, and since when."""
    last: list[tuple[int, str, int]] = []
    for table, order in ((events, events.c.row), (happenings, happenings.c.number)):
        wanted = select(table.c.what, table.c.at, table.c.received_at)
        wanted = wanted.where(table.c.place == place, table.c.what.in_((*gone, *well)))
        one = (await connection.execute(wanted.order_by(order.desc()).limit(1))).first()
        if one is not None:
            last.append((one.received_at, one.what, one.at))
    if not last:
        return None
    _, what, at = max(last)
    return (what, at) if what in gone else None


def _columns() -> Select[Any]:
    return select(
        happenings.c.number,
        happenings.c.source,
        happenings.c.id,
        happenings.c.seq,
        happenings.c.what,
        happenings.c.place,
        happenings.c.at,
        happenings.c.until,
        happenings.c.received_at,
        happenings.c.times,
        happenings.c.event,
    )


def _happening(found: SqlRow[*tuple[Any, ...]]) -> Happening:
    return Happening(**found._asdict())


def _watched(found: SqlRow[*tuple[Any, ...]]) -> Watched:
    body = msgspec.json.decode(found.body, type=_Body)
    return Watched(
        id=found.id,
        rule=found.rule,
        state=found.state,
        happening=body.happening,
        due_at=found.due_at,
        shift=body.shift,
        end=body.end,
    )
