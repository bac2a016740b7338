"""Lockdown over a real database: who may, with which code, what is proven first, and who is signed out."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pyotp
import pytest
import sqlalchemy as sa

from auth_service.account.current_password import CurrentPassword
from auth_service.account.own_factors import OwnFactors
from auth_service.account.owners import Owners
from auth_service.confirming.codes import ALPHABET
from auth_service.confirming.errands import Errands
from auth_service.home import lockdown_rows
from auth_service.home.confirmed_lockdown import ConfirmedLockdown
from auth_service.home.lockdown import Lockdown
from auth_service.hub.accounts import Accounts
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import (
    LockdownChange,
    LockdownCodeRequest,
    LockdownState,
    LoginCodeRequest,
    LoginRequest,
    User,
)
from shared.words.internal_factors import FactorBegin, FactorConfirm
from shared.words.messages import AuditEvent, Who
from shared.words.names import Outcome, Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Postman, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
CONSOLE = Who(issuer="admin")


class House:
    """A home with Ada, its master user, and whoever else is added; letters are kept by the postman."""

    def __init__(
        self, store: Store, spool: Spool, passwords: Passwords, proof: Proof, errands: Errands, clock: Clock
    ) -> None:
        self.store, self.spool, self.clock = store, spool, clock
        self.postman = Postman()
        self.errands = errands
        self.woken = 0
        self.lockdown = Lockdown(store, proof, now=clock, wake=self._wake)
        self.sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
        self.sign_in = SignIn(store, passwords, proof, errands, send=self.postman, limits=LIMITS, now=clock)
        self.confirmed = ConfirmedLockdown(
            store,
            self.lockdown,
            self.sessions,
            passwords,
            proof,
            errands,
            send=self.postman,
            limits=LIMITS,
            now=clock,
        )

    async def session(self, user: User) -> str:
        """A live session of somebody, by its token."""
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, user, address="192.0.2.7", agent="", limits=LIMITS, now=self.clock()
            )
        return answer.token

    async def code(self, token: str) -> str:
        """Ask for a code, and read it in the letter."""
        await self.confirmed.ask_code(LockdownCodeRequest(token=token, address="192.0.2.7"))
        await self.errands.settled()
        return self.postman.code

    async def change(self, token: str, *, active: bool, code: str, password: str = "") -> LockdownState:
        """As a gateway passes it on."""
        wanted = LockdownChange(token=token, active=active, code=code, password=password, address="192.0.2.7")
        try:
            return await self.confirmed.change(wanted, "gateway")
        finally:
            await self.errands.settled()

    async def begin(self, token: str) -> LockdownState:
        """With a fresh code."""
        return await self.change(token, active=True, code=await self.code(token))

    async def end(self, token: str) -> LockdownState:
        """With a fresh code and the password."""
        return await self.change(token, active=False, code=await self.code(token), password=PASSWORD)

    async def refuses(self, token: str, slug: str, *, active: bool, code: str, password: str | None = None) -> None:
        """It is refused, and the state stays. The password is right where it is not enough."""
        if password is None:
            password = "" if active else PASSWORD
        before = await self.lockdown.state()
        with pytest.raises(HomeError) as refused:
            await self.change(token, active=active, code=code, password=password)
        assert refused.value.slug == slug
        assert await self.lockdown.state() == before

    def told(self, subject: str = "home") -> list[AuditEvent]:
        """The events about it."""
        return [event for event in self.spool.pending(1000) if event.what.startswith(f"{subject}:")]

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def house(
    store: Store, spool: Spool, passwords: Passwords, proof: Proof, clock: Clock, ada: User
) -> AsyncIterator[House]:
    async with asyncio.TaskGroup() as group:
        yield House(store, spool, passwords, proof, Errands(group), clock)


@pytest.fixture
async def ben(accounts: Accounts) -> User:
    return await accounts.create_user(email="ben@example.org", name="Ben", password=PASSWORD, role=Role.MEMBER)


@pytest.fixture
async def gus(accounts: Accounts) -> User:
    return await accounts.create_user(email="gus@example.org", name="Gus", password=PASSWORD, role=Role.GUEST)


def wrong(code: str) -> str:
    """Another code of the right form."""
    return code[:-1] + next(sign for sign in ALPHABET if sign != code[-1])


def room_on_disk(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.sqlite3")) as direct:
        direct.execute("DROP TRIGGER full")


@pytest.mark.parametrize("role", [Role.MASTER, Role.MEMBER])
async def test_code_begins_it_and_signs_everyone_out(house: House, ada: User, ben: User, role: Role) -> None:
    who = ada if role is Role.MASTER else ben
    tokens = [await house.session(user) for user in (ada, ada, ben)]
    mine = await house.session(who)
    state = await house.begin(mine)
    assert state == LockdownState(active=True, at=house.clock.time)
    assert house.postman.letters[-1].to == who.email
    assert house.postman.letters[-1].subject == "Home System code to lock your home down"
    assert "192.0.2.7" in house.postman.letters[-1].text
    for token in (*tokens, mine):
        with pytest.raises(HomeError, match="sign-in-required"):
            await house.sessions.verify(token)
    async with house.store.read() as connection:
        assert len(await session_rows.untold(connection)) == 4
    (event,) = house.told()
    assert (event.what, event.where, event.severity, event.outcome) == (
        "home:locked-down",
        "home",
        Severity.CRITICAL,
        Outcome.EXECUTED,
    )
    assert event.who.user is not None
    assert (event.who.issuer, event.who.user.id, event.who.address) == ("gateway", who.id, "192.0.2.7")
    assert house.woken == 1


async def test_master_user_ends_it_with_password_and_another_code(house: House, ada: User) -> None:
    await house.begin(await house.session(ada))
    token = await house.session(ada)
    house.clock.forward(minutes=1)
    assert await house.end(token) == LockdownState(active=False, at=house.clock.time)
    assert house.postman.letters[-1].subject == "Home System code to end the lockdown"
    assert [event.what for event in house.told()] == ["home:locked-down", "home:lockdown-ended"]
    assert (await house.sessions.verify(token)).user == ada
    assert house.woken == 2


async def test_guests_begin_nothing_and_members_end_nothing(house: House, ada: User, ben: User, gus: User) -> None:
    guest = await house.session(gus)
    with pytest.raises(HomeError, match="forbidden"):
        await house.code(guest)
    await house.refuses(guest, "forbidden", active=True, code="ABCD-EFGH")
    await house.begin(await house.session(ada))
    for token in (await house.session(ben), await house.session(gus)):
        with pytest.raises(HomeError, match="forbidden"):
            await house.code(token)
        await house.refuses(token, "forbidden", active=False, code="ABCD-EFGH")
    assert len(house.postman.letters) == 1


async def test_member_who_knows_a_masters_code_and_password_still_ends_nothing(
    house: House, ada: User, ben: User
) -> None:
    await house.begin(await house.session(ada))
    code = await house.code(await house.session(ada))
    await house.refuses(await house.session(ben), "forbidden", active=False, code=code)


async def test_code_is_good_for_its_purpose_alone(house: House, ada: User, clock: Clock) -> None:
    token = await house.session(ada)
    login = LoginCodeRequest(email=EMAIL, password=PASSWORD, browser="b1", address="192.0.2.7")
    await house.sign_in.ask_code(login, "gateway")
    await house.errands.settled()
    sign_in_code = house.postman.code
    await house.refuses(token, "confirmation-failed", active=True, code=sign_in_code)
    begin_code = await house.code(token)
    info = await house.sessions.verify(token)
    for browser in ("b1", info.id):
        entry = LoginRequest(email=EMAIL, password=PASSWORD, code=begin_code, browser=browser, address="192.0.2.7")
        with pytest.raises(HomeError, match="sign-in-failed"):
            await house.sign_in.enter(entry, "gateway")
    await house.change(token, active=True, code=begin_code)
    token = await house.session(ada)
    await house.refuses(token, "confirmation-failed", active=False, code=begin_code)
    await house.refuses(token, "confirmation-failed", active=False, code=sign_in_code)
    # One that was mailed for ending begins no other one.
    end_code = await house.code(token)
    await house.lockdown.end(CONSOLE)
    await house.refuses(token, "confirmation-failed", active=True, code=end_code)


async def test_code_begins_one_lockdown_once(house: House, ada: User) -> None:
    token = await house.session(ada)
    code = await house.code(token)
    await house.change(token, active=True, code=code)
    await house.lockdown.end(CONSOLE)
    await house.refuses(token, "sign-in-required", active=True, code=code)
    await house.refuses(await house.session(ada), "confirmation-failed", active=True, code=code)


async def test_code_belongs_to_the_session_that_asked(house: House, ada: User, ben: User) -> None:
    code = await house.code(await house.session(ada))
    await house.refuses(await house.session(ada), "confirmation-failed", active=True, code=code)
    await house.refuses(await house.session(ben), "confirmation-failed", active=True, code=code)


async def test_code_lives_ten_minutes(house: House, ada: User) -> None:
    token = await house.session(ada)
    code = await house.code(token)
    house.clock.forward(minutes=10)
    await house.refuses(token, "confirmation-failed", active=True, code=code)


async def test_later_code_voids_the_former(house: House, ada: User) -> None:
    token = await house.session(ada)
    former, latter = await house.code(token), await house.code(token)
    await house.refuses(token, "confirmation-failed", active=True, code=former)
    assert (await house.change(token, active=True, code=latter)).active


async def test_five_tries_and_a_burst_of_them_is_told(house: House, ada: User) -> None:
    await house.lockdown.begin(CONSOLE)
    token = await house.session(ada)
    code = await house.code(token)
    for _ in range(5):
        await house.refuses(token, "confirmation-failed", active=False, code=wrong(code))
    await house.refuses(token, "confirmation-failed", active=False, code=code)
    told = [(e.what, e.where, e.severity, e.outcome, e.detail["count"]) for e in house.told("account")[1:]]
    assert told == [
        ("account:confirmation-failed", f"user/{ada.id}", Severity.INFO, Outcome.REJECTED, "1"),
        ("account:confirmation-failed", f"user/{ada.id}", Severity.SECURITY, Outcome.REJECTED, "5"),
    ]
    house.clock.forward(minutes=11)
    await house.confirmed.sweep()
    assert house.told("account")[-1].detail["count"] == "6"


@pytest.mark.parametrize("password", ["", "another password", PASSWORD + " "])
async def test_ending_needs_the_password_and_a_wrong_one_costs_a_try(house: House, ada: User, password: str) -> None:
    await house.lockdown.begin(CONSOLE)
    token = await house.session(ada)
    code = await house.code(token)
    for _ in range(5):
        await house.refuses(token, "confirmation-failed", active=False, code=code, password=password)
    await house.refuses(token, "confirmation-failed", active=False, code=code)


@pytest.mark.parametrize("typed", ["", "nonsense", "ABCD", "0000-0000", "ABCD-EFGH-JKMN"])
async def test_nonsense_is_no_code(house: House, ada: User, typed: str) -> None:
    token = await house.session(ada)
    await house.code(token)
    await house.refuses(token, "confirmation-failed", active=True, code=typed)


async def test_no_session_no_lockdown(house: House, ada: User) -> None:
    with pytest.raises(HomeError, match="sign-in-required"):
        await house.code("no token")
    await house.refuses("no token", "sign-in-required", active=True, code="ABCD-EFGH")


async def test_disabled_master_user_ends_nothing(house: House, ada: User, accounts: Accounts) -> None:
    await accounts.create_user(email="eve@example.org", name="Eve", password=PASSWORD, role=Role.MASTER)
    await house.lockdown.begin(CONSOLE)
    token = await house.session(ada)
    code = await house.code(token)
    await accounts.disable_user(EMAIL)
    await house.refuses(token, "sign-in-required", active=False, code=code)


async def test_session_or_password_that_went_while_bcrypt_ran_ends_nothing(
    house: House, ada: User, accounts: Accounts, passwords: Passwords, monkeypatch: pytest.MonkeyPatch
) -> None:
    await house.lockdown.begin(CONSOLE)
    verify = passwords.verify

    async def slowly(password: str, stored: str | None, *, known: bool) -> bool:
        right = await verify(password, stored, known=known)
        await accounts.set_password(EMAIL, "quite another long password")
        return right

    token = await house.session(ada)
    code = await house.code(token)
    monkeypatch.setattr(passwords, "verify", slowly)
    await house.refuses(token, "sign-in-required", active=False, code=code)


async def test_what_stands_is_begun_and_ended_no_second_time(house: House, ada: User) -> None:
    token = await house.session(ada)
    assert not (await house.change(token, active=False, code="")).active
    began = await house.begin(token)
    token = await house.session(ada)
    assert await house.change(token, active=True, code="") == began
    assert (await house.sessions.verify(token)).user == ada, "nobody is signed out a second time"
    assert len(house.told()) == 1


async def test_two_who_begin_at_once_begin_one(house: House, ada: User, ben: User) -> None:
    first, second = await house.session(ada), await house.session(ben)
    codes = [await house.code(first), await house.code(second)]
    answers = await asyncio.gather(
        house.change(first, active=True, code=codes[0]),
        house.change(second, active=True, code=codes[1]),
        return_exceptions=True,
    )
    # The later one finds that it began, or that it was signed out by it.
    assert {a.slug if isinstance(a, HomeError) else a for a in answers} <= {
        await house.lockdown.state(),
        "sign-in-required",
    }
    assert len(house.told()) == 1


async def test_one_code_sent_twice_at_once_counts_once(house: House, ada: User) -> None:
    await house.lockdown.begin(CONSOLE)
    token = await house.session(ada)
    code = await house.code(token)
    states = await asyncio.gather(*(house.change(token, active=False, code=code, password=PASSWORD) for _ in range(2)))
    assert [state.active for state in states] == [False, False]
    assert [event.what for event in house.told()] == ["home:locked-down", "home:lockdown-ended"]


async def test_full_spool_stops_the_end_and_not_the_beginning(
    house: House, ada: User, proof: Proof, tmp_path: Path
) -> None:
    token = await house.session(ada)
    fill(tmp_path / "spool.sqlite3")
    assert (await house.begin(token)).active
    assert proof.owes
    token = await house.session(ada)
    await house.refuses(token, "no-proof", active=False, code=await house.code(token))
    room_on_disk(tmp_path)
    await proof.write_owed()
    assert not proof.owes
    assert house.told()[0].what == "home:locked-down"
    assert not (await house.end(token)).active


async def test_what_was_said_and_not_committed_is_taken_back(
    house: House, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise HomeError("internal")

    token = await house.session(ada)
    code = await house.code(token)
    with monkeypatch.context() as patched:
        patched.setattr(lockdown_rows, "write", fails)
        await house.refuses(token, "internal", active=True, code=code)
    assert [(e.what, e.outcome) for e in house.told()] == [
        ("home:locked-down", Outcome.EXECUTED),
        ("home:locked-down", Outcome.FAILED),
    ]
    assert (await house.sessions.verify(token)).user == ada
    assert (await house.change(token, active=True, code=code)).active, "the code was not used up either"


async def test_hubs_own_command_needs_no_code_and_signs_everyone_out(house: House, ada: User) -> None:
    token = await house.session(ada)
    assert (await house.lockdown.begin(CONSOLE)).active
    with pytest.raises(HomeError, match="sign-in-required"):
        await house.sessions.verify(token)
    assert not (await house.lockdown.end(CONSOLE)).active
    assert [event.who.issuer for event in house.told()] == ["admin", "admin"]


async def test_every_change_is_later_than_the_one_before_whatever_the_clock_says(house: House) -> None:
    began = await house.lockdown.begin(CONSOLE)
    house.clock.forward(days=-1)
    ended = await house.lockdown.end(CONSOLE)
    again = await house.lockdown.repeat()
    assert began.at is not None
    assert ended.at is not None
    assert again.at is not None
    assert began.at < ended.at < again.at
    assert not again.active
    assert len(house.told()) == 2


async def test_nobody_is_lost_on_the_way(house: House, ada: User, ben: User, gus: User) -> None:
    """A lockdown ends sessions, not accounts."""
    await house.lockdown.begin(CONSOLE)
    async with house.store.read() as connection:
        for user in (ada, ben, gus):
            assert await user_rows.enabled(connection, user.id) == user
    assert (await house.sessions.verify(await house.session(ben))).user == ben


async def test_what_was_committed_is_not_taken_back_when_whoever_asked_has_gone(house: House, ada: User) -> None:
    token = await house.session(ada)
    code = await house.code(token)

    def cancel(_connection: object) -> None:
        if house.told() and (task := asyncio.current_task()) is not None:
            task.cancel()  # it meets it while it waits for the commit

    sa.event.listen(sa.Engine, "commit", cancel)
    try:
        await asyncio.gather(
            asyncio.create_task(house.change(token, active=True, code=code)),
            return_exceptions=True,
        )
    finally:
        sa.event.remove(sa.Engine, "commit", cancel)
    assert (await house.lockdown.state()).active
    assert [(e.what, e.outcome) for e in house.told()] == [("home:locked-down", Outcome.EXECUTED)]


@pytest.mark.parametrize("role", [Role.MASTER, Role.MEMBER])
async def test_the_password_alone_begins_it_since_mail_may_be_what_fails(
    house: House, ada: User, ben: User, role: Role
) -> None:
    token = await house.session(ada if role is Role.MASTER else ben)
    await house.refuses(token, "confirmation-failed", active=True, code="", password="not the password")
    assert (await house.change(token, active=True, code="", password=PASSWORD)).active
    assert house.postman.letters == []
    (begun,) = house.told()
    assert begun.severity is Severity.CRITICAL


async def test_the_password_alone_ends_nothing(house: House, ada: User) -> None:
    await house.lockdown.begin(CONSOLE)
    token = await house.session(ada)
    await house.refuses(token, "confirmation-failed", active=False, code="", password=PASSWORD)


async def test_a_stolen_session_does_not_find_the_password_out_by_trying(house: House, ada: User, clock: Clock) -> None:
    stolen, own = await house.session(ada), await house.session(ada)
    for _ in range(10):
        await house.refuses(stolen, "confirmation-failed", active=True, code="", password="a guess")
    await house.refuses(stolen, "confirmation-failed", active=True, code="", password=PASSWORD)
    assert (await house.change(own, active=True, code="", password=PASSWORD)).active, (
        "another session has tries of its own"
    )


async def test_a_right_password_beside_a_wrong_code_begins_it(house: House, ada: User) -> None:
    token = await house.session(ada)
    right = await house.code(token)
    assert (await house.change(token, active=True, code=wrong(right), password=PASSWORD)).active


async def test_who_has_a_strong_factor_ends_it_by_that_and_by_no_letter(
    house: House, ada: User, proof: Proof, passwords: Passwords, spool: Spool
) -> None:
    token = await house.session(ada)
    current = CurrentPassword(house.store, passwords, proof, house.errands, now=house.clock)
    owners = Owners(house.sessions, current, limits=LIMITS, now=house.clock)
    own = OwnFactors(house.store, passwords, proof, owners, now=house.clock)
    begun = await own.begin(FactorBegin(token=token, current=PASSWORD, address="192.0.2.7"), "gateway")
    app = pyotp.TOTP(begun.secret)
    shown = app.at(int(house.clock().timestamp()))
    confirm = FactorConfirm(token=token, id=begun.id, code=shown, address="192.0.2.7")
    recovery = (await own.confirm(confirm, "gateway")).codes
    await house.begin(token)  # beginning is the safer thing: a letter does

    token = await house.session(ada)
    with pytest.raises(HomeError, match="step-up-required"):
        await house.code(token)
    mailed = house.postman.code
    house.clock.forward(seconds=30)
    good = app.at(int(house.clock().timestamp()))
    for code, password in ((mailed, PASSWORD), ("", PASSWORD), ("000000", PASSWORD), (good, "not the password")):
        await house.refuses(token, "confirmation-failed", active=False, code=code, password=password)
    answers = await asyncio.gather(
        *(house.change(token, active=False, code=good, password=PASSWORD) for _ in range(3)), return_exceptions=True
    )
    assert any(isinstance(one, LockdownState) and not one.active for one in answers)

    await house.begin(await house.session(ada))
    await house.refuses(await house.session(ada), "confirmation-failed", active=False, code=good)
    await house.change(await house.session(ada), active=False, code=recovery[0], password=PASSWORD)
    used = [event.detail["left"] for event in spool.pending(200) if event.what == "account:recovery-used"]
    assert used == ["9"], "a letter tells that one of the list was used"
    await house.begin(await house.session(ada))
    token = await house.session(ada)
    async with house.store.write() as connection:
        proved = await session_rows.prove(connection, token, house.clock())
    assert proved is not None
    await house.refuses(proved, "confirmation-failed", active=False, code="", password="not the password")
    assert not (await house.change(proved, active=False, code="", password=PASSWORD)).active
