"""A sign-in is gone through, and nothing is left of it; whatever stands in the way is named."""

import contextlib
import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import select

from auth_service.people.passwords import Passwords
from auth_service.signing_in.rehearsal import Rehearsal
from auth_service.tables import codes
from shared.keeping.database import Store
from shared.mail import MailError
from shared.words.internal import User
from shared.words.internal_rehearsal import SignInRehearsal
from tests.unit.auth_service.parts import Clock


async def taken() -> None:
    """The mail server lets us in."""


async def test_nothing_stands_in_the_way_and_nothing_is_left(
    store: Store, passwords: Passwords, clock: Clock, ada: User
) -> None:
    rehearsal = Rehearsal(store, passwords, check_mail=taken, now=clock)
    assert await rehearsal.sign_in() == SignInRehearsal()
    async with store.read() as connection:
        assert (await connection.execute(select(codes))).all() == []


async def test_a_home_without_a_master_user_who_may_sign_in(store: Store, passwords: Passwords, clock: Clock) -> None:
    told = await Rehearsal(store, passwords, check_mail=taken, now=clock).sign_in()
    assert told == SignInRehearsal(account="no master user may sign in")


async def test_a_mail_server_that_refuses_us(store: Store, passwords: Passwords, clock: Clock, ada: User) -> None:
    async def refused() -> None:
        raise MailError("535 no such login", permanent=False)

    told = await Rehearsal(store, passwords, check_mail=refused, now=clock).sign_in()
    assert told == SignInRehearsal(mail="535 no such login")


async def test_passwords_that_cannot_be_checked(
    store: Store, passwords: Passwords, clock: Clock, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    passwords.close()
    told = await Rehearsal(store, passwords, check_mail=taken, now=clock).sign_in()
    assert told.password is not None
    assert "shutdown" in told.password


async def test_a_database_that_takes_no_code(
    store: Store, passwords: Passwords, clock: Clock, ada: User, tmp_path: Path
) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "auth.sqlite3")) as direct:
        direct.execute("CREATE TRIGGER full BEFORE INSERT ON codes BEGIN SELECT RAISE(FAIL, 'disk is full'); END")
    told = await Rehearsal(store, passwords, check_mail=taken, now=clock).sign_in()
    assert told.database is not None
    assert (told.password, told.account, told.mail) == (None, None, None)
