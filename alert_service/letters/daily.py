"""The daily letter: the record's head, the day in figures, and whether the record is whole. Made once a day.

It is a letter of the outbox from the moment it is made, so that neither a crash nor an absent mail server loses it.
What it says is kept as it was then.
"""

import asyncio
import logging
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.chain import arrivals, chain
from alert_service.letters import day_story, gathering, mailbox, sheet
from alert_service.letters.day_story import DayStory
from alert_service.letters.release import DAILY
from alert_service.letters.sheet import Fact, Sheet, Written
from alert_service.record import walk
from alert_service.tables import dailies, deliveries, events, is_moment
from alert_service.tables import letters as outbox
from alert_service.telling import wording
from alert_service.telling.cleaning import NAME_CHARACTERS, clean
from alert_service.telling.policy import MASTERS
from alert_service.telling.reader import Reader
from shared.keeping.database import Store
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.words import local_time
from shared.words.internal_alerts import ChainBroken, ChainStatus
from shared.words.languages import later
from shared.words.names import Severity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

NEVER = "never"
_PATROL_SECONDS = 20.0
_OPEN = "open"
DAILY_THREAD = "daily"
"""The daily letters stand together."""


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a daily letter says. Times are in seconds since 1970; `critical` counts letters by how they ended."""

    day: str
    since: float
    until: float
    row: int
    hash: str
    events: int
    security: int
    critical: dict[str, int]
    sent: int
    waiting: int
    refused: int
    gathered: dict[str, int]
    removed: dict[str, int]
    status: ChainStatus
    story: DayStory = DayStory()


class Due(NamedTuple):
    """When a daily letter was due (UTC), and for which day of the home's."""

    day: date
    moment: datetime


class DailyLetter:
    """Makes the daily letter of one store at `at` ("07:00" in `zone`, or "never")."""

    def __init__(
        self, store: Store, at: str, zone: tzinfo, status: Callable[[], ChainStatus], *, now: Callable[[], float]
    ) -> None:
        self._store = store
        self._at = at
        self._zone = zone
        self._status = status
        self._now = now

    async def run(self, *, made: Callable[[], None]) -> None:
        """Make it whenever it is due, until cancelled; `made` is called then."""
        while self._at != NEVER:
            try:
                if await self.round():
                    made()
            except HomeError as error:
                log.error("The daily letter cannot be made yet", extra=facts(reason=error))
            leave_if_stopped()
            await asyncio.sleep(_PATROL_SECONDS)

    async def round(self) -> bool:
        """Make the letter if it is due and there is somebody to read it; True when it was made."""
        due = last_due(self._at, self._zone, datetime.fromtimestamp(self._now(), tz=UTC))
        async with self._store.read() as connection:
            if await _since(connection, due) is None:
                return False
        async with self._store.write() as connection:
            since = await _since(connection, due)
            people = mailbox.addresses(MASTERS, await mailbox.known_people(connection))
            if since is None or not people:
                return False
            made = await _figures(connection, due.day.isoformat(), since, self._now(), self._status())
            await _put(connection, made, people)
        log.info("Daily letter made", extra=facts(day=made.day, row=made.row))
        return True


def last_due(at: str, zone: tzinfo, now: datetime) -> Due:
    """The newest moment not after `now` at which the clock in `zone` showed `at`, and the day whose that is."""
    hour, minute = (int(part) for part in at.split(":"))
    today = now.astimezone(zone).date()
    days = (today - timedelta(days=back) for back in (0, 1, 2))
    moments = (Due(day, local_time.first(datetime.combine(day, time(hour, minute)), zone)) for day in days)
    return next(due for due in moments if due.moment <= now)


def write(figures: Figures, reader: Reader) -> Written:
    """The letter, in the reader's language."""
    say, status = reader.say, figures.status
    day = reader.tongue.day(datetime.fromisoformat(figures.day), UTC)
    broken = status.broken
    if broken is not None:
        state = say(later("BROKEN at row {row}"), row=broken.row)
    else:
        state = say(later("whole")) if status.checked_at is not None else say(later("not checked yet"))
    told = say(later("Daily record of {day}: {state}"), day=day, state=state)
    made = Sheet(
        headline=say(later("{day}: the record is {state}."), day=day, state=state),
        urgent=broken is not None,
        warning=_broken(broken, reader) if broken is not None else "",
        paragraphs=day_story.tell(figures.story, _stands(figures, state, reader), reader),
        facts=tuple(_facts(figures, reader)),
        buttons=sheet.buttons(reader),
        notes=(say(later("Head of the record:")),),
        proof=(sheet.Proof(figures.row, figures.hash),),
        keep=later(
            "Keep this letter: `homesystem audit verify --letters FOLDER` holds it against the record, and finds one "
            "that was cut off, set back or written anew."
        ),
    )
    mark = say(later("Security: ")) if broken is not None else ""
    written = sheet.write(f"{mark}{told}", made, DAILY_THREAD, reader)
    return written._replace(urgent=False)


def _stands(figures: Figures, state: str, reader: Reader) -> str:
    waiting = figures.waiting + figures.refused
    if waiting:
        return reader.say(later("The record is {state}; letters that wait: {count}."), state=state, count=waiting)
    return reader.say(later("The record is {state}, and no letter waits."), state=state)


def _broken(broken: ChainBroken, reader: Reader) -> str:
    return reader.say(
        later("Row {row} {reason}. On the hub, run `homesystem audit verify --letters FOLDER`."),
        row=broken.row,
        reason=reader.say(broken.reason),
    )


def _facts(figures: Figures, reader: Reader) -> Iterator[Fact]:
    say, status = reader.say, figures.status
    checked = (
        say(later("up to row {row}, {when}"), row=status.row, when=reader.exactly(at))
        if (at := status.checked_at) is not None
        else say(later("not since the service was started"))
    )
    yield Fact(say(later("Checked")), checked)
    yield Fact(say(later("From")), reader.exactly(datetime.fromtimestamp(figures.since, tz=UTC)))
    yield Fact(say(later("To")), reader.exactly(datetime.fromtimestamp(figures.until, tz=UTC)))
    events = say(later("{count}, of them {security} about security"), count=figures.events, security=figures.security)
    yield Fact(say(later("Events")), events)
    words: dict[str, str] = {
        **{str(name): told for name, told in wording.OUTCOMES.items()},
        _OPEN: later("not ended yet"),
    }
    critical = [f"{count} {say(words[name])}" for name in words if (count := figures.critical.get(name, 0))]
    yield Fact(say(later("Critical")), ", ".join(critical) or say(later("none")))
    yield Fact(
        say(later("Letters")), say(later("{sent} sent, {waiting} waiting"), sent=figures.sent, waiting=figures.waiting)
    )
    if figures.refused:
        yield Fact(say(later("Refused")), say(later("{count} by the mail server"), count=figures.refused))
    if figures.gathered:
        yield Fact(say(later("Gathered")), _list(figures.gathered))
    if figures.removed:
        days = say(later("{rows} (rows and day; their time was over)"), rows=_list(figures.removed))
        yield Fact(say(later("Removed")), days)


async def figures(connection: AsyncConnection, letter: int) -> Figures:
    """What a daily letter of the outbox says."""
    found = await connection.execute(select(dailies.c.figures).where(dailies.c.letter == letter))
    return msgspec.json.decode(found.scalar_one(), type=Figures)


class _Since(msgspec.Struct, frozen=True):
    """Up to where the last letter told, in seconds since 1970 and in rows."""

    time: float
    row: int


async def _since(connection: AsyncConnection, due: Due) -> _Since | None:
    """From where the letter that is due tells on; None where it was made already, or the record is younger than it."""
    last = (await connection.execute(select(dailies).order_by(dailies.c.day.desc()).limit(1))).first()
    if last is not None:
        before = msgspec.json.decode(last.figures, type=Figures)
        return _Since(before.until, before.row) if last.day < due.day.isoformat() else None
    first = select(events.c.received_at).where(is_moment(events.c.received_at)).order_by(events.c.row).limit(1)
    oldest = (await connection.execute(first)).scalar()
    if oldest is None or chain.from_microseconds(oldest) > due.moment:
        return None
    return _Since(oldest / 1_000_000, 0)


async def _figures(connection: AsyncConnection, day: str, since: _Since, now: float, status: ChainStatus) -> Figures:
    newest = select(events.c.row, events.c.hash).order_by(events.c.row.desc()).limit(1)
    # A record that somebody emptied has no row: a letter that says so is what the letters before it are held against.
    row, head = (await connection.execute(newest)).first() or (0, chain.GENESIS)
    severities = await _counts(connection, events.c.severity, events.c.row > since.row)
    told = events.c.row == func.coalesce(outbox.c.outcome, outbox.c.intent)
    lately = outbox.c.created_at >= since.time
    ended = select(func.coalesce(outbox.c.ended, _OPEN), func.count()).select_from(outbox.join(events, told))
    ended = ended.where(outbox.c.kind.not_in(gathering.KINDS))
    ended = ended.where(events.c.row > since.row, events.c.severity == Severity.CRITICAL.value)
    sent = select(func.count()).select_from(deliveries).where(deliveries.c.sent_at > since.time)
    mail = await mailbox.count(connection)
    return Figures(
        day=day,
        since=since.time,
        until=now,
        row=row,
        hash=str(head),
        events=sum(severities.values()),
        security=severities.get(Severity.SECURITY.value, 0),
        critical={str(one[0]): int(one[1]) for one in (await connection.execute(ended.group_by(outbox.c.ended))).all()},
        sent=(await connection.execute(sent)).scalar_one(),
        waiting=mail.waiting,
        refused=mail.refused,
        gathered=await _counts(connection, outbox.c.source, outbox.c.state == "gathered", lately),
        removed={day.day: day.rows for day in await walk.removed(connection) if day.told_in > since.row},
        status=status,
        story=await day_story.read(connection, since_row=since.row, since=since.time, until=now),
    )


async def _counts(connection: AsyncConnection, column: Any, *where: Any) -> dict[str, int]:
    found = await connection.execute(select(column, func.count()).where(*where).group_by(column))
    return {str(one[0]): int(one[1]) for one in found.all()}


async def _put(connection: AsyncConnection, made: Figures, people: list[str]) -> None:
    """Into the outbox, ready to leave; the day is its key, so that there is one."""
    letter = await connection.execute(
        insert(outbox).values(
            kind=DAILY,
            key=f"{DAILY}:{made.day}",
            round=1,
            source=arrivals.OURSELVES,
            audience=MASTERS,
            state="released",
            refused_by_gateway=False,
            created_at=made.until,
            released_at=made.until,
        )
    )
    assert letter.inserted_primary_key is not None
    number = int(letter.inserted_primary_key[0])
    text = msgspec.json.encode(made).decode()
    await connection.execute(insert(dailies).values(day=made.day, letter=number, figures=text))
    leaving = [mailbox.delivery(number, email, made.until) for email in people]
    await connection.execute(insert(deliveries), leaving)


def _list(counts: dict[str, int]) -> str:
    return ", ".join(f"{count} {clean(name, NAME_CHARACTERS)}" for name, count in counts.items())
