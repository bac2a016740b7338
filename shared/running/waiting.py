"""Waits for a wake-up, or for the time after which one looks anyway."""

import asyncio
import contextlib


async def woken(event: asyncio.Event, seconds: float) -> None:
    """Wait until the event is set, at most so many seconds; it stays as it is.

    Not asyncio.wait_for: before Python 3.12 it may swallow a cancellation that comes with the wake-up.
    """
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
