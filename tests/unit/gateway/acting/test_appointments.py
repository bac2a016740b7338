"""Appointments at their time: carried out once, as the wish of who made them; what is not ours is left."""

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateway.acting.appointments import Appointments
from gateway.acting.wish import Wish
from gateway.picture.home import Home
from shared.words.internal import Registry
from shared.words.names import Action, ConfirmBy
from shared.words.pending import PendingWish
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.gateway import parts

NOON = datetime(2031, 5, 4, 12, tzinfo=UTC)


class Town:
    """One gateway's appointments; the auth service and the commands as the test says."""

    def __init__(self) -> None:
        self.home = Home()
        self.absence = "room-offline"
        entry = parts.confirmed_by(parts.HALL_ENTRY, "front-door", ConfirmBy.APPOINTMENT)
        self.home.set_registry(Registry(rooms=(entry,)))
        self.home.hear_availability("hall", parts.online(), retained=False, now=1.0)
        self.now = NOON
        self.asked: list[str] = []
        self.over: list[tuple[str, str | None]] = []
        self.done: list[Wish] = []
        self.gives: Callable[[PendingWish], PendingWish] = lambda wish: wish
        self.answers: HomeError | None = None
        self.hangs: asyncio.Event | None = None
        self.moved = asyncio.Event()
        self.appointments = Appointments(self.home, self, self, local=lambda: self.now, wall=self.wall)

    def wall(self) -> float:
        return self.now.timestamp()

    def put_up(self, **more: Any) -> PendingWish:
        """Ada's, for noon, unless `more` says otherwise."""
        wish = parts.wish("front-door", Action.UNLOCK, **({"due": NOON} | more))
        self.home.show(self.home.pending.add(wish))
        self.appointments.look()
        return wish

    async def came_due(self, wish: PendingWish, local: datetime) -> PendingWish:
        self.asked.append(wish.id)
        self.moved.set()
        assert local == self.now
        return self.gives(wish)

    async def went(self, wish: PendingWish, reason: str | None) -> None:
        self.over.append((wish.id, reason))
        self.home.show(self.home.pending.drop(wish.room, wish.device, wish.id))
        self.moved.set()
        if self.answers is not None and self.answers.slug == "auth-unreachable":
            raise self.answers

    async def execute(self, wish: Wish) -> None:
        self.done.append(wish)
        self.moved.set()
        if self.hangs is not None:
            await self.hangs.wait()
        if self.answers is not None:
            raise self.answers

    def away(self, room: str) -> str | None:
        return None if self.home.status(room) == "online" else self.absence

    async def until(self, reached: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not reached():
                await self.moved.wait()
                self.moved.clear()


@pytest.fixture
async def town(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Town]:
    monkeypatch.setattr("gateway.acting.appointments._AGAIN_SECONDS", 0.001)
    made = Town()
    running = asyncio.create_task(made.appointments.run())
    yield made
    running.cancel()
    await asyncio.wait((running,))


async def turns(town: Town) -> None:
    """The loop looked several times."""
    for _ in range(20):
        await asyncio.sleep(0.001)
    assert town.home.pending.appointments() is not None


async def test_at_its_time_it_is_done_as_the_wish_of_who_made_it(town: Town) -> None:
    wish = town.put_up()
    await town.until(lambda: bool(town.over))
    (done,) = town.done
    assert (done.id, done.user, done.action, done.due) == (wish.id, wish.by, "unlock", NOON)
    assert done.issued_at == NOON.timestamp(), "by which the room knows how late it is"
    assert town.over == [(wish.id, None)]


async def test_before_its_time_and_too_late_nobody_is_asked_for_it(town: Town) -> None:
    town.now = NOON - timedelta(seconds=1)
    town.put_up()
    await turns(town)
    assert town.asked == []
    town.now = NOON + timedelta(seconds=5)
    await turns(town)
    assert (town.asked, town.done) == ([], [])


async def test_what_another_gateway_was_given_is_left_to_it(town: Town) -> None:
    def gives(_wish: PendingWish) -> PendingWish:
        raise HomeError("wish-over")

    town.gives = gives
    town.put_up()
    await town.until(lambda: len(town.asked) > 2)
    assert (town.done, town.over) == ([], [])


async def test_while_the_auth_service_is_away_it_is_tried_again_within_its_seconds(town: Town) -> None:
    def gives(wish: PendingWish) -> PendingWish:
        if len(town.asked) < 3:
            raise HomeError("auth-unreachable")
        return wish

    town.gives = gives
    town.put_up()
    await town.until(lambda: bool(town.over))
    assert (len(town.asked), len(town.done)) == (3, 1)


async def test_of_a_room_that_is_away_it_is_not_taken_and_goes_when_it_is_back_in_time(town: Town) -> None:
    town.home.hear_availability("hall", parts.offline(), retained=False, now=2.0)
    town.put_up()
    await turns(town)
    assert town.asked == []
    town.home.hear_availability("hall", parts.online("s2"), retained=False, now=3.0)
    await town.until(lambda: bool(town.over))
    assert len(town.done) == 1


@pytest.mark.parametrize("absence", ["room-offline", "broker-unreachable"])
async def test_a_room_that_went_while_it_was_given_is_told_as_why_nothing_was_sent(town: Town, absence: str) -> None:
    town.absence = absence

    def gives(wish: PendingWish) -> PendingWish:
        town.home.hear_availability("hall", parts.offline(), retained=False, now=2.0)
        return wish

    town.gives = gives
    wish = town.put_up()
    await town.until(lambda: bool(town.over))
    assert (town.done, town.over) == ([], [(wish.id, absence)])


async def test_a_device_that_is_gone_is_told_as_why(town: Town) -> None:
    wish = town.put_up(room="hall", number="w9")
    gone = parts.wish("window", Action.UNLOCK, due=NOON, number="w9")
    town.gives = lambda _: gone
    await town.until(lambda: bool(town.over))
    assert town.over == [(wish.id, "unknown-device")]


@pytest.mark.parametrize("slug", ["expired", "no-proof", "unknown", "locked-out", "room-offline"])
async def test_how_it_ended_is_the_commands_own_record(town: Town, slug: str) -> None:
    town.answers = HomeError(slug)
    wish = town.put_up()
    await town.until(lambda: bool(town.over))
    assert town.over == [(wish.id, None)], "a critical command is recorded, whatever came of it"


async def test_a_slow_room_has_it_once(town: Town) -> None:
    town.hangs = asyncio.Event()
    town.put_up()
    await town.until(lambda: bool(town.done))
    await turns(town)
    assert (len(town.asked), len(town.done)) == (1, 1)
    town.hangs.set()
    await town.until(lambda: bool(town.over))


async def test_two_at_one_time_do_not_wait_for_one_another(town: Town) -> None:
    town.hangs = asyncio.Event()
    town.put_up()
    town.put_up(number="w2")
    wish = parts.wish("front-door", Action.LOCK, due=NOON, number="w3")
    town.home.show(town.home.pending.add(wish))
    await town.until(lambda: len(town.done) == 2)
    town.hangs.set()
    await town.until(lambda: len(town.over) == 2)


async def test_an_auth_service_that_cannot_be_told_how_it_went_ends_nothing_here(town: Town) -> None:
    town.answers = HomeError("auth-unreachable")
    town.put_up()
    await town.until(lambda: bool(town.over))
    town.answers = None
    town.put_up(number="w2")
    await town.until(lambda: len(town.over) == 2)
