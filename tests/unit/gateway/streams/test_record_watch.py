"""The record is followed while somebody looks, told once per news, and no oftener than is bearable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.streams import record_watch
from shared.words.problem import HomeError


class FakeRecord:
    """Answers each question as the test says."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[int] = asyncio.Queue()
        self.answers: asyncio.Queue[int | HomeError] = asyncio.Queue()

    async def head(self, after: int) -> int:
        self.asked.put_nowait(after)
        answer = await self.answers.get()
        if isinstance(answer, HomeError):
            raise answer
        return answer


class FakeFollowers:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.some = asyncio.Event()
        self.told: asyncio.Queue[int] = asyncio.Queue()

    async def followed(self) -> None:
        await self.some.wait()

    def tell_recorded(self, row: int) -> None:
        self.told.put_nowait(row)


@asynccontextmanager
async def watching() -> AsyncIterator[tuple[FakeRecord, FakeFollowers]]:
    record, followers = FakeRecord(), FakeFollowers()
    task = asyncio.create_task(record_watch.run(record, followers, pause=0.0))
    try:
        yield record, followers
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def test_nothing_is_asked_while_nobody_looks() -> None:
    async with watching() as (record, followers):
        await asyncio.sleep(0)
        assert record.asked.empty()
        followers.some.set()
        assert await record.asked.get() == 0


async def test_each_news_is_told_once_and_asked_beyond() -> None:
    async with watching() as (record, followers):
        followers.some.set()
        for asked, answer in ((0, 7), (7, 7), (7, 9)):
            assert await record.asked.get() == asked
            record.answers.put_nowait(answer)
        assert await record.asked.get() == 9
        assert [followers.told.get_nowait() for _ in range(2)] == [7, 9]
        assert followers.told.empty()


async def test_a_service_that_is_away_is_asked_again() -> None:
    async with watching() as (record, followers):
        followers.some.set()
        for answer in (HomeError("alerts-unreachable"), HomeError("alerts-unreachable"), 3):
            await record.asked.get()
            record.answers.put_nowait(answer)
        assert await followers.told.get() == 3


async def test_a_record_that_was_restored_from_a_backup_is_followed_from_where_it_is() -> None:
    async with watching() as (record, followers):
        followers.some.set()
        for asked, answer in ((0, 9), (9, 4)):
            assert await record.asked.get() == asked
            record.answers.put_nowait(answer)
        assert await record.asked.get() == 4
