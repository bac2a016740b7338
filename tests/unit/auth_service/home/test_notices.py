"""The noticeboard: in the end the broker keeps what the database holds, whatever got lost, and in which order."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import cast

from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.home.lockdown import notice
from auth_service.home.notices import Notice, Noticeboard
from shared.broker.bus import Bus
from shared.keeping.database import Store
from shared.words import topics
from shared.words.internal import LockdownState
from shared.words.messages import Lockdown, Message, utc
from shared.words.problem import HomeError

START = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)
_STEPS = st.lists(st.sampled_from(["begin", "end", "lost", "killed", "unreachable", "refused", "look"]), max_size=24)


class _Store:
    """Lends what the notice reads: the state itself."""

    def __init__(self) -> None:
        self.state = LockdownState()

    @contextlib.asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        yield cast("AsyncConnection", self)


class _Broker:
    """Keeps the last message; may refuse, be away, or come back with nothing."""

    def __init__(self) -> None:
        self.connected = True
        self.kept: Message | None = None
        self.answers: list[int | HomeError] = []

    async def publish(self, topic: str, message: Message) -> int:
        assert topic == topics.LOCKDOWN
        answer = self.answers.pop(0) if self.answers else 0
        if isinstance(answer, HomeError):
            raise answer
        if answer < 128:
            self.kept = message
        return answer


async def _read(connection: AsyncConnection) -> LockdownState:
    return cast("_Store", connection).state


async def _act(steps: list[str]) -> tuple[LockdownState, Message | None]:
    store, broker = _Store(), _Broker()
    board = Noticeboard(cast("Store", store), Notice(topics.LOCKDOWN, _read, notice().compose), now=lambda: START)
    task = asyncio.create_task(board.run(cast("Bus", broker)))
    board.link_up()
    for number, step in enumerate([*steps, "killed", "look"]):
        match step:
            case "begin" | "end":
                store.state = LockdownState(active=step == "begin", at=START + timedelta(seconds=number))
                board.wake()
            case "lost":
                broker.connected = False
            case "killed":  # and started again without what it had confirmed
                broker.connected, broker.kept = True, None
                broker.answers.clear()
                board.link_up()
            case "unreachable":
                broker.answers.append(HomeError("broker-unreachable"))
            case "refused":
                broker.answers.append(135)
            case "look":
                for _ in range(5):
                    await asyncio.sleep(0)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    return store.state, broker.kept


@settings(deadline=None)
@given(steps=_STEPS)
def test_the_broker_ends_with_what_the_database_holds(steps: list[str]) -> None:
    state, kept = asyncio.run(_act(steps))
    assert kept == Lockdown(active=state.active, at=state.at or utc(0))
