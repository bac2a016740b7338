"""A wait ends with its event or with its time, and never swallows a cancellation."""

import asyncio

import pytest

from shared.running.waiting import woken


async def test_it_ends_with_the_event_and_with_the_time() -> None:
    event = asyncio.Event()
    await woken(event, 0.0)
    assert not event.is_set()
    event.set()
    await woken(event, 3600.0)
    assert event.is_set()


async def test_a_cancellation_that_comes_with_the_event_is_not_lost() -> None:
    event = asyncio.Event()
    waiting = asyncio.create_task(woken(event, 3600.0))
    await asyncio.sleep(0)
    event.set()
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
