"""One clock for all that is waited for: each is told of once, and only when its own time is over."""

import asyncio

from gateway.acting.patience import Patience


class Waiting:
    """What is waited for, and what was said to be overdue."""

    def __init__(self, seconds: float) -> None:
        self.over: set[str] = set()
        self.late: list[str] = []
        self.all_late = asyncio.Event()
        self.expected = 1
        self.patience: Patience[str] = Patience(seconds, is_over=self.over.__contains__, overdue=self._overdue)

    def _overdue(self, one: str) -> None:
        self.over.add(one)
        self.late.append(one)
        if len(self.late) == self.expected:
            self.all_late.set()


async def test_what_is_not_over_in_time_is_told_in_its_order() -> None:
    waiting = Waiting(0.02)
    waiting.expected = 3
    for one in "abc":
        waiting.patience.wait_for(one)
    await asyncio.wait_for(waiting.all_late.wait(), 30)
    assert waiting.late == ["a", "b", "c"]
    assert len(waiting.patience) == 0


async def test_nobody_is_told_before_the_time_is_over() -> None:
    loop = asyncio.get_running_loop()
    waiting = Waiting(0.05)
    begun = loop.time()
    waiting.patience.wait_for("a")
    await asyncio.wait_for(waiting.all_late.wait(), 30)
    assert loop.time() - begun >= 0.05


async def test_what_is_over_is_not_told_and_those_behind_it_are() -> None:
    waiting = Waiting(0.02)
    for one in "ab":
        waiting.patience.wait_for(one)
    waiting.over.add("a")
    await asyncio.wait_for(waiting.all_late.wait(), 30)
    assert waiting.late == ["b"]


async def test_one_that_comes_after_the_clock_has_run_down_is_told_too() -> None:
    waiting = Waiting(0.01)
    waiting.patience.wait_for("a")
    await asyncio.wait_for(waiting.all_late.wait(), 30)
    waiting.all_late.clear()
    waiting.expected = 2
    waiting.patience.wait_for("b")
    await asyncio.wait_for(waiting.all_late.wait(), 30)
    assert waiting.late == ["a", "b"]


async def test_what_is_over_does_not_pile_up() -> None:
    waiting = Waiting(60.0)
    for number in range(1000):
        waiting.patience.wait_for(str(number))
        waiting.over.add(str(number))
    assert len(waiting.patience) == 1


async def test_one_that_fails_when_it_is_told_takes_the_word_from_no_other() -> None:
    failures: list[object] = []
    told: list[str] = []
    done = asyncio.Event()

    def overdue(one: str) -> None:
        told.append(one)
        if one == "a":
            raise ValueError(one)
        done.set()

    asyncio.get_running_loop().set_exception_handler(lambda _loop, context: failures.append(context["exception"]))
    patience: Patience[str] = Patience(0.02, is_over=lambda _: False, overdue=overdue)
    patience.wait_for("a")
    patience.wait_for("b")
    await asyncio.wait_for(done.wait(), 30)
    assert told == ["a", "b"]
    assert [type(failure) for failure in failures] == [ValueError]
