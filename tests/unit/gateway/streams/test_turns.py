"""Long work lets others go in between."""

import asyncio
from collections.abc import Iterator

from gateway.streams.turns import in_turns


async def test_whoever_waits_for_the_loop_goes_before_the_next_turn() -> None:
    now, seen = 0.0, []

    def pieces() -> Iterator[str]:
        nonlocal now
        for number in range(6):
            now += 1.0  # each takes a second to be made
            yield f"piece {number}"

    async def other() -> None:
        for _ in range(2):
            seen.append("other")
            await asyncio.sleep(0)

    waiting = asyncio.create_task(other())
    async for piece in in_turns(pieces(), turn=2.0, clock=lambda: now):
        seen += [piece]
    await waiting
    assert seen == ["piece 0", "piece 1", "other", "piece 2", "piece 3", "other", "piece 4", "piece 5"]


async def test_nothing_to_do_is_done_at_once() -> None:
    nothing: tuple[str, ...] = ()
    assert [piece async for piece in in_turns(nothing)] == []
