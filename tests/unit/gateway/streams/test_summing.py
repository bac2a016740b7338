"""When sums are told: at once, then not too often, and never all in one go."""

import asyncio

from gateway.streams.summing import Summing


class Ear:
    def __init__(self) -> None:
        self.told: list[str] = []
        self.heard = asyncio.Event()

    def __call__(self, room: str) -> None:
        self.told.append(room)
        self.heard.set()

    async def hears(self) -> None:
        await self.heard.wait()
        self.heard.clear()


async def test_a_room_is_told_at_once_and_what_follows_is_gathered() -> None:
    ear = Ear()
    summing = Summing(ear, pause=0.01)
    summing.note("hall")
    await ear.hears()
    for _ in range(5):
        summing.note("hall")
        summing.note("attic")
    await ear.hears()
    assert ear.told == ["hall", "hall", "attic"]


async def test_a_home_that_comes_up_as_a_whole_lets_others_go_in_between() -> None:
    ear = Ear()
    summing = Summing(ear, pause=0.0)
    rooms = [f"room-{number}" for number in range(100)]
    for room in rooms:
        summing.note(room)
    counts = []
    while len(ear.told) < len(rooms):
        await asyncio.sleep(0)
        counts.append(len(ear.told))
    assert ear.told == rooms
    assert max(b - a for a, b in zip([0, *counts], counts, strict=False)) <= 8
