"""Two gateways' counts in one real Redis: they add up, and go on where it is killed and comes back."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, closing, suppress
from pathlib import Path

import pytest

from gateway.config import LimitsConfig
from gateway.door import together
from gateway.door.limits import Limits
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.integration.redis_parts import Redis


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[Redis]:
    made = Redis(tmp_path)
    made.start()
    with closing(made):
        yield made


@asynccontextmanager
async def gateway(url: str) -> AsyncIterator[Limits]:
    table = Limits(LimitsConfig(reads="6/hour"))
    alone = table.share
    running = asyncio.create_task(together.run(table, url))
    try:
        await until(lambda: table.share is not alone)
        yield table
    finally:
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running


async def until(what: Callable[[], object]) -> None:
    async with asyncio.timeout(DEADLINE):
        while not what():  # noqa: ASYNC110 - nobody is told of it: requests find it, as this does
            await asyncio.sleep(0.05)


def hit(table: Limits, times: int = 1, key: str = "user:1") -> None:
    for _ in range(times):
        table.hit("reads", key)


def left(table: Limits, key: str = "user:1") -> int:
    return int(table.told("reads", (key,))[1].partition("r=")[2].partition(";")[0])


async def test_limits_add_up_across_two_gateways(redis: Redis) -> None:
    async with gateway(redis.url) as one, gateway(redis.url) as other:
        hit(one, 3)
        hit(other, 3)
        await until(lambda: left(one) == left(other) == 0)
        for table in (one, other):
            with pytest.raises(HomeError, match="rate-limited") as refused:
                hit(table)
            assert 3500 < refused.value.facts["retry_after"] <= 3600
        hit(other, key="user:2")
        await until(lambda: redis.stored().count("homesystem:gateway") == 2)
        assert "user" not in redis.stored()


async def test_a_gateway_that_comes_later_knows_what_was_counted(redis: Redis) -> None:
    async with gateway(redis.url) as one:
        hit(one, 5)
        await until(lambda: "homesystem" in redis.stored())
    async with gateway(redis.url) as later:
        hit(later)
        await until(lambda: left(later) == 0)


async def test_where_it_is_killed_each_counts_for_itself_and_together_again_afterwards(redis: Redis) -> None:
    async with gateway(redis.url) as one, gateway(redis.url) as other:
        hit(one)
        hit(other)
        await until(lambda: left(one) == left(other) == 4)
        redis.kill()
        hit(one, 4)
        with pytest.raises(HomeError, match="rate-limited"):
            hit(one)
        assert left(other) == 4
        redis.start()
        await until(lambda: "homesystem" in redis.stored())
        hit(other)
        await until(lambda: left(other) <= 1)
