"""Counting together: what each gateway counted adds up in all, and none stands still while the store is away."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Hashable

import pytest

from gateway.config import LimitsConfig
from gateway.door.limits import Limits
from gateway.door.sharing import Sharing
from shared.words.problem import HomeError
from tests.house import DEADLINE


class AwayError(Exception):
    """The store cannot be reached."""


class FakeStore:
    """One window a key, for everyone; `away` raises."""

    def __init__(self) -> None:
        self.counts: dict[str, int] = {}
        self.away = False
        self.meanwhile: Callable[[], object] = lambda: None

    async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
        await asyncio.sleep(0)
        if self.away:
            raise AwayError
        self.counts[key] = self.counts.get(key, 0) + amount
        self.meanwhile()
        return self.counts[key]

    async def get(self, key: str) -> int:
        if self.away:
            raise AwayError
        return self.counts.get(key, 0)

    async def get_expiry(self, key: str) -> float:
        return time.time() + 60


class Gateway:
    """One gateway's counts, and its exchange."""

    def __init__(self, store: FakeStore, rate: str = "6/minute") -> None:
        self.limits = Limits(LimitsConfig(reads=rate))
        self.sharing = Sharing(store, self.limits.windows, away=AwayError)
        self.limits.share = self.sharing.note

    def hit(self, times: int = 1, key: str = "user:1") -> None:
        for _ in range(times):
            self.limits.hit("reads", key)

    def left(self, key: str = "user:1") -> str:
        return self.limits.told("reads", (key,))[1]


async def test_what_two_gateways_count_adds_up() -> None:
    store = FakeStore()
    one, other = Gateway(store), Gateway(store)
    one.hit(3)
    await one.sharing.exchange()
    other.hit(3)
    await other.sharing.exchange()
    with pytest.raises(HomeError, match="rate-limited"):
        other.hit()
    await one.sharing.exchange()  # it looks, though nothing more came here
    with pytest.raises(HomeError, match="rate-limited") as refused:
        one.hit()
    assert 1 <= refused.value.facts["retry_after"] <= 60
    one.hit(key="user:2")


async def test_what_comes_in_meanwhile_is_neither_lost_nor_counted_twice() -> None:
    store = FakeStore()
    one = Gateway(store, "100/minute")
    one.hit(2)
    came = [1]
    store.meanwhile = lambda: one.hit() if came and came.pop() else None
    await one.sharing.exchange()
    assert one.left() == '"reads";r=97;t=60'
    await one.sharing.exchange()
    assert sum(store.counts.values()) == 3
    assert one.left() == '"reads";r=97;t=60'


async def test_while_the_store_is_away_each_counts_for_itself_and_tells_afterwards() -> None:
    store = FakeStore()
    one, other = Gateway(store), Gateway(store)
    store.away = True
    one.hit(4)
    with pytest.raises(AwayError):
        await one.sharing.exchange()
    one.hit()
    store.away = False
    await one.sharing.exchange()
    assert sum(store.counts.values()) == 5
    other.hit()
    await other.sharing.exchange()
    with pytest.raises(HomeError, match="rate-limited"):
        other.hit()


async def test_a_store_that_forgot_does_not_make_a_gateway_forget() -> None:
    store = FakeStore()
    one = Gateway(store)
    one.hit(6)
    await one.sharing.exchange()
    store.counts.clear()
    await one.sharing.exchange()
    with pytest.raises(HomeError, match="rate-limited"):
        one.hit()


async def test_nobodys_name_or_address_stands_in_the_store() -> None:
    store = FakeStore()
    one = Gateway(store)
    one.hit(key="address:192.0.2.7")
    await one.sharing.exchange()
    (key,) = store.counts
    assert "192.0.2.7" not in key
    assert len(key) == 64


async def test_while_it_is_away_memory_is_not_filled_without_end() -> None:
    store = FakeStore()
    store.away = True
    one = Gateway(store)
    for number in range(10_050):
        one.hit(key=f"address:{number}")
    kept: dict[Hashable, tuple[int, int]] = one.sharing._fresh
    assert len(kept) == 10_000


async def test_it_goes_on_by_itself_and_ends_when_it_is_cancelled() -> None:
    store = FakeStore()
    one = Gateway(store)
    told = asyncio.Event()
    store.meanwhile = told.set
    running = asyncio.create_task(one.sharing.run())
    store.away = True
    one.hit()
    await asyncio.sleep(0)
    store.away = False
    async with asyncio.timeout(30):
        await told.wait()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running


@pytest.mark.parametrize("away", [False, True])
async def test_it_ends_though_the_store_swallows_that_it_is_told_to(away: bool) -> None:
    """As redis-py does, which answers, or says that the store is away, in its place."""
    asked = asyncio.Event()

    class Swallowing(FakeStore):
        async def incr(self, key: str, expiry: int, amount: int = 1) -> int:
            asked.set()
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
            self.away = away
            return await super().incr(key, expiry, amount)

    one = Gateway(Swallowing())
    running = asyncio.create_task(one.sharing.run())
    one.hit()
    await asked.wait()
    running.cancel()
    await asyncio.wait({running}, timeout=DEADLINE)
    ended = running.cancelled()
    running.cancel()  # a second time nothing swallows it
    assert ended
