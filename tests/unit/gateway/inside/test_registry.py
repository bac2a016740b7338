"""The registry is fetched, rooms are told, and an auth service that is away loses nothing."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Iterable
from typing import cast

import msgspec
import pytest

from gateway.inside import registry
from gateway.inside.auth_client import AuthClient
from gateway.inside.registry import Registrar
from gateway.picture.changes import Change, DescriptionChanged
from gateway.picture.home import Home
from shared.words.internal import LockoutChange, RegisteredRoom, Registry, RoomSeen
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.gateway.parts import HALL, HALL_ENTRY, LAMP, online, registered, with_lockout


class FakeAuth:
    def __init__(self) -> None:
        self.away = False
        self.enrolled = {"hall"}
        self.rooms: dict[str, RegisteredRoom] = {}
        self.told: list[str] = []
        self.asked = 0
        self.called = asyncio.Event()

    async def ping(self) -> None:
        if self.away:
            raise HomeError("auth-unreachable")

    async def registry(self) -> Registry:
        self.asked += 1
        self.called.set()
        if self.away:
            raise HomeError("auth-unreachable")
        return Registry(rooms=tuple(self.rooms.values()))

    async def room_seen(self, room: str, seen: RoomSeen) -> RegisteredRoom:
        self.called.set()
        if self.away:
            raise HomeError("auth-unreachable")
        self.told.append(room)
        if room not in self.enrolled:
            raise HomeError("not-found")
        self.rooms[room] = RegisteredRoom(id=room, name=seen.name, devices=tuple(registered(d) for d in seen.devices))
        return self.rooms[room]

    async def lock_out(self, room: str, device: str, wanted: LockoutChange) -> RegisteredRoom:
        if self.away:
            raise HomeError("auth-unreachable")
        self.rooms[room] = with_lockout(self.rooms[room], device, locked_out=wanted.locked_out)
        return self.rooms[room]


class House:
    def __init__(self) -> None:
        self.auth = FakeAuth()
        self.home = Home()
        self.changes: list[Change] = []
        self.changed = asyncio.Event()
        self.registrar = Registrar(cast("AuthClient", self.auth), self.home, apply=self.apply)

    def apply(self, changes: Iterable[Change]) -> None:
        self.changes += changes
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                for event in (self.changed, self.auth.called):
                    event.clear()
                waits = [asyncio.ensure_future(e.wait()) for e in (self.changed, self.auth.called)]
                await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
                for wait in waits:
                    wait.cancel()
                await asyncio.sleep(0)


@pytest.fixture
async def house() -> AsyncIterator[House]:
    made = House()
    task = asyncio.create_task(made.registrar.run())
    yield made
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_what_a_room_says_is_told_and_then_stands(house: House) -> None:
    house.home.hear_description("hall", HALL)
    house.registrar.seen(HALL)
    await house.until(lambda: house.home.device("hall", "lamp") is not None)
    house.registrar.seen(HALL)
    await house.registrar.refresh()
    assert house.auth.told == ["hall"], "the same description is told once"


async def test_a_room_that_is_there_is_told_of_again_after_a_day(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    house.home.hear_description("hall", HALL)
    house.home.hear_availability("hall", online(), retained=False, now=0.0)
    house.registrar.seen(HALL)
    await house.until(lambda: house.home.device("hall", "lamp") is not None)
    monkeypatch.setattr(registry, "TELL_AGAIN_SECONDS", 0.0)
    house.registrar.outdated()
    await house.until(lambda: house.auth.told == ["hall", "hall"])


async def test_what_is_to_be_told_waits_for_the_auth_service(house: House) -> None:
    house.auth.away = True
    house.home.hear_description("hall", HALL)
    house.registrar.seen(HALL)
    asked = house.auth.asked
    await house.until(lambda: house.auth.asked > asked)
    assert house.home.rooms() == ()
    house.auth.away = False
    await house.until(lambda: house.home.device("hall", "lamp") is not None)


async def test_the_last_registry_stands_while_the_auth_service_is_away(house: House) -> None:
    house.auth.rooms["hall"] = HALL_ENTRY
    await house.registrar.refresh()
    house.auth.away = True
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.registrar.refresh()
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.registrar.answers()
    assert house.home.device("hall", "lamp") is not None


async def test_a_room_that_nobody_enrolled_is_refused_and_the_others_go_on(house: House) -> None:
    cellar = msgspec.structs.replace(HALL, room="cellar")
    house.registrar.seen(cellar)
    house.registrar.seen(HALL)
    await house.until(lambda: "hall" in house.auth.rooms)
    assert house.auth.told == ["cellar", "hall"]


async def test_a_later_description_replaces_what_waits(house: House) -> None:
    house.auth.away = True
    house.registrar.seen(HALL)
    house.registrar.seen(msgspec.structs.replace(HALL, devices=(LAMP,)))
    house.auth.away = False
    await house.until(lambda: "hall" in house.auth.rooms)
    assert [d.id for d in house.auth.rooms["hall"].devices] == ["lamp"]


async def test_an_auth_service_that_answers_is_not_asked_for_the_whole_registry_again(house: House) -> None:
    await house.registrar.refresh()
    asked = house.auth.asked
    assert await house.registrar.answers()
    assert house.auth.asked == asked


async def test_without_a_registry_an_answer_is_not_enough() -> None:
    registrar = Registrar(FakeAuth(), Home(), apply=list)  # type: ignore[arg-type]  # the part that is asked
    assert not await registrar.answers()


async def test_a_revoked_room_is_told_no_more(house: House) -> None:
    house.auth.away = True
    house.home.hear_availability("hall", online(), retained=False, now=0.0)
    house.registrar.seen(HALL)
    house.registrar.forget("hall")
    house.auth.away = False
    await house.registrar.refresh()
    assert house.auth.told == []


def lockout_of_the_lamp(house: House) -> str | None:
    view = house.home.view("hall", "lamp")
    return view.lockout_by if view is not None else "no lamp"


async def test_a_lock_out_stands_here_as_soon_as_the_auth_service_has_it(house: House) -> None:
    house.auth.rooms["hall"] = HALL_ENTRY
    await house.registrar.refresh()
    await house.registrar.lock_out("hall", "lamp", LockoutChange(locked_out=True, by="u", address=""))
    assert lockout_of_the_lamp(house) == "master"
    assert DescriptionChanged("hall") in house.changes
    house.auth.away = True
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.registrar.lock_out("hall", "lamp", LockoutChange(locked_out=False, by="u", address=""))
    assert lockout_of_the_lamp(house) == "master"


async def test_what_changed_elsewhere_is_fetched_without_waiting(house: House) -> None:
    house.auth.rooms["hall"] = HALL_ENTRY
    await house.registrar.refresh()
    house.auth.rooms["hall"] = with_lockout(HALL_ENTRY, "lamp", locked_out=True)
    house.registrar.outdated()
    await house.until(lambda: lockout_of_the_lamp(house) == "master")


async def test_what_changed_while_the_registry_was_fetched_is_fetched_again(house: House) -> None:
    house.auth.rooms["hall"] = HALL_ENTRY
    fetch = house.auth.registry

    async def slowly() -> Registry:
        found = await fetch()
        house.auth.registry = fetch  # type: ignore[method-assign]  # as it was
        house.auth.rooms["hall"] = with_lockout(HALL_ENTRY, "lamp", locked_out=True)
        house.registrar.outdated()
        return found

    house.auth.registry = slowly  # type: ignore[method-assign]  # it changes while it is on its way
    house.registrar.outdated()
    await house.until(lambda: lockout_of_the_lamp(house) == "master")
