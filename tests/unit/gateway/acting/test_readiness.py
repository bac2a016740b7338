"""Ready is what answers now: each part within its time, and one look for all who ask at once."""

import asyncio
from typing import Any, cast

import pytest

from gateway.acting import readiness
from gateway.acting.readiness import Readiness
from gateway.picture.home import Home
from shared.words.problem import HomeError


class Parts:
    """Broker, auth service and spool in one, each as the test wants it."""

    def __init__(self) -> None:
        self.connected = True
        self.silent: set[str] = set()
        self.looks = 0

    def beat(self) -> asyncio.Future[int] | None:
        self.looks += 1
        word: asyncio.Future[int] = asyncio.get_running_loop().create_future()
        if "broker" not in self.silent:
            word.set_result(0)
        return word if "lost" not in self.silent else None

    async def answers(self) -> bool:
        if "refused" in self.silent:
            raise HomeError("auth-unreachable")
        if "auth" in self.silent:
            await asyncio.Event().wait()
        return True

    async def look(self) -> bool:
        if "disk" in self.silent:
            await asyncio.Event().wait()
        return "spool" not in self.silent


def ready(parts: Parts) -> Readiness:
    either = cast("Any", parts)
    return Readiness(either, either, Home(), answers=parts.answers, shown=lambda: "ended" not in parts.silent)


async def test_ready_when_all_answer() -> None:
    assert await ready(Parts()).now()


@pytest.mark.parametrize("silent", ["broker", "lost", "auth", "refused", "disk", "spool", "ended"])
async def test_one_part_that_does_not_answer_is_enough(silent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readiness, "LOOK_SECONDS", 0.01)
    parts = Parts()
    parts.silent = {silent}
    assert not await ready(parts).now()


async def test_a_link_that_is_down_is_not_spoken_to() -> None:
    parts = Parts()
    parts.connected = False
    assert not await ready(parts).now()
    assert parts.looks == 0


async def test_those_who_ask_at_once_share_a_look_even_if_one_hangs_up() -> None:
    parts = Parts()
    look = ready(parts)
    first = asyncio.create_task(look.now())
    await asyncio.sleep(0)
    others = asyncio.gather(*(look.now() for _ in range(20)))
    first.cancel()
    assert await others == [True] * 20
    assert parts.looks == 1


async def test_a_look_is_good_for_less_than_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    assert readiness.FRESH_SECONDS + readiness.LOOK_SECONDS < 1
    monkeypatch.setattr(readiness, "FRESH_SECONDS", 0.0)
    parts = Parts()
    look = ready(parts)
    assert await look.now()
    parts.silent = {"spool"}
    await asyncio.sleep(0.01)
    assert not await look.now()
