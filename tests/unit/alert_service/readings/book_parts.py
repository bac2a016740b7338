"""What a book must do, whichever database is behind it."""

from alert_service.readings.asking import Asking
from alert_service.readings.book import LATE_SECONDS, Book, Kept
from alert_service.readings.keeper import SETTLE_SECONDS, Keeper
from alert_service.readings.rooms import Device
from shared.broker.bus import Delivery
from shared.keeping.database import Store
from shared.words import messages, topics
from shared.words.internal_readings import ReadingPoint, ReadingsQuery
from shared.words.names import Kind
from tests.unit.alert_service.readings.parts import START, described, offline, online, state

LAMP, AIR = Device("hall", "lamp", Kind.SWITCH), Device("hall", "air", Kind.TEMPERATURE)
KEPT = Kept(raw_days=2, five_minute_days=3, hourly_days=30)
DAY = 86_400


class Recorder:
    """A keeper over a store, on clocks that are set by hand."""

    def __init__(self, store: Store, now: float = START, kept: Kept = KEPT) -> None:
        self.store, self.kept = store, kept
        self.wall, self.steady = float(now), 1000.0
        self.book = Book(store)
        self.keeper = Keeper(self.book, kept, now=lambda: self.wall, steady=lambda: self.steady)
        self.asking = Asking(self.book, self.keeper, kept, now=lambda: self.wall)

    async def begin(self) -> None:
        """Open, connect, and let the hall introduce itself."""
        await self.keeper.open()
        await self.keeper.link_up()
        self.hear(topics.description("hall"), described(lamp=Kind.SWITCH, air=Kind.TEMPERATURE))
        self.hear(topics.availability("hall"), online())
        await self.wait(SETTLE_SECONDS)

    def hear(self, topic: str, message: messages.Message, *, retained: bool = False) -> None:
        self.keeper.hear(
            Delivery(topic=topic, payload=messages.encode(message), retained=retained, connection=None, mid=1)
        )

    def say(self, device: Device, value: str | float | None, *, fault: str | None = None) -> None:
        self.hear(topics.state(device.room, device.id), state(value, self.wall, fault))

    def leave(self) -> None:
        self.hear(topics.availability("hall"), offline())

    async def wait(self, seconds: float, *, beats: bool = True) -> None:
        """Let time pass, with heartbeats, and a write a minute."""
        for _ in range(int(seconds // 10)):
            self.wall += 10
            self.steady += 10
            if beats and self.wall % 30 == 0:
                self.hear(topics.availability("hall"), online())
            await self.keeper.look()
            if self.wall % 60 == 0:
                assert await self.keeper.write()

    async def pass_by(self, seconds: float) -> None:
        """Much time at once, in which all holds."""
        self.wall += seconds
        self.steady += seconds
        self.keeper.rooms.hear_of("hall", online(), now=int(self.wall * 1000), steady=self.steady)
        for _ in range(1 + int(seconds // (7 * DAY))):
            assert await self.keeper.write()

    async def ask(
        self, device: Device, since: float, until: float, step: int | None = None
    ) -> tuple[ReadingPoint, ...]:
        query = ReadingsQuery(
            room=device.room, device=device.id, kind=device.kind, since=int(since), until=int(until), step=step
        )
        return (await self.asking.answer(query)).points


async def what_was_said_is_answered_from_rows_and_from_sums_alike(store: Store) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    await recorder.wait(290)
    recorder.say(AIR, 20.0)
    recorder.say(LAMP, "on")
    await recorder.wait(150)
    recorder.say(AIR, 22.0)
    recorder.say(LAMP, "off")
    await recorder.wait(60)
    recorder.say(AIR, None, fault="sensor")
    await recorder.wait(60)
    recorder.say(AIR, 21.0)
    fresh = await recorder.ask(AIR, START + 300, START + 900, 300)
    assert [(point.known, point.fault, point.count) for point in fresh] == [(210.0, 60.0, 2), (0.0, 0.0, 0)]
    await recorder.wait(600 + LATE_SECONDS)
    assert recorder.book.summed_until >= START + 900
    summed = await recorder.ask(AIR, START + 300, START + 900, 300)
    assert (summed[0].min, summed[0].max, summed[0].mean) == (
        20.0,
        22.0,
        (150 * 20 + 60 * 22 + 30 * 21) / 240,
    )
    assert (summed[0].known, summed[0].fault) == (240.0, 60.0)
    assert (summed[1].min, summed[1].mean, summed[1].known) == (21.0, 21.0, 300.0)
    by_hand = await recorder.ask(AIR, START + 300, START + 600, 10)
    assert sum(point.known for point in by_hand) == 240.0
    lamp = await recorder.ask(LAMP, START + 300, START + 900, 300)
    assert [point.on for point in lamp] == [150.0, 0.0]


async def a_room_away_is_a_gap_and_so_are_we(store: Store) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    recorder.say(AIR, 20.0)
    await recorder.wait(290)
    recorder.leave()
    await recorder.wait(300, beats=False)
    recorder.hear(topics.availability("hall"), online())
    await recorder.wait(1000)
    points = await recorder.ask(AIR, START + 300, START + 1200, 300)
    assert [point.known for point in points] == [0.0, 300.0, 300.0]
    assert points[0].mean is None
    again = Recorder(store, recorder.wall + 900)
    await again.begin()
    again.say(AIR, 23.0)
    await again.wait(900)
    absent = await again.ask(AIR, recorder.wall - recorder.wall % 300 + 300, recorder.wall + 600, 300)
    assert [point.known for point in absent] == [0.0] * len(absent)


async def what_is_over_its_time_goes_and_what_still_holds_stays(store: Store) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    recorder.say(LAMP, "off")
    await recorder.wait(60)
    recorder.say(LAMP, "on")
    await recorder.wait(60)
    for _ in range(20):
        await recorder.pass_by(DAY)
    now = recorder.wall
    newest = await recorder.ask(LAMP, now - 3600, now, 10)
    assert sum(point.on for point in newest) == 3600.0
    rows = await recorder.book.rows(recorder.book.ids[LAMP], 0, 2**62)
    assert [row.said.value for row in rows] == [1.0]
    old = await recorder.ask(LAMP, now - 10 * DAY, now - 9 * DAY, 60)
    assert {point.seconds for point in old} == {3600}
    assert sum(point.on for point in old) >= DAY
    for _ in range(20):
        await recorder.pass_by(DAY)
    gone = await recorder.ask(LAMP, START - START % DAY, START + DAY)
    assert sum(point.known for point in gone) == 0.0


async def a_clock_that_jumps_is_bounded(store: Store) -> None:
    recorder = Recorder(store)
    await recorder.begin()
    recorder.say(LAMP, "on")
    await recorder.wait(600)
    # Ahead by thirty years, and for two minutes: nothing of before is removed.
    recorder.wall += 30 * 365 * DAY
    await recorder.keeper.look()
    for _ in range(2):
        assert await recorder.keeper.write()
    recorder.wall -= 30 * 365 * DAY
    await recorder.keeper.look()
    recorder.say(LAMP, "off")
    assert await recorder.keeper.write()
    before = await recorder.ask(LAMP, START, START + 600, 300)
    assert sum(point.on for point in before) >= 580.0
    # A day later the clock is believed, and what it dated ahead is taken out.
    recorder.wall += DAY
    recorder.steady += DAY
    await recorder.keeper._turn()
    recorder.keeper.rooms.hear_of("hall", online(), now=int(recorder.wall * 1000), steady=recorder.steady)
    recorder.say(LAMP, "on")
    assert await recorder.keeper.write()
    rows = await recorder.book.rows(recorder.book.ids[LAMP], 0, 2**62)
    assert max(row.at for row in rows) <= recorder.wall * 1000 + 1000
    assert sum(point.on for point in await recorder.ask(LAMP, START, START + 600, 300)) >= 580.0
