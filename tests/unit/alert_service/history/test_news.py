"""Whoever waits for news of the record is woken, once for each, and never left waiting."""

import asyncio

from alert_service.history.news import News

LONG = 3600.0


async def test_what_is_told_while_one_looks_elsewhere_is_not_missed() -> None:
    news = News()
    async with news.waiting(LONG) as one:
        news.tell()
        assert await one.more()
        waiting = asyncio.create_task(one.more())
        await asyncio.sleep(0)
        assert not waiting.done()
        news.tell()
        assert await waiting


async def test_the_time_is_up_at_last() -> None:
    async with News().waiting(0.0) as one:
        assert not await one.more()


async def test_when_we_stop_nobody_waits_on() -> None:
    news = News()
    async with news.waiting(LONG) as one:
        waiting = asyncio.create_task(one.more())
        await asyncio.sleep(0)
        news.close()
        assert not await waiting
        assert not await one.more()
    async with news.waiting(LONG) as late:
        assert not await late.more()


async def test_whoever_left_is_forgotten() -> None:
    news = News()
    async with news.waiting(LONG):
        pass
    assert news._waiting == set()
