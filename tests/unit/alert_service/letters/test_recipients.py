"""Whom letters go to: asked every minute, and before the letter about another address leaves."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any, cast

import pytest

from alert_service.chain.arrivals import Arrival
from alert_service.letters import mailbox
from alert_service.letters.recipients import Recipients
from alert_service.record import records
from shared.keeping.database import Store
from shared.words import internal_recipients
from shared.words.internal_recipients import Recipient
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.alert_service.parts import ADA, HOUSE, START, event

OLD, NEW = "ada@example.org", "ada@elsewhere.example"


def ada(email: str) -> tuple[Recipient, ...]:
    return (Recipient(id=ADA.id, email=email, master=True),)


class FakeAuth:
    """Answers one after the other, the last one again and again; an empty one is being away."""

    def __init__(self, *answers: tuple[Recipient, ...]) -> None:
        self.answers = list(answers)
        self.answering = asyncio.Event()
        self.answering.set()

    async def call(self, _method: str, path: str, _kind: Any) -> internal_recipients.Recipients:
        assert path == internal_recipients.RECIPIENTS
        await self.answering.wait()
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if not answer:
            raise HomeError("auth-unreachable")
        return internal_recipients.Recipients(people=answer)


class Kept:
    """What keeps them, beside what was called: "changed" or "wake", with the addresses known at that moment."""

    def __init__(self, store: Store, auth: FakeAuth) -> None:
        self.store, self.auth = store, auth
        self.called: asyncio.Queue[str] = asyncio.Queue()
        self.readers = Recipients(
            cast("Any", auth),
            store,
            changed=lambda: self.called.put_nowait("changed"),
            named=lambda _: None,
            now=lambda: START,
        )

    async def next(self) -> str:
        async with asyncio.timeout(DEADLINE):
            return await self.called.get()

    async def known(self) -> Sequence[str]:
        async with self.store.read() as connection:
            return [one.email for one in await mailbox.known_people(connection)]

    async def tell(self, what: str, source: str = "auth") -> None:
        told = event(what=what, where="user/u1", issuer=source, command_id=None)
        async with self.store.write() as connection:
            follow = self.readers.noticing(HOUSE)
            made = await records.record(connection, [Arrival(source, told)], START, follow)
        if made.followed:
            self.called.put_nowait("wake")  # as whoever records calls the outbox


@contextlib.asynccontextmanager
async def running(store: Store, *answers: tuple[Recipient, ...]) -> AsyncIterator[Kept]:
    kept = Kept(store, FakeAuth(*answers))
    async with asyncio.TaskGroup() as group:
        task = group.create_task(kept.readers.run())
        yield kept
        task.cancel()


@pytest.mark.parametrize(
    "what", ["account:created", "account:enabled", "account:email-changed", "account:role-changed"]
)
async def test_who_has_another_address_or_role_is_asked_for_before_the_letter_leaves(store: Store, what: str) -> None:
    async with running(store, ada(OLD), ada(NEW)) as kept:
        assert await kept.next() == "changed"
        assert await kept.known() == [OLD]
        kept.auth.answering.clear()
        await kept.tell(what)
        assert not kept.readers.settled
        kept.auth.answering.set()
        assert [await kept.next(), await kept.next()] == ["wake", "changed"]
        assert kept.readers.settled
        assert await kept.known() == [NEW]


async def test_other_letters_leave_without_asking(store: Store) -> None:
    async with running(store, ada(OLD), ada(NEW)) as kept:
        await kept.next()
        await kept.tell("account:password-changed")
        assert await kept.next() == "wake"
        assert await kept.known() == [OLD]
        await kept.tell("account:email-changed", source="hall")
        assert await kept.next() == "wake", "a room's word about people is nobody's"


async def test_nothing_leaves_to_the_former_address_meanwhile_whatever_else_wakes_the_letters(store: Store) -> None:
    async with running(store, ada(OLD), ada(NEW)) as kept:
        assert not kept.readers.settled, "nobody was asked yet"
        assert await kept.next() == "changed"
        assert kept.readers.settled
        kept.auth.answering.clear()
        await kept.tell("account:email-changed")
        await kept.tell("account:password-changed")
        assert [await kept.next(), await kept.next()] == ["wake", "wake"]
        assert not kept.readers.settled
        kept.auth.answering.set()
        assert await kept.next() == "changed"
        assert kept.readers.settled
        assert await kept.known() == [NEW]


async def test_while_the_auth_service_is_away_the_letter_leaves_all_the_same(store: Store) -> None:
    async with running(store, ada(OLD), ()) as kept:
        assert await kept.next() == "changed"
        kept.auth.answering.clear()
        await kept.tell("account:email-changed")
        kept.auth.answering.set()
        assert [await kept.next(), await kept.next()] == ["wake", "changed"]
        assert kept.readers.settled
        assert await kept.known() == [OLD]
