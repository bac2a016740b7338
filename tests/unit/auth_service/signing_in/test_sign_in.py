"""Signing in, in its two steps, over a real database: what works, and that every failure looks the same."""

import asyncio
import contextlib
import logging
import sqlite3
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import bcrypt
import pytest
from sqlalchemy import select

from auth_service.confirming import errands as errands_module
from auth_service.confirming.codes import ALPHABET
from auth_service.confirming.errands import Errands
from auth_service.hub.accounts import Accounts
from auth_service.people import passwords as passwords_module
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import crowding, place_rows, session_lists, session_rows
from auth_service.signing_in.budgets import Asker
from auth_service.signing_in.networks import SITE_BITS, network
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sign_in import SignIn
from auth_service.tables import places
from shared.keeping.database import Store
from shared.mail import MailError
from shared.proof.spool import Spool
from shared.running import backoff
from shared.words.internal import Budget, LoginAnswer, LoginCodeRequest, LoginRequest, Regulation, User
from shared.words.messages import AuditEvent
from shared.words.names import Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, START, Clock, Postman, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))


class Door:
    """Both steps, as a gateway asks for them, waiting for what goes on after the answers."""

    def __init__(self, sign_in: SignIn, errands: Errands, postman: Postman) -> None:
        self.sign_in = sign_in
        self.regulation = Regulation()
        self.errands = errands
        self.postman = postman

    async def ask(
        self,
        email: str = EMAIL,
        password: str = PASSWORD,
        browser: str = "b1",
        address: str = "192.0.2.7",
        known: str = "",
    ) -> None:
        """Step 1, and the letter."""
        request = LoginCodeRequest(
            email=email,
            password=password,
            browser=browser,
            address=address,
            known=known,
            regulation=self.regulation,
        )
        await self.sign_in.ask_code(request, "gateway")
        await self.errands.settled()

    async def enter(
        self,
        code: str | None = None,
        email: str = EMAIL,
        password: str = PASSWORD,
        browser: str = "b1",
        address: str = "192.0.2.7",
        agent: str = "Firefox",
        *,
        known: str = "",
    ) -> LoginAnswer:
        """Step 2."""
        request = LoginRequest(
            email=email,
            password=password,
            code=self.postman.code if code is None else code,
            browser=browser,
            address=address,
            agent=agent,
            known=known,
            regulation=self.regulation,
        )
        try:
            return await self.sign_in.enter(request, "gateway")
        finally:
            await self.errands.settled()

    async def refuses(self, code: str | None = None, **other: Any) -> bool:
        """Whether step 2 fails, with the one problem that every failure has."""
        try:
            await self.enter(code, **other)
        except HomeError as error:
            if error.document("x") != HomeError("sign-in-failed").document("x"):
                raise
            return True
        return False


@pytest.fixture
async def door(store: Store, passwords: Passwords, proof: Proof, clock: Clock) -> AsyncIterator[Door]:
    postman = Postman()
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        yield Door(SignIn(store, passwords, proof, errands, send=postman, limits=LIMITS, now=clock), errands, postman)


def wrong(code: str) -> str:
    """Another code of the right form."""
    return code[:-1] + next(sign for sign in ALPHABET if sign != code[-1])


def failures(spool: Spool) -> list[AuditEvent]:
    """The events about failed sign-ins."""
    return [event for event in spool.pending(1000) if event.what == "account:sign-in-failed"]


async def test_code_from_the_letter_signs_in(door: Door, ada: User, clock: Clock, spool: Spool) -> None:
    await door.ask(email="ADA@example.org")
    assert [letter.to for letter in door.postman.letters] == [EMAIL]
    answer = await door.enter(door.postman.code.lower().replace("-", " "))
    assert answer.session.user == ada
    assert answer.session.expires_at == clock.time + LIMITS.idle
    assert len(answer.token) >= 43
    event = spool.pending(10)[-1]
    assert (event.what, event.where) == ("session:started", f"session/{answer.session.id}")
    assert event.who.user is not None
    assert (event.who.issuer, event.who.user.id, event.who.address) == ("gateway", ada.id, "192.0.2.7")


async def test_who_signs_in_after_the_cost_was_changed_has_a_hash_of_the_new_one(
    door: Door, ada: User, store: Store, passwords: Passwords
) -> None:
    async def stored() -> str:
        async with store.read() as connection:
            account = await user_rows.find(connection, EMAIL)
        assert account is not None
        return account.password_hash

    cheap, dear = Passwords(b"a pepper for tests", rounds=5), await stored()
    async with store.write() as connection:
        await user_rows.set_password(connection, ada.id, await cheap.hash(PASSWORD))
    cheap.close()
    await door.ask()
    assert (await stored())[:7] == "$2b$05$", "a password alone signs nobody in"
    await door.enter()
    assert (await stored())[:7] == dear[:7] == "$2b$04$"
    renewed = await stored()
    await door.ask()
    await door.enter()
    assert await stored() == renewed


async def test_secrets_are_nowhere_in_database_spool_or_log(
    door: Door, ada: User, store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    await door.ask()
    code = door.postman.code
    await door.refuses(wrong(code))
    await door.ask()
    answer = await door.enter()
    await door.ask()
    secrets = (PASSWORD, code, code.replace("-", ""), door.postman.code, answer.token)
    async with store.read() as connection:
        raw = await connection.get_raw_connection()
        assert raw.driver_connection is not None
        dump = "\n".join([line async for line in raw.driver_connection.iterdump()])
    lines = " ".join(str(vars(record)) for record in caplog.records if "sqlite" not in record.name)
    for secret in secrets:
        assert secret not in dump
        assert secret not in lines


async def test_step_one_answers_before_it_looks_at_the_account(door: Door, ada: User) -> None:
    request = LoginCodeRequest(email=EMAIL, password=PASSWORD, browser="b1", address="192.0.2.7")
    await door.sign_in.ask_code(request, "gateway")
    assert door.postman.letters == []
    await door.errands.settled()
    assert len(door.postman.letters) == 1


async def test_no_letter_without_the_right_password(door: Door, ada: User) -> None:
    await door.ask(password="wrong password")
    await door.ask(email="nobody@example.org")
    assert door.postman.letters == []


@pytest.mark.parametrize("known", [True, False])
async def test_every_failure_looks_the_same(door: Door, ada: User, known: bool) -> None:
    await door.ask()
    right = door.postman.code
    email = EMAIL if known else "nobody@example.org"
    assert await door.refuses(wrong(right), email=email)
    assert await door.refuses("", email=email)
    assert await door.refuses("not a code at all", email=email)
    assert await door.refuses(right, email=email, password="wrong password")
    assert await door.refuses(right, email="nobody@example.org")


async def test_code_works_once(door: Door, ada: User) -> None:
    await door.ask()
    await door.enter()
    assert await door.refuses()


async def test_code_used_by_many_at_once_makes_one_session(door: Door, ada: User) -> None:
    await door.ask()
    results = await asyncio.gather(*(door.enter() for _ in range(4)), return_exceptions=True)
    assert sum(isinstance(result, LoginAnswer) for result in results) == 1


async def test_code_ends_after_ten_minutes(door: Door, ada: User, clock: Clock) -> None:
    await door.ask()
    clock.forward(minutes=10)
    assert await door.refuses()


async def test_code_belongs_to_its_browser_and_account(door: Door, ada: User, accounts: Accounts) -> None:
    await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MEMBER)
    await door.ask()
    assert await door.refuses(browser="b2")
    assert await door.refuses(email="b@example.org")
    await door.enter()


async def test_new_code_ends_the_former_of_the_same_browser_only(door: Door, ada: User) -> None:
    await door.ask()
    first = door.postman.code
    await door.ask(browser="b2")
    other = door.postman.code
    await door.ask()
    assert await door.refuses(first)
    await door.enter()
    await door.enter(other, browser="b2")


async def test_five_wrong_tries_spend_a_code(door: Door, ada: User) -> None:
    await door.ask()
    for _ in range(5):
        assert await door.refuses(wrong(door.postman.code))
    assert await door.refuses()


async def test_fifth_try_still_counts(door: Door, ada: User) -> None:
    await door.ask()
    for _ in range(4):
        assert await door.refuses(wrong(door.postman.code))
    await door.enter()


async def test_tries_at_once_are_all_counted(door: Door, ada: User) -> None:
    await door.ask()
    await asyncio.gather(*(door.refuses(wrong(door.postman.code)) for _ in range(8)))
    assert await door.refuses()


async def test_wrong_tries_survive_a_restart(
    door: Door, ada: User, store: Store, passwords: Passwords, proof: Proof, clock: Clock
) -> None:
    await door.ask()
    for _ in range(5):
        assert await door.refuses(wrong(door.postman.code))
    again = SignIn(store, passwords, proof, door.errands, send=door.postman, limits=LIMITS, now=clock)
    assert await Door(again, door.errands, door.postman).refuses()


async def test_disabled_user_fails_like_an_unknown_one(door: Door, ada: User, accounts: Accounts) -> None:
    await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MASTER)
    await door.ask()
    await accounts.disable_user(EMAIL)
    assert await door.refuses()
    await door.ask()
    assert len(door.postman.letters) == 1


async def test_letter_is_tried_again_until_the_server_takes_it(
    door: Door, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(backoff, "delay", lambda *_args, **_more: 0.0)
    door.postman.refusals = [MailError("no connection", permanent=False) for _ in range(3)]
    await door.ask()
    await door.enter()


async def test_letter_that_is_refused_for_good_is_not_tried_again(door: Door, ada: User) -> None:
    door.postman.refusals = [MailError("no such mailbox", permanent=True)]
    await door.ask()
    assert door.postman.letters == []


async def test_letter_is_given_up_when_its_code_is_of_no_more_use(
    door: Door, ada: User, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def passing(*_args: object, **_more: object) -> float:
        clock.forward(minutes=4)
        return 0.0

    monkeypatch.setattr(backoff, "delay", passing)
    door.postman.refusals = [MailError("no connection", permanent=False) for _ in range(100)]
    await door.ask()
    assert len(door.postman.refusals) == 97
    assert door.postman.letters == []


async def test_burst_of_failures_is_one_security_event(door: Door, ada: User, spool: Spool, clock: Clock) -> None:
    for _ in range(12):
        await door.refuses("AAAA-2222")
    assert [(event.severity, event.where, event.detail["count"]) for event in failures(spool)] == [
        (Severity.INFO, f"user/{ada.id}", "1"),
        (Severity.SECURITY, f"user/{ada.id}", "5"),
    ]
    clock.forward(minutes=10)
    await door.sign_in.sweep()
    assert failures(spool)[-1].detail["count"] == "12"


async def test_what_an_unknown_typed_is_not_recorded(door: Door, ada: User, spool: Spool) -> None:
    await door.refuses("AAAA-2222", email="my password by mistake@x")
    (event,) = failures(spool)
    assert event.where == "address/192.0.2.7"
    assert "mistake" not in str(event)


async def test_full_disk_under_the_spool_keeps_nobody_out(
    door: Door, ada: User, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await door.ask()
    fill(tmp_path / "spool.sqlite3")
    await door.enter()
    assert "Event not recorded" in caplog.messages


async def test_too_many_requests_at_once_are_refused(door: Door, ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords_module, "_WAITING_MOST", 0)
    with pytest.raises(HomeError, match="rate-limited"):
        await door.ask()
    with pytest.raises(HomeError, match="rate-limited"):
        await door.enter("AAAA-2222")
    monkeypatch.undo()
    monkeypatch.setattr(errands_module, "MOST", 0)
    with pytest.raises(HomeError, match="rate-limited"):
        await door.ask()


async def test_blind_tries_keep_an_owner_off_no_new_browser(door: Door, ada: User) -> None:
    door.regulation = Regulation(letters=(Budget(5, 600),), wrong_passwords=(Budget(50, 3600),))
    for number in range(30):
        await door.ask(password="blind", browser=f"s{number}", address=f"198.51.100.{number}")
    await door.ask()
    await door.enter()


async def test_past_its_budget_an_account_gets_no_letter_and_the_last_one_stays_good(door: Door, ada: User) -> None:
    door.regulation = Regulation(letters=(Budget(2, 600),))
    for _ in range(4):
        await door.ask()
    assert len(door.postman.letters) == 2
    await door.ask(browser="b2", known="phone")
    assert len(door.postman.letters) == 3, "a known browser has a budget of its own"
    await door.enter(door.postman.letters[1].text.split("\n\n")[2])


async def test_wrong_passwords_of_either_step_are_counted_whether_or_not_the_account_exists(
    door: Door, ada: User
) -> None:
    door.regulation = Regulation(wrong_passwords=(Budget(3, 3600),))
    nobody = "nobody@example.org"
    for email in (EMAIL, nobody):
        await door.ask(email=email, password="wrong")
        for _ in range(2):
            assert await door.refuses("AAAA-2222", email=email, password="wrong")
    counted = [Asker(account, "", "192.0.2.0/24") for account in (ada.id, nobody)]
    assert [door.sign_in._budgets.hears(asker, door.regulation, START) for asker in counted] == [False, False]
    await door.ask()
    assert door.postman.letters == [], "a right password is not heard from where it was guessed at"
    await door.ask(address="203.0.113.7")
    await door.ask(known="phone")
    assert [letter.to for letter in door.postman.letters] == [EMAIL, EMAIL]


async def test_whatever_is_wrong_and_whatever_is_spent_costs_the_same(
    door: Door, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    checked: list[bool] = []
    check = bcrypt.checkpw

    def counted(password: bytes, stored: bytes) -> bool:
        checked.append(check(password, stored))
        return checked[-1]

    monkeypatch.setattr(bcrypt, "checkpw", counted)
    door.regulation = Regulation(letters=(Budget(1, 600),), wrong_passwords=(Budget(3, 3600),))
    costs = []
    for email, password in [(EMAIL, PASSWORD)] * 2 + [(EMAIL, "wrong")] * 5 + [("nobody@example.org", "wrong")] * 5:
        before = len(checked)
        await door.ask(email=email, password=password)
        middle = len(checked)
        assert await door.refuses("AAAA-2222", email=email, password=password)
        costs.append((middle - before, len(checked) - middle))
    assert set(costs) == {(1, 1)}


async def test_strangers_who_fill_the_queue_leave_known_browsers_theirs(
    door: Door, ada: User, passwords: Passwords
) -> None:
    passwords._waiting[passwords_module._STRANGERS] = passwords_module._WAITING_MOST
    with pytest.raises(HomeError, match="rate-limited"):
        await door.ask()
    await door.ask(known="phone")
    await door.enter(known="phone")


def new_places(spool: Spool) -> list[AuditEvent]:
    """The events about sign-ins from somewhere new."""
    return [event for event in spool.pending(1000) if event.what == "session:new-place"]


async def test_the_first_sign_in_of_an_account_is_no_news_and_the_same_place_later_neither(
    door: Door, ada: User, clock: Clock, spool: Spool
) -> None:
    for address in ("192.0.2.7", "192.0.2.99", "192.0.2.7"):
        await door.ask()
        await door.enter(address=address)
        clock.forward(days=80)
    (first,) = new_places(spool)
    assert first.severity is Severity.INFO


async def test_another_browser_or_network_is_told_once_with_what_is_known_of_it(
    door: Door, ada: User, spool: Spool
) -> None:
    await door.ask()
    await door.enter()
    for address, agent in (("192.0.2.7", "Chrome"), ("198.51.100.9", "Firefox"), ("192.0.2.8", "Chrome")):
        await door.ask()
        answer = await door.enter(address=address, agent=agent)
    _, chrome, elsewhere = new_places(spool)
    assert chrome.severity is elsewhere.severity is Severity.SECURITY
    assert chrome.detail == {"browser": "Chrome", "network": "192.0.2.0/24"}
    assert (elsewhere.who.address, elsewhere.detail["network"]) == ("198.51.100.9", "198.51.100.0/24")
    assert elsewhere.who.user is not None
    assert elsewhere.who.user.id == answer.session.user.id
    assert elsewhere.where.startswith("session/")


async def test_one_sign_in_too_many_ends_another_session_and_says_so(
    door: Door, ada: User, spool: Spool, store: Store, clock: Clock
) -> None:
    await door.ask()
    first = await door.enter()
    async with store.write() as connection:
        for _ in range(crowding.MOST - 1):
            clock.forward(seconds=1)
            await session_rows.start(
                connection, ada, address="192.0.2.7", agent="", limits=LIMITS, now=clock(), own=True
            )
    await door.ask()
    second = await door.enter()
    ended = [event for event in spool.pending(500) if event.what == "session:ended"]
    assert [(one.where, one.detail) for one in ended] == [
        (f"session/{first.session.id}", {"user": "Ada Lovelace", "because": "crowded"})
    ]
    async with store.read() as connection:
        left = await session_lists.rows_of(connection, ada.id, limits=LIMITS, now=clock())
    assert len(left) == crowding.MOST
    assert second.session.id in {one.id for one in left}


async def test_a_browser_that_the_gateway_knows_may_travel(door: Door, ada: User, spool: Spool) -> None:
    await door.ask()
    await door.enter()
    await door.ask()
    await door.enter(address="2001:db8::1", known="phone")
    assert len(new_places(spool)) == 1


async def test_a_place_that_was_not_used_for_long_is_new_again(
    door: Door, ada: User, clock: Clock, spool: Spool
) -> None:
    await door.ask()
    await door.enter()
    clock.forward(days=91)
    await door.ask()
    await door.enter()
    assert [event.severity for event in new_places(spool)] == [Severity.INFO, Severity.SECURITY]


async def test_places_of_one_person_are_bounded_and_tell_nobody_where_they_are(
    door: Door, ada: User, store: Store, clock: Clock
) -> None:
    async with store.write() as connection:
        for number in range(place_rows.MOST + 5):
            clock.forward(seconds=1)
            assert not await place_rows.visit(connection, ada.id, f"p{number}", clock())
        assert not await place_rows.visit(connection, ada.id, "p0", clock())
        assert await place_rows.visit(connection, ada.id, f"p{place_rows.MOST + 4}", clock())
        kept = (await connection.execute(select(places.c.place_hash))).scalars().all()
        assert len(kept) == place_rows.MOST
        await place_rows.drop_expired(connection, clock() + timedelta(days=90))
        assert (await connection.execute(select(places.c.place_hash))).all() == []


async def test_a_full_disk_keeps_nobody_out_and_the_new_place_is_told_later(
    door: Door, ada: User, tmp_path: Path, spool: Spool, proof: Proof
) -> None:
    await door.ask()
    await door.enter()
    fill(tmp_path / "spool.sqlite3")
    await door.ask()
    await door.enter(agent="Chrome")
    assert len(new_places(spool)) == 1
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.sqlite3")) as direct:
        direct.execute("DROP TRIGGER full")
    await proof.write_owed()
    assert len(new_places(spool)) == 2


@pytest.mark.parametrize(
    ("address", "of"),
    [
        ("192.0.2.7", "192.0.2.0/24"),
        ("::ffff:192.0.2.7", "192.0.2.0/24"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("unix", "unix"),
    ],
)
def test_a_network_outlives_leases_and_privacy_addresses(address: str, of: str) -> None:
    assert network(address) == of


def test_a_site_is_what_one_customer_may_have() -> None:
    assert network("2001:db8:1:2::3", ipv6_bits=SITE_BITS) == "2001:db8:1::/48"
    assert network("192.0.2.7", ipv6_bits=SITE_BITS) == "192.0.2.0/24"
