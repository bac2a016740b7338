"""How long what is under way is waited for: one clock for all of it, since all of it is given the same time."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class Patience(Generic[T]):
    """Tells `overdue` of each one that is not over when its `seconds` are; `is_over` says whether it is.

    A timer for each, made and hardly ever used, costs more than the rest of the waiting.
    """

    def __init__(self, seconds: float, *, is_over: Callable[[T], bool], overdue: Callable[[T], None]) -> None:
        self.seconds = seconds
        self._is_over = is_over
        self._overdue = overdue
        self._due: deque[tuple[float, T]] = deque()
        """In the order in which their time ends."""
        self._alarm: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._due)

    def wait_for(self, one: T) -> None:
        """Its time runs from now."""
        loop = asyncio.get_running_loop()
        due = loop.time() + self.seconds
        self._forget_those_over()
        self._due.append((due, one))
        if self._alarm is None:
            self._alarm = loop.call_at(due, self._ring)

    def _ring(self) -> None:
        loop = asyncio.get_running_loop()
        self._alarm = None
        now = loop.time()
        while self._due and (self._due[0][0] <= now or self._is_over(self._due[0][1])):
            # Each by itself: one that fails takes the word from no other.
            loop.call_soon(self._tell, self._due.popleft()[1])
        if self._due:
            self._alarm = loop.call_at(self._due[0][0], self._ring)

    def _tell(self, one: T) -> None:
        if not self._is_over(one):
            self._overdue(one)

    def _forget_those_over(self) -> None:
        while self._due and self._is_over(self._due[0][1]):
            self._due.popleft()
