"""The record is followed while somebody looks, told once per news, and no oftener than is bearable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from gateway.streams import record_watch
from shared.words.internal_alerts import AuditHead
from shared.words.problem import HomeError


class FakeRecord:
    """Answers each question as the test says."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[tuple[int, int]] = asyncio.Queue()
        self.answers: asyncio.Queue[tuple[int, int] | HomeError] = asyncio.Queue()

    async def head(self, after: int, happening: int) -> AuditHead:
        self.asked.put_nowait((after, happening))
        answer = await self.answers.get()
        if isinstance(answer, HomeError):
            raise answer
        return AuditHead(row=answer[0], happening=answer[1])


class FakeFollowers:
    """Keeps what it is told."""

    def __init__(self) -> None:
        self.some = asyncio.Event()
        self.told: asyncio.Queue[tuple[int, int]] = asyncio.Queue()

    async def followed(self) -> None:
        await self.some.wait()

    def tell_recorded(self, row: int, happening: int) -> None:
        self.told.put_nowait((row, happening))


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
        assert await record.asked.get() == (0, 0)


async def test_each_news_is_told_once_and_asked_beyond() -> None:
    async with watching() as (record, followers):
        followers.some.set()
        for asked, answer in (((0, 0), (7, 0)), ((7, 0), (7, 0)), ((7, 0), (7, 4))):
            assert await record.asked.get() == asked
            record.answers.put_nowait(answer)
        assert await record.asked.get() == (7, 4)
        assert [followers.told.get_nowait() for _ in range(2)] == [(7, 0), (7, 4)]
        assert followers.told.empty()


async def test_a_service_that_is_away_is_asked_again() -> None:
    async with watching() as (record, followers):
        followers.some.set()
        for answer in (HomeError("alerts-unreachable"), HomeError("alerts-unreachable"), (3, 0)):
            await record.asked.get()
            record.answers.put_nowait(answer)
        assert await followers.told.get() == (3, 0)


async def test_a_record_that_was_restored_from_a_backup_is_followed_from_where_it_is() -> None:
    async with watching() as (record, followers):
        followers.some.set()
        for asked, answer in (((0, 0), (9, 2)), ((9, 2), (4, 1))):
            assert await record.asked.get() == asked
            record.answers.put_nowait(answer)
        assert await record.asked.get() == (4, 1)
