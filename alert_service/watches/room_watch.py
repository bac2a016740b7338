"""Watches the rooms at the broker and records who is away and who is back, as events of our own.

Twice: a room with a critical device that stays away is an event of the record, with a letter; that any room went and
came, be it for seconds, is a happening. What was told is found again, so that a restart neither repeats nor forgets it.
"""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import func, select

from alert_service.chain.arrivals import OURSELVES, Arrival
from alert_service.record.records import as_row
from alert_service.tables import events, happenings
from alert_service.watches.presence import Back, Gone, Presence
from shared.broker.bus import Delivery
from shared.broker.mqtt import Subscription
from shared.keeping.database import Store
from shared.running.lifecycle import go_round
from shared.running.log import facts
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Availability, Description, Who, utc
from shared.words.names import Outcome, Severity, is_identity
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

SUBSCRIPTIONS = (Subscription(topics.ALL_DESCRIPTIONS, qos=0), Subscription(topics.ALL_AVAILABILITY, qos=0))
"""Of no use when they are old, and kept they would push audit events out of the broker's queue."""
OFFLINE, ONLINE_AGAIN = "room:offline", "room:online-again"
AWAY, BACK = "room:away", "room:back"
_LOOK_SECONDS = 1.0


class Words(NamedTuple):
    """What it is called that a room is away, and that it is back."""

    away: str
    back: str
    severity: Severity
    away_is: Outcome
    at_once: bool
    """Whether that it is away is told as of the moment in which it went, else as of the one in which we say so."""


CRITICAL = Words(OFFLINE, ONLINE_AGAIN, Severity.CRITICAL, Outcome.FAILED, at_once=False)
PASSING = Words(AWAY, BACK, Severity.INFO, Outcome.EXECUTED, at_once=True)


class RoomWatch:
    """Hears the rooms; `record` takes an event of ours and returns once it is committed."""

    def __init__(
        self,
        presence: Presence,
        away: dict[str, float],
        record: Callable[[Arrival], Awaitable[None]],
        *,
        words: Words = CRITICAL,
        now: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._presence = presence
        self._away = away
        self._record = record
        self._words = words
        self._now = now
        self._monotonic = monotonic
        self._due: asyncio.Queue[Arrival] = asyncio.Queue()

    def hear(self, delivery: Delivery) -> bool:
        """Take a message from the bus; whether it was about a room."""
        parsed = topics.parse(delivery.topic)
        if parsed is None or parsed.kind not in {topics.TopicKind.AVAILABILITY, topics.TopicKind.DESCRIPTION}:
            return False
        if is_identity(parsed.room):
            try:
                self._fold(parsed, delivery)
            except HomeError as error:
                log.warning("A room's message cannot be read", extra=facts(room=parsed.room, reason=error))
        return True

    def link_up(self) -> None:
        """Our own link came up."""
        self._presence.link_up(self._monotonic())

    def link_down(self) -> None:
        """Our own link is gone."""
        self._presence.link_down()

    async def run(self) -> None:
        """Look every second, and record what is to be told, until cancelled."""
        await go_round(self.look, _LOOK_SECONDS)

    async def look(self) -> None:
        """Once."""
        for gone in self._presence.look(self._monotonic()):
            self._note(gone)
        while not self._due.empty():
            await self._record(self._due.get_nowait())

    def _fold(self, parsed: topics.Topic, delivery: Delivery) -> None:
        if parsed.kind is topics.TopicKind.DESCRIPTION:
            described = messages.decode(Description, delivery.payload) if delivery.payload else None
            self._presence.describe(parsed.room, described)
        elif delivery.payload:
            said = messages.decode(Availability, delivery.payload)
            now = self._monotonic()
            change = self._presence.hear(parsed.room, said, retained=delivery.retained, now=now)
            if change is not None:
                self._note(change)

    def _note(self, change: Gone | Back) -> None:
        now = at = self._now()
        if isinstance(change, Gone):
            since = self._away[change.room] = now - change.seconds
            what, outcome = self._words.away, self._words.away_is
            detail = {"since": _moment(since)}
            at = since if self._words.at_once else now
        else:
            since = self._away.pop(change.room, now)
            what, outcome = self._words.back, Outcome.EXECUTED
            detail = {"since": _moment(since), "away": duration(now - since)}
        level = logging.INFO if self._words.severity is Severity.INFO else logging.WARNING
        log.log(level, "Room came or went", extra=facts(what=what, room=change.room, **detail))
        if change.name:
            detail["name"] = change.name
        event = AuditEvent(
            id=f"{what.partition(':')[2]}:{change.room}:{int(now * 1000)}",
            at=utc(at),
            what=what,
            where=change.room,
            who=Who(issuer=OURSELVES),
            outcome=outcome,
            severity=self._words.severity,
            detail=detail,
        )
        self._due.put_nowait(Arrival(OURSELVES, event))


async def told_away(store: Store) -> dict[str, float]:
    """The rooms that were last told to be away, and since when, in seconds since 1970; from the record."""
    ours = events.c.source == OURSELVES, events.c.what.in_((OFFLINE, ONLINE_AGAIN))
    last = select(func.max(events.c.row)).where(*ours).group_by(events.c.place)
    wanted = select(events).where(events.c.row.in_(last), events.c.what == OFFLINE)
    async with store.read() as connection:
        found = (await connection.execute(wanted)).all()
    rows = [as_row(one) for one in found]
    return {row.event.where: _since(row.event).timestamp() for row in rows}


async def away_now(store: Store) -> dict[str, float]:
    """The rooms of which it happened last that they went, and when, in seconds since 1970."""
    ours = happenings.c.source == OURSELVES, happenings.c.what.in_((AWAY, BACK))
    last = select(func.max(happenings.c.number)).where(*ours).group_by(happenings.c.place)
    wanted = select(happenings.c.place, happenings.c.at).where(happenings.c.number.in_(last))
    async with store.read() as connection:
        found = (await connection.execute(wanted.where(happenings.c.what == AWAY))).all()
    return {one.place: one.at / 1_000_000 for one in found}


def _since(event: AuditEvent) -> datetime:
    try:
        return datetime.fromisoformat(event.detail["since"])
    except (KeyError, ValueError):
        return event.at


def duration(seconds: float) -> str:
    """A length of time in words."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest if not hours and not days else 0, "s"))
    return " ".join(f"{number} {unit}" for number, unit in parts if number) or "a moment"


def _moment(seconds: float) -> str:
    return utc(round(seconds)).isoformat()
