"""A code that is made at the hub: for one attempt that the right password began, once, with its proof."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from auth_service.confirming.codes import ALPHABET
from auth_service.confirming.errands import Errands
from auth_service.factors import factor_rows
from auth_service.hub.accounts import Accounts
from auth_service.hub.codes import HubCodes
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sign_in import SignIn
from shared.keeping.database import Store
from shared.mail import Letter, MailError
from shared.proof.spool import Spool
from shared.running import backoff
from shared.words.attempts import name_of
from shared.words.internal import Budget, LoginAnswer, LoginCodeRequest, LoginRequest, Regulation, User
from shared.words.names import Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, START, Clock, Postman, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))


class Door:
    """The sign-in of a home whose mail is down, and the command at its hub."""

    def __init__(self, store: Store, passwords: Passwords, proof: Proof, errands: Errands, clock: Clock) -> None:
        self.postman = Postman()
        self.regulation = Regulation()
        self._errands = errands
        self._sign_in = SignIn(store, passwords, proof, errands, send=self.postman, limits=LIMITS, now=clock)
        self.hub = HubCodes(store, passwords, proof, now=clock)

    async def ask(self, *, password: str = PASSWORD, browser: str = "b1", email: str = EMAIL) -> None:
        """Step 1; the letter fails for good."""
        self.postman.refusals = [MailError("away", permanent=True)]
        request = LoginCodeRequest(
            email=email, password=password, browser=browser, address="192.0.2.7", regulation=self.regulation
        )
        await self._sign_in.ask_code(request, "gateway")
        await self._errands.settled()

    async def enter(self, code: str, *, browser: str = "b1", email: str = EMAIL) -> LoginAnswer:
        """Step 2."""
        request = LoginRequest(email=email, password=PASSWORD, code=code, browser=browser, address="192.0.2.7")
        try:
            return await self._sign_in.enter(request, "gateway")
        finally:
            await self._errands.settled()

    async def knows(self, attempt: str) -> bool:
        """Whether the hub makes a code for it."""
        try:
            await self.hub.make(attempt)
        except HomeError as error:
            if error.slug != "not-found":
                raise
            return False
        return True


@pytest.fixture
async def door(store: Store, passwords: Passwords, proof: Proof, clock: Clock, ada: User) -> AsyncIterator[Door]:
    async with asyncio.TaskGroup() as group:
        yield Door(store, passwords, proof, Errands(group), clock)


async def test_it_signs_in_once_in_the_browser_that_asked(door: Door, ada: User, spool: Spool) -> None:
    await door.ask()
    made = await door.hub.make(f" {name_of('b1').lower()} ")
    assert (made.user, made.address) == (ada, "192.0.2.7")
    for elsewhere in ({"browser": "b2"}, {"email": "nobody@example.org"}):
        with pytest.raises(HomeError, match="sign-in-failed"):
            await door.enter(made.code, **elsewhere)
    assert (await door.enter(made.code)).session.user == ada
    with pytest.raises(HomeError, match="sign-in-failed"):
        await door.enter(made.code)
    (told,) = [event for event in spool.pending(100) if event.what == "account:code-made"]
    assert (told.severity, told.where, told.who.issuer) == (Severity.SECURITY, f"user/{ada.id}", "admin")
    assert told.detail == {"user": "Ada Lovelace", "attempt": name_of("b1"), "asked_from": "192.0.2.7"}
    assert made.code not in str(spool.pending(100))


async def test_it_takes_the_place_of_the_mailed_one_and_of_the_one_before(door: Door, clock: Clock) -> None:
    await door.ask()
    first = (await door.hub.make(name_of("b1"))).code
    clock.forward(minutes=9)
    second = (await door.hub.make(name_of("b1"))).code
    clock.forward(minutes=9)
    with pytest.raises(HomeError, match="sign-in-failed"):
        await door.enter(first)
    await door.enter(second)


async def test_no_attempt_without_the_right_password_or_past_its_time(door: Door, clock: Clock) -> None:
    await door.ask(password="wrong")
    await door.ask(browser="b2", email="nobody@example.org")
    await door.ask(browser="b3")
    assert [await door.knows(name_of(browser)) for browser in ("b1", "b2", "b3")] == [False, False, True]
    for nonsense in ("", "?", "ABCDEFGHJK" * 100, "%", "AAAAA"):
        assert not await door.knows(nonsense)
    clock.forward(minutes=10)
    assert not await door.knows(name_of("b3"))


async def test_five_wrong_tries_spend_it_too(door: Door) -> None:
    await door.ask()
    made = await door.hub.make(name_of("b1"))
    other = made.code[:-1] + next(sign for sign in ALPHABET if sign != made.code[-1])
    for code in (other,) * 5 + (made.code,):
        with pytest.raises(HomeError, match="sign-in-failed"):
            await door.enter(code)


async def test_without_proof_there_is_none_and_the_mailed_one_stays(door: Door, tmp_path: Path) -> None:
    await door.ask()
    kept = (await door.hub.make(name_of("b1"))).code
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await door.hub.make(name_of("b1"))
    await door.enter(kept)


async def test_an_account_past_its_budgets_has_it_at_the_hub(door: Door) -> None:
    door.regulation = Regulation(letters=(Budget(0, 600),), wrong_passwords=(Budget(1, 600),))
    await door.ask()
    await door.enter((await door.hub.make(name_of("b1"))).code)
    await door.ask(password="wrong", browser="b2")
    await door.ask(browser="b2")
    assert door.postman.letters == []
    await door.enter((await door.hub.make(name_of("b2"))).code, browser="b2")


async def test_two_attempts_of_one_name_are_told_apart_by_nobody(
    door: Door, accounts: Accounts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("shared.words.attempts.name_of", lambda _place: "K7P2Q")
    await door.ask()
    await door.ask(browser="b2")
    with pytest.raises(HomeError, match="already-exists"):
        await door.hub.make("K7P2Q")


async def test_a_disabled_user_has_none(door: Door, accounts: Accounts) -> None:
    await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MASTER)
    await door.ask()
    await accounts.disable_user(EMAIL)
    assert not await door.knows(name_of("b1"))


async def test_a_letter_that_is_on_its_way_still_is_given_up(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    tried = []

    async def made_at_the_hub_meanwhile(letter: Letter) -> None:
        tried.append(letter)
        await door.hub.make(name_of("b1"))
        raise MailError("away", permanent=False)

    monkeypatch.setattr(backoff, "delay", lambda *_args, **_more: 0.0)
    monkeypatch.setattr(door._sign_in._confirmations, "_send", made_at_the_hub_meanwhile)
    await door.ask()
    assert len(tried) == 1


async def test_who_has_a_strong_factor_is_named_with_what_helps_them(door: Door, store: Store, ada: User) -> None:
    async with store.write() as connection:
        await factor_rows.begin(connection, ada.id, "f-1", "Phone", START)
        assert await factor_rows.confirm(connection, ada.id, "f-1", 0, START)
    await door.ask()
    with pytest.raises(HomeError, match="not-found") as refused:
        await door.hub.make(name_of("b1"))
    assert "drop-factors ada@example.org" in (refused.value.detail or "")
    await door.ask(browser="b2", password="wrong")
    with pytest.raises(HomeError, match="not-found") as unknown:
        await door.hub.make(name_of("b2"))
    assert "drop-factors" not in (unknown.value.detail or "")
