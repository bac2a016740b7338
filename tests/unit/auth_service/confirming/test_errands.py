"""Work after the answer: a failure ends the errand alone, and stopping ends them all."""

import asyncio
import logging

import pytest

from auth_service.confirming import errands as module
from auth_service.confirming.errands import Errands
from shared.words.problem import HomeError


async def fail(error: Exception) -> None:
    """An errand that goes wrong."""
    raise error


@pytest.mark.parametrize("error", [HomeError("internal"), ZeroDivisionError("a mistake of ours")])
async def test_failing_errand_is_logged_and_harms_nothing(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        errands.start(fail(error), "doomed")
        await errands.settled()
        done = asyncio.Event()

        async def succeed() -> None:
            done.set()

        errands.start(succeed(), "next")
        await errands.settled()
    assert done.is_set()
    assert caplog.messages == ["Errand failed"]
    assert (caplog.records[0].levelno == logging.ERROR) == isinstance(error, ZeroDivisionError)


async def test_too_many_errands_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 1)
    async with asyncio.TaskGroup() as group:
        errands, release = Errands(group), asyncio.Event()

        async def wait() -> None:
            await release.wait()

        errands.start(wait(), "first")
        with pytest.raises(HomeError, match="rate-limited"):
            errands.start(wait(), "second")
        release.set()
        await errands.settled()
        errands.start(wait(), "third")


async def test_stopping_the_service_cancels_errands() -> None:
    cancelled = asyncio.Event()

    async def endless() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    async def service() -> None:
        async with asyncio.TaskGroup() as group:
            Errands(group).start(endless(), "endless")
            await asyncio.Event().wait()

    task = asyncio.create_task(service())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait({task})
    assert task.cancelled()
    assert cancelled.is_set()
