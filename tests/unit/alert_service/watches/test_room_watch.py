"""The rooms' words become events in the record, which is also where a restart finds what was told."""

import asyncio
from typing import Literal

from alert_service.chain.arrivals import Arrival
from alert_service.happenings import keeping
from alert_service.happenings.passing import MONTH, is_passing
from alert_service.record import records
from alert_service.watches.presence import Presence
from alert_service.watches.room_watch import PASSING, RoomWatch, away_now, duration, told_away
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Availability, utc
from shared.words.names import Outcome, Severity
from tests.unit.alert_service.parts import HOUSE, START, Clock
from tests.unit.alert_service.watches.test_presence import description


def about(topic: str, payload: bytes, *, retained: bool = False) -> Delivery:
    return Delivery(topic, payload, retained=retained, connection=None, mid=0)


def heartbeat(status: Literal["online", "offline"]) -> Delivery:
    said = Availability(status=status, at=utc(0), session="s")
    return about(topics.availability("hall"), messages.encode(said))


class Watched:
    """A watch whose events are recorded, as the service does it."""

    def __init__(self, store: Store, clock: Clock, away: dict[str, float]) -> None:
        self.store, self.clock = store, clock
        self.told: list[AuditEvent] = []
        self.watch = RoomWatch(Presence(60, away), away, self.record, now=clock, monotonic=clock)
        self.watch.link_up()
        self.watch.hear(about(topics.description("hall"), messages.encode(description()), retained=True))

    async def record(self, arrival: Arrival) -> None:
        async with self.store.write() as connection:
            await records.record(connection, [arrival], self.clock(), HOUSE)
        self.told.append(arrival.event)

    async def wait(self, seconds: int) -> None:
        for _ in range(seconds):
            self.clock.time += 1
            await self.watch.look()


async def test_a_room_that_goes_and_comes_back_is_recorded_with_since_when_and_how_long(
    store: Store, clock: Clock
) -> None:
    house = Watched(store, clock, {})
    house.watch.hear(heartbeat("offline"))
    await house.wait(61)
    (gone,) = house.told
    assert (gone.what, gone.where, gone.severity, gone.outcome) == (
        "room:offline",
        "hall",
        Severity.CRITICAL,
        Outcome.FAILED,
    )
    assert gone.detail == {"since": utc(START).isoformat(), "name": "Hall"}
    # The service starts anew: nothing is repeated, and it knows since when.
    assert await told_away(store) == {"hall": START}
    again = Watched(store, clock, await told_away(store))
    again.watch.hear(heartbeat("offline"))
    await again.wait(200)
    assert again.told == []
    again.watch.hear(heartbeat("online"))
    await again.wait(1)
    (back,) = again.told
    assert (back.what, back.outcome) == ("room:online-again", Outcome.EXECUTED)
    assert back.detail["away"] == "4 min 21 s"
    assert await told_away(store) == {}


class Comings(Watched):
    """A watch for what happens, kept as the service does it."""

    def __init__(self, store: Store, clock: Clock, away: dict[str, float]) -> None:
        super().__init__(store, clock, away)
        presence = Presence(0, away, every=True)
        self.watch = RoomWatch(presence, away, self.record, words=PASSING, now=clock, monotonic=clock)
        self.watch.link_up()
        self.watch.hear(about(topics.description("hall"), messages.encode(description(critical=False))))

    async def record(self, arrival: Arrival) -> None:
        assert is_passing(arrival)
        async with self.store.write() as connection:
            await keeping.keep(connection, [arrival], self.clock(), MONTH)
        self.told.append(arrival.event)


async def test_that_any_room_was_away_for_seconds_is_a_happening_across_a_restart(store: Store, clock: Clock) -> None:
    house = Comings(store, clock, {})
    house.watch.hear(heartbeat("online"))
    await house.wait(5)
    house.watch.hear(heartbeat("offline"))
    await house.wait(2)
    (gone,) = house.told
    assert (gone.what, gone.where, gone.at, gone.severity) == ("room:away", "hall", utc(START + 5), Severity.INFO)
    assert await away_now(store) == {"hall": START + 5}
    again = Comings(store, clock, await away_now(store))
    again.watch.hear(heartbeat("offline"))  # what the broker keeps of it
    await again.wait(100)
    assert again.told == [], "it is not told twice"
    again.watch.hear(heartbeat("online"))
    await again.wait(1)
    (back,) = again.told
    assert (back.what, back.at, back.detail["away"]) == ("room:back", utc(START + 107), "1 min 42 s")
    assert await away_now(store) == {}


async def test_a_room_that_is_back_before_anybody_looks_was_away_all_the_same(store: Store, clock: Clock) -> None:
    house = Comings(store, clock, {})
    for _ in range(2):
        house.watch.hear(heartbeat("online"))
        house.watch.hear(heartbeat("offline"))
    house.watch.hear(heartbeat("online"))
    await house.wait(1)
    assert [(one.what, one.at) for one in house.told] == [("room:away", utc(START)), ("room:back", utc(START))] * 2
    assert await away_now(store) == {}


async def test_rubbish_from_a_room_is_its_own_and_other_topics_are_not_ours(store: Store, clock: Clock) -> None:
    watch = Watched(store, clock, {}).watch
    assert watch.hear(about(topics.availability("hall"), b"{"))
    assert watch.hear(about(topics.description("hall"), b'{"room": 1}'))
    assert watch.hear(about(topics.description("hall"), b""))
    assert not watch.hear(about(topics.audit("hall"), b"{}"))


async def test_it_looks_until_it_is_cancelled(store: Store, clock: Clock) -> None:
    house = Watched(store, clock, {})
    task = asyncio.create_task(house.watch.run())
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()


def test_durations_are_told_in_words() -> None:
    told = [duration(x) for x in (0.2, 59, 61, 3600, 90061)]
    assert told == ["a moment", "59 s", "1 min 1 s", "1 h", "1 d 1 h 1 min"]
