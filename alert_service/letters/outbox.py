"""Settles letters, sorts them out and has them carried: one carrier for mail, and one for each further way."""

import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from datetime import tzinfo

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from alert_service.letters import daily, gathering, letters, lockdown, mailbox, notices, opening, release, tidings
from alert_service.letters.carrier import PATROL_SECONDS, Carrier, Pace, Way
from alert_service.letters.mailbox import Due, Told
from alert_service.letters.release import OtherWay
from alert_service.letters.sheet import Written
from alert_service.telling.names import Names
from alert_service.telling.policy import HOUSE_POLICY, Policy
from alert_service.telling.reader import Links, Reader
from alert_service.telling.story import Story
from shared.keeping.database import Store
from shared.mail import Letter
from shared.running import backoff
from shared.running.lifecycle import leave_if_stopped
from shared.running.log import facts
from shared.running.waiting import woken
from shared.words.languages import DEFAULT, Language, tongue
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

DIGEST_LINES = 200
"""What a digest lists; critical commands that were or may have been carried out come first and are never cut."""


class Manner(msgspec.Struct, frozen=True, kw_only=True):
    """How letters are written and how fast they may go; `alone` is how many of a party leave before a digest."""

    zone: tzinfo
    per_minute: int
    alone: int
    pages: str | None = None
    language: Language = DEFAULT
    names: Names = msgspec.field(default_factory=Names)
    policy: Policy = HOUSE_POLICY


class Further(msgspec.Struct, frozen=True):
    """A way beside mail, and whether it tells urgent letters alone."""

    way: Way
    urgent_only: bool = False


class Outbox:
    """The letters of one database; `mail` takes them, and each of `further` what the master users are told.

    None is sorted out, nor mailed, before it is `settled` where people read now: whoever is new is in no letter else.
    """

    def __init__(
        self,
        store: Store,
        mail: Way,
        manner: Manner,
        *,
        further: Sequence[Further] = (),
        settled: Callable[[], bool] = lambda: True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._settled = settled
        self._store = store
        self._manner = manner
        self._now = now
        self._woken = asyncio.Event()
        self.ways = tuple(OtherWay(one.way.name, one.urgent_only) for one in further)

        self._resting = False
        pace = Pace(manner.per_minute, manner.alone)
        self.mail = Carrier(store, mail, self._letter, pace, now=now, tidy=self._regather, settled=settled)
        self.carriers = (self.mail, *(Carrier(store, one.way, self._letter, pace, now=now) for one in further))

    @property
    def resting(self) -> bool:
        """Whether nothing is under way and nobody waits for an absent server."""
        return self._resting and all(carrier.resting for carrier in self.carriers)

    def wake(self) -> None:
        """Something may have become due."""
        self._woken.set()

    def put_in(self) -> None:
        """Letters were put in that are ready to be carried."""
        for carrier in self.carriers:
            carrier.wake()

    def people_changed(self) -> None:
        """Letters may have got other recipients."""
        self._woken.set()
        for carrier in self.carriers:
            carrier.wake()

    async def run(self) -> None:
        """Sort out and send until cancelled."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._sort_out(), name="sorting")
            for carrier in self.carriers:
                group.create_task(carrier.run(), name=f"carrier {carrier.way.name}")

    async def sort(self) -> float:
        """Settle what is due and let it leave; returns the seconds until there may be more."""
        self._woken.clear()
        now = self._now()
        async with self._store.write() as connection:
            await opening.expire(connection, now)
            manner = self._manner
            released = await release.release(
                connection, now, manner.alone, manner.policy, self.ways, settled=self._settled
            )
            upcoming = await release.next_time(connection)
        if released:
            for carrier in self.carriers:
                carrier.wake()
        if released == release.RELEASE_LIMIT:
            return 0.0
        return PATROL_SECONDS if upcoming is None else min(PATROL_SECONDS, max(0.05, upcoming - now))

    async def _sort_out(self) -> None:
        trouble = 0
        while True:
            leave_if_stopped()
            try:
                wait = await self.sort()
                trouble = 0
            except HomeError as error:
                log.error("Letters cannot be sorted out yet", extra=facts(reason=error))
                wait = backoff.delay(trouble, first=1.0, most=30.0)
                trouble += 1
            leave_if_stopped()  # swallowed by the last step, it would be missed until the next
            self._resting = True
            await woken(self._woken, wait)
            self._resting = False

    async def _regather(self, connection: AsyncConnection, now: float) -> int:
        moved = await release.regather(connection, now, self._manner.alone)
        if moved:
            self._woken.set()
        return moved

    async def _letter(self, due: Due) -> Letter:
        """The letter of a delivery, written anew for each try: what is known may have grown."""
        async with self._store.read() as connection:
            told = await mailbox.told(connection, due.letter)
            language = await mailbox.language_of(connection, due.recipient)
            reader = self._reader(language, await lockdown.stands(connection))
            if told.kind == release.DAILY:
                figures = await daily.figures(connection, told.letter)
                return _addressed(due, told, daily.write(figures, reader))
            if told.kind == release.NOTICE:
                notice = await tidings.told(connection, told.letter)
                return _addressed(due, told, notices.write(notice, told.source, reader))
            if told.kind in gathering.KINDS:
                count, first = await mailbox.gathered(connection, told.letter, DIGEST_LINES)
                stories = await release.stories_of(connection, first)
            else:
                count, stories = 1, await release.stories_of(connection, [told])
        return _addressed(due, told, self._write(told, count, stories, reader))

    def _reader(self, language: Language | None, locked_down: bool) -> Reader:
        """Whoever reads there; without a language of their own, in the home's."""
        manner = self._manner
        links = Links(manner.pages) if manner.pages is not None else None
        spoken = tongue(language or manner.language)
        return Reader(zone=manner.zone, tongue=spoken, names=manner.names, links=links, locked_down=locked_down)

    def _write(self, told: Told, count: int, stories: list[Story], reader: Reader) -> Written:
        if told.kind == gathering.DIGEST:
            return letters.write_digest(told.source, count, stories, reader)
        if told.kind == gathering.REFUSED:
            return letters.write_refused(told.source, count, stories, reader)
        urgent = any(one is not None and one.urgent for one in (self._manner.policy.decide(x.matter) for x in stories))
        if len(stories) > 1:
            return letters.write_together(stories, reader, urgent=urgent)
        return letters.write(stories[0], reader, urgent=urgent)


def _addressed(due: Due, told: Told, written: Written) -> Letter:
    return Letter(
        to=due.recipient,
        subject=written.subject,
        text=written.text,
        html=written.html,
        message_id=_message_id(told, due.recipient),
        thread=written.thread,
        urgent=written.urgent,
    )


def _message_id(told: Told, recipient: str) -> str:
    """The same for every try, so that a mailbox can tell a repeat."""
    return hashlib.sha256(f"{told.key} {told.round} {recipient}".encode()).hexdigest()[:32]
