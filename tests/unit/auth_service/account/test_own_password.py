"""Changing one's own password: who knows the old one, once, with its proof; and every other session is over."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.account.current_password import CurrentPassword
from auth_service.account.own_password import OwnPassword
from auth_service.account.owners import Owners
from auth_service.confirming.errands import Errands
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_lists, session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import LoginAnswer, User
from shared.words.internal_account import PasswordChange
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
NEW = "lanterns over quiet harbours"


class Home:
    """A user with two sessions, and what changes the password."""

    def __init__(self, store: Store, user: User, clock: Clock, change: OwnPassword, errands: Errands) -> None:
        self.store = store
        self.user = user
        self.clock = clock
        self.own = change
        self.errands = errands
        self.rung = 0

    async def signed_in(self) -> LoginAnswer:
        async with self.store.write() as connection:
            return await session_rows.start(
                connection, self.user, address="192.0.2.7", agent="Firefox", limits=LIMITS, now=self.clock()
            )

    async def change(self, token: str, current: str = PASSWORD, new: str = NEW) -> LoginAnswer:
        wanted = PasswordChange(token=token, current=current, new=new, address="192.0.2.9", agent="Firefox")
        try:
            return await self.own.change(wanted, "gateway")
        finally:
            await self.errands.settled()

    async def sessions(self) -> set[str]:
        async with self.store.read() as connection:
            rows = await session_lists.rows_of(connection, self.user.id, limits=LIMITS, now=self.clock())
        return {row.id for row in rows}

    async def untold(self) -> set[str]:
        async with self.store.read() as connection:
            return set(await session_rows.untold(connection))

    async def hash(self) -> str:
        async with self.store.read() as connection:
            account = await user_rows.find(connection, EMAIL)
        assert account is not None
        return account.password_hash


@pytest.fixture
async def home(store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User) -> AsyncIterator[Home]:
    sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)

        def rung() -> None:
            made.rung += 1

        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        owners = Owners(sessions, current, limits=LIMITS, now=clock)
        own = OwnPassword(store, passwords, proof, owners, wake=rung, home_words=("Sycamore",))
        made = Home(store, ada, clock, own, errands)
        yield made


def told(spool: Spool) -> list[tuple[str, str, str]]:
    """What stands in the spool: what, outcome and severity."""
    return [(event.what, event.outcome.value, event.severity.value) for event in spool.pending(100)]


async def test_the_password_is_another_and_one_session_is_left(home: Home, passwords: Passwords, spool: Spool) -> None:
    mine, other = await home.signed_in(), await home.signed_in()
    answer = await home.change(mine.token)
    assert await passwords.verify(NEW, await home.hash())
    assert not await passwords.verify(PASSWORD, await home.hash())
    assert await home.sessions() == {answer.session.id}
    assert answer.token not in {mine.token, other.token}
    assert await home.untold() == {mine.session.id, other.session.id}
    assert home.rung == 1
    assert ("account:password-changed", "executed", "critical") in told(spool)


@pytest.mark.parametrize(
    ("current", "new", "slug", "field"),
    [
        ("not the password at all", NEW, "wrong-password", None),
        (PASSWORD, PASSWORD, "invalid-value", "new"),
        (PASSWORD, "short", "invalid-value", "new"),
        (PASSWORD, "password2026", "invalid-value", "new"),
        (PASSWORD, "Sycamore 2026!", "invalid-value", "new"),
        (PASSWORD, "ada ada ada", "invalid-value", "new"),
    ],
)
async def test_what_cannot_be_is_said_and_changes_nothing(
    home: Home, current: str, new: str, slug: str, field: str | None
) -> None:
    mine, other = await home.signed_in(), await home.signed_in()
    before = await home.hash()
    with pytest.raises(HomeError) as caught:
        await home.change(mine.token, current, new)
    assert (caught.value.slug, caught.value.facts.get("field")) == (slug, field)
    assert await home.hash() == before
    assert await home.sessions() == {mine.session.id, other.session.id}


async def test_of_two_at_once_one_wins(home: Home, passwords: Passwords) -> None:
    mine, other = await home.signed_in(), await home.signed_in()
    second = "seven slow winter trains"
    answers = await asyncio.gather(
        home.change(mine.token), home.change(other.token, new=second), return_exceptions=True
    )
    won = [answer for answer in answers if isinstance(answer, LoginAnswer)]
    lost = [answer for answer in answers if isinstance(answer, HomeError)]
    assert len(won) == len(lost) == 1
    assert lost[0].slug in {"wrong-password", "sign-in-required"}
    assert await home.sessions() == {won[0].session.id}
    wanted = NEW if isinstance(answers[0], LoginAnswer) else second
    assert await passwords.verify(wanted, await home.hash())


async def wrong(home: Home, token: str) -> str:
    """What a wrong password is answered with."""
    with pytest.raises(HomeError) as caught:
        await home.change(token, "a guess of somebody's")
    return caught.value.slug


async def test_nobody_finds_the_password_out_by_trying(home: Home, spool: Spool) -> None:
    mine = await home.signed_in()
    assert [await wrong(home, mine.token) for _ in range(6)] == ["wrong-password"] * 5 + ["rate-limited"]
    with pytest.raises(HomeError, match="rate-limited"):
        await home.change(mine.token)
    assert ("account:confirmation-failed", "rejected", "security") in told(spool)
    home.clock.forward(hours=1)
    await home.change(mine.token)


async def test_who_guesses_in_stolen_sessions_keeps_the_owner_from_nothing_in_another(home: Home) -> None:
    stolen, mine = [await home.signed_in() for _ in range(4)], await home.signed_in()
    heard = [[await wrong(home, one.token) for _ in range(6)].count("wrong-password") for one in stolen]
    assert heard == [5, 5, 3, 3], "past the account's budget each is heard as often as somebody mistypes"
    assert await wrong(home, mine.token) == "wrong-password"
    await home.change(mine.token)


async def test_without_proof_nothing_changes(home: Home, tmp_path: Path) -> None:
    mine = await home.signed_in()
    before = await home.hash()
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await home.change(mine.token)
    assert await home.hash() == before
    assert await home.sessions() == {mine.session.id}


async def test_a_session_that_is_over_changes_nothing(home: Home) -> None:
    mine = await home.signed_in()
    home.clock.forward(hours=13)
    with pytest.raises(HomeError, match="sign-in-required"):
        await home.change(mine.token)
