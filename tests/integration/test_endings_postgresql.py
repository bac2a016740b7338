"""What ends sessions ends those as well that are begun at the same moment, over PostgreSQL, where both really are."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from auth_service.account.current_password import CurrentPassword
from auth_service.account.own_password import OwnPassword
from auth_service.account.owners import Owners
from auth_service.account.tokens import Tokens
from auth_service.confirming import confirmations
from auth_service.confirming.errands import Errands
from auth_service.home.lockdown import Lockdown
from auth_service.hub.accounts import Accounts
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_lists, session_rows, token_rows
from auth_service.signing_in.sessions import Sessions
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import LockdownState
from shared.words.internal_account import PasswordChange
from shared.words.internal_tokens import TokenWish
from shared.words.messages import Who
from shared.words.names import Outcome, Role, Severity
from shared.words.scopes import Allowed

PASSWORD = "violet engine of numbers"
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LIMITS = session_rows.Limits(timedelta(hours=12), timedelta(days=7))


@pytest.fixture
async def store(empty_database: str) -> AsyncIterator[Store]:
    """The database, migrated."""
    opened = await open_store(empty_database)
    yield opened
    await opened.close()


@pytest.fixture
def accounts(store: Store, tmp_path: Path) -> Iterator[Accounts]:
    """Accounts over it."""
    passwords, spool = Passwords(b"pepper", rounds=4), Spool(tmp_path / "spool.sqlite3")
    yield Accounts(store, Proof(spool, now=lambda: NOW), passwords, now=lambda: NOW)
    spool.close()
    passwords.close()


async def test_session_begun_by_the_old_password_does_not_outlive_it(store: Store, accounts: Accounts) -> None:
    user = await accounts.create_user(email="s@example.org", name="S", password=PASSWORD, role=Role.MASTER)
    async with store.read() as connection:
        account = await user_rows.find(connection, user.email)
    assert account is not None
    async with store.write() as connection:
        assert await confirmations.use(connection, account, None) == user
        changing = asyncio.create_task(accounts.set_password(user.email, "lanterns over quiet harbours"))
        while not changing.done() and not await somebody_waits(store):
            pass
        await session_rows.start(connection, user, address="", agent="", limits=LIMITS, now=NOW)
    await changing
    async with store.read() as connection:
        assert await session_lists.rows_of(connection, user.id, limits=LIMITS, now=NOW) == ()


async def somebody_waits(store: Store) -> bool:
    """Whether a transaction waits for what another one holds."""
    async with store.read() as connection:
        return bool((await connection.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted"))).scalar())


class Waiting(Proof):
    """Keeps a transaction open until a lockdown waits for it, or did not have to."""

    store: Store
    lockdown: asyncio.Task[LockdownState]

    async def write(
        self,
        what: str,
        where: str,
        who: Who,
        *,
        severity: Severity = Severity.INFO,
        outcome: Outcome = Outcome.EXECUTED,
        detail: dict[str, str] | None = None,
    ) -> None:
        begun = Lockdown(self.store, self, now=lambda: NOW).begin(Who(issuer="admin"))
        self.lockdown = asyncio.create_task(begun)
        while not self.lockdown.done() and not await somebody_waits(self.store):
            pass
        await super().write(what, where, who, severity=severity, outcome=outcome, detail=detail or {})


async def test_token_made_meanwhile_does_not_outlive_a_lockdown(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    await nothing_outlives_a_lockdown(store, accounts, tmp_path, "token")


async def test_session_of_a_new_password_does_not_outlive_a_lockdown(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    await nothing_outlives_a_lockdown(store, accounts, tmp_path, "password")


async def nothing_outlives_a_lockdown(store: Store, accounts: Accounts, tmp_path: Path, made: str) -> None:
    """One that is begun while a token, or by another password a session, is being made."""
    ada = await accounts.create_user(email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER)
    async with store.write() as connection:
        token = (await session_rows.start(connection, ada, address="", agent="", limits=LIMITS, now=NOW)).token
    spool, passwords = Spool(tmp_path / "waiting.sqlite3"), Passwords(b"pepper", rounds=4)
    proof = Waiting(spool, now=lambda: NOW)
    proof.store = store
    sessions = Sessions(store, proof, limits=LIMITS, now=lambda: NOW, wake=lambda: None)
    async with asyncio.TaskGroup() as group:
        current = CurrentPassword(store, passwords, proof, Errands(group), now=lambda: NOW)
        owners = Owners(sessions, current, limits=LIMITS, now=lambda: NOW)
        if made == "token":
            tokens = Tokens(store, sessions, proof, current, limits=LIMITS, now=lambda: NOW, wake=lambda: None)
            may = (Allowed(room="hall", device="lamp", actions=()),)
            ends = NOW + timedelta(days=1)
            wish = TokenWish(session=token, current=PASSWORD, name="T", scope=may, expires_at=ends, address="")
            await tokens.make(wish, "gateway")
        else:
            own = OwnPassword(store, passwords, proof, owners, wake=lambda: None)
            new = "lanterns over quiet harbours"
            await own.change(PasswordChange(token=token, current=PASSWORD, new=new, address="", agent=""), "gateway")
        await proof.lockdown
    async with store.read() as connection:
        assert await session_lists.rows_of(connection, ada.id, limits=LIMITS, now=NOW) == ()
        assert await token_rows.count(connection, ada.id, NOW) == 0
    spool.close()
    passwords.close()
