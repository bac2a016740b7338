"""What is known of the mail server: asked of itself, at once where somebody waits, and never too often."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from auth_service.confirming import mail_watch
from auth_service.confirming.mail_watch import AWAY_SECONDS, FRESH_SECONDS, MailWatch
from shared.mail import MailError
from shared.words.problem import HomeError
from tests.house import DEADLINE


class Server:
    """A mail server that is asked; it may be away, or not answer for a while."""

    def __init__(self) -> None:
        self.asked = 0
        self.away = False
        self.fault: HomeError | None = None
        self.answers = asyncio.Event()
        self.answers.set()
        self.took = asyncio.Event()
        self.now = 1000.0
        self.watch = MailWatch(self._check, clock=lambda: self.now)

    async def _check(self) -> None:
        self.asked += 1
        await self.answers.wait()
        if self.fault is not None:
            raise self.fault
        if self.away:
            raise MailError("connection refused", permanent=False, answered=False)
        self.took.set()

    async def known(self) -> str:
        """What is known once no look is under way."""
        return (await self.watch.known(patience=DEADLINE)).mail


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Server]:
    monkeypatch.setattr(mail_watch, "QUIET_SECONDS", 86400.0)
    made = Server()
    running = asyncio.create_task(made.watch.run())
    yield made
    running.cancel()
    await asyncio.wait({running})


async def test_it_is_known_before_anybody_asks(server: Server) -> None:
    assert await server.known() == "works"
    assert server.asked == 1


async def test_who_waits_for_a_letter_has_it_looked_at_but_not_again_and_again(server: Server) -> None:
    await server.known()
    server.away = True
    server.watch.look()
    assert await server.known() == "works", "that was a moment ago"
    server.now += FRESH_SECONDS
    server.watch.look()
    assert await server.known() == "away"
    server.away = False
    server.watch.look()
    assert (await server.known(), server.asked) == ("away", 2)
    server.now += AWAY_SECONDS
    server.watch.look()
    assert (await server.known(), server.asked) == ("works", 3)


async def test_a_server_that_is_away_is_asked_again_by_itself(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    await server.known()
    monkeypatch.setattr(mail_watch, "AWAY_SECONDS", 0.01)
    server.away = True
    server.now += FRESH_SECONDS
    server.watch.look()
    assert await server.known() == "away"
    server.took.clear()
    server.away = False
    async with asyncio.timeout(DEADLINE):
        await server.took.wait()
    assert await server.known() == "works"


async def test_a_server_that_does_not_answer_holds_no_page_up(server: Server) -> None:
    assert await server.known() == "works"
    server.answers.clear()
    server.now += FRESH_SECONDS
    server.watch.look()
    assert (await server.watch.known(patience=0.01)).mail == "works", "what was known last"
    server.away = True
    server.answers.set()
    assert await server.known() == "away"


async def test_a_database_that_fails_is_not_told_as_mail(server: Server) -> None:
    await server.known()
    server.fault = HomeError("internal")
    server.now += FRESH_SECONDS
    server.watch.look()
    assert await server.known() == "unknown"
    server.fault = None
    server.now += FRESH_SECONDS
    server.watch.look()
    assert await server.known() == "works"


async def test_it_ends_also_where_what_it_asks_swallows_that() -> None:
    asked = asyncio.Event()

    async def check() -> None:
        asked.set()
        with contextlib.suppress(asyncio.CancelledError):  # as aiosmtplib does while it hangs up
            await asyncio.Event().wait()

    running = asyncio.create_task(MailWatch(check).run())
    await asked.wait()
    running.cancel()
    done, _ = await asyncio.wait({running}, timeout=DEADLINE)
    assert done
    assert running.cancelled()
