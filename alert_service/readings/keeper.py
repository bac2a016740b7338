"""Hears the rooms and has the book written once a minute, whatever the broker, the disk or the clock does meanwhile."""

import logging
import time
from collections.abc import Callable
from fnmatch import fnmatchcase

from alert_service.readings.book import Book, Kept
from alert_service.readings.rooms import Device, Rooms
from alert_service.readings.timeline import Row, Timeline
from shared.broker.bus import Delivery
from shared.broker.mqtt import Subscription
from shared.running.believed import Believed
from shared.running.lifecycle import go_round
from shared.running.log import facts
from shared.running.seldom import Seldom
from shared.words import messages, topics
from shared.words.messages import Availability, Description, State
from shared.words.names import is_identity
from shared.words.problem import HomeError
from shared.words.topics import TopicKind

log = logging.getLogger(__name__)

SUBSCRIPTIONS = tuple(
    # Of no use when they are old: what is retained says all that counts.
    Subscription(topic, qos=0)
    for topic in (topics.ALL_DESCRIPTIONS, topics.ALL_AVAILABILITY, topics.ALL_STATES)
)
WRITE_SECONDS = 60.0
SETTLE_SECONDS = 10.0
"""After a connection every room's retained words come at once; whose did not is not there."""
STEP_MS = 60_000
"""A clock that runs ahead by more at once was set, or slept: nobody listened in between."""
_LOOK_SECONDS = 1.0
_REMOVE_SECONDS = 3600.0
_COMPLAINT_SECONDS = 600.0


class Keeper:
    """One book, kept. `write_seconds` is for tests alone."""

    def __init__(
        self,
        book: Book,
        kept: Kept,
        *,
        off: tuple[str, ...] = (),
        write_seconds: float = WRITE_SECONDS,
        now: Callable[[], float] = time.time,
        steady: Callable[[], float] = time.monotonic,
    ) -> None:
        self.failing = False
        self.link_up_at: float | None = None
        self._book = book
        self._kept = kept
        self._off = off
        self._every = write_seconds
        self._now = now
        self._steady = steady
        self._settled = False
        self._clock = Believed(0, now=now, steady=steady)
        self._removed_at = float("-inf")
        self._complaints = Seldom(_COMPLAINT_SECONDS, most=64)
        self.rooms = Rooms({}, known_until=0)
        self._known_until = 0

    async def open(self) -> None:
        """Read what the book knows. To be called before anything else."""
        known = await self._book.open(self._ms())
        self._known_until = known.known_until
        self._clock = Believed(known.known_until / 1000, now=self._now, steady=self._steady)
        self.rooms = Rooms(known.last, known_until=known.known_until, is_wanted=self._is_wanted)

    def hear(self, delivery: Delivery) -> None:
        """Take a message from the bus."""
        parsed = topics.parse(delivery.topic)
        if parsed is None or not is_identity(parsed.room):
            return
        try:
            self._fold(parsed, delivery)
        except HomeError as error:
            if self._complaints.is_due(delivery.topic, self._steady()):
                self._complaints.said(delivery.topic, self._steady())
                log.warning("A room's message cannot be read", extra=facts(topic=delivery.topic, reason=error))

    async def link_up(self) -> None:
        """Our link came up."""
        self.link_up_at, self._settled = self._steady(), False

    def link_down(self) -> None:
        """Our link is gone."""
        if self.link_up_at is not None:
            self._known_until = max(self._known_until, self._ms()) if self._settled else self._known_until
            self.rooms.link_down(self._ms())
        self.link_up_at = None

    async def run(self) -> None:
        """Write every minute until cancelled, and once more then."""
        try:
            await go_round(self._turn, self._every)
        finally:
            self.rooms.link_down(self.known_until())
            await self.write()

    async def watch(self) -> None:
        """Look every second at who is silent, and at the clock."""
        await go_round(self.look, _LOOK_SECONDS)

    async def look(self) -> None:
        """Once."""
        steady, now = self._steady(), self._ms()
        if step := round(self._clock.look() * 1000):
            log.warning("The hub's clock was set", extra=facts(seconds=step / 1000))
        if step > STEP_MS:
            self.rooms.pass_over(now - step, now)
        self.rooms.look(steady)
        if not self._settled and self.link_up_at is not None and steady - self.link_up_at >= SETTLE_SECONDS:
            self._settled = True
            self.rooms.settle()

    def known_until(self) -> int:
        """Up to when (milliseconds) it is known how things were."""
        return (
            max(self._known_until, self._ms()) if self._settled and self.link_up_at is not None else self._known_until
        )

    def heard_until(self, device: Device) -> int:
        """Up to when it is known how a device was: now, while we listen, also before the sums may go on so far."""
        timeline = self.rooms.timelines.get(device)
        if self.link_up_at is None or timeline is None:
            return self.known_until()
        return max(self._known_until, self._ms()) if timeline.unsure_from is None else timeline.unsure_from

    def waiting(self, device: Device) -> list[Row]:
        """A device's rows that are not written yet."""
        timeline = self.rooms.timelines.get(device)
        return [] if timeline is None else list(timeline.waiting)

    async def write(self) -> bool:
        """Write what waits; whether that was possible."""
        taken: list[tuple[Timeline, list[Row]]] = []
        added: dict[Device, list[Row]] = {}
        for device, timeline in self.rooms.waiting():
            rows = timeline.take()
            taken.append((timeline, rows))
            added[device] = rows
        self._known_until = self.known_until()
        try:
            await self._book.write(added, self._known_until, self._kept, remove_before=self._remove_before())
        except BaseException as error:
            for timeline, rows in taken:
                timeline.put_back(rows)
            if not isinstance(error, HomeError | OSError):
                raise
            self.failing = True
            return False
        self.failing = False
        self.rooms.floor = max(self.rooms.floor, self._book.summed_until * 1000)
        return True

    async def _turn(self) -> None:
        await self._see_to_what_lies_ahead()
        await self.write()

    async def _see_to_what_lies_ahead(self) -> None:
        """What a wrong clock dated later than now stays for a day, as this one may be the wrong one; then it goes."""
        now = self._ms()
        if self._known_until - now <= STEP_MS or not self._clock.is_steady:
            return
        log.warning(
            "Readings of later than now are taken out", extra=facts(until=messages.utc(self._known_until / 1000))
        )
        try:
            await self._book.turn_back(now)
        except (HomeError, OSError):
            self.failing = True
            return
        self._known_until = now
        self.rooms.turn_back(now)

    def _remove_before(self) -> int | None:
        """Now, in seconds, where it is time to remove; never further on than the clock is believed."""
        steady = self._steady()
        if steady - self._removed_at < _REMOVE_SECONDS:
            return None
        self._removed_at = steady
        return int(self._clock.time())

    def _is_wanted(self, place: str) -> bool:
        return not any(fnmatchcase(place, pattern) for pattern in self._off)

    def _ms(self) -> int:
        return int(self._now() * 1000)

    def _fold(self, parsed: topics.Topic, delivery: Delivery) -> None:
        now, steady = self._ms(), self._steady()
        if parsed.kind is TopicKind.DESCRIPTION:
            described = messages.decode(Description, delivery.payload) if delivery.payload else None
            self.rooms.describe(parsed.room, described, now)
        elif not delivery.payload:
            return
        elif parsed.kind is TopicKind.AVAILABILITY:
            there = messages.decode(Availability, delivery.payload)
            self.rooms.hear_of(parsed.room, there, now=now, steady=steady)
        elif parsed.kind is TopicKind.STATE and is_identity(parsed.device):
            state = messages.decode(State, delivery.payload)
            self.rooms.hear(parsed.room, parsed.device, state, retained=delivery.retained, now=now, steady=steady)
