"""Long work on the loop, in pieces: whoever else waits for the loop goes in between."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterable
from typing import Final, TypeVar

T = TypeVar("T")

TURN_SECONDS: Final = 0.001
"""What is worked at once; a command that comes meanwhile waits no longer than this and one piece more."""


async def in_turns(
    pieces: Iterable[T], *, turn: float = TURN_SECONDS, clock: Callable[[], float] = time.perf_counter
) -> AsyncIterator[T]:
    """Each of `pieces`, which are made as they are asked for; what is done with each counts as well."""
    began = clock()
    for piece in pieces:
        yield piece
        if clock() - began >= turn:
            await asyncio.sleep(0)
            began = clock()
