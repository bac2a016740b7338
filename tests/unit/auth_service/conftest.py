"""Real parts for the auth service's tests: a migrated SQLite database and a spool in a fresh folder."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from auth_service.hub.accounts import Accounts
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import User
from tests.unit.auth_service.parts import EMAIL, MASTER, PASSWORD, Clock


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A database at head, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "auth.sqlite3"

    async def make() -> None:
        store = await open_store(f"sqlite+aiosqlite:///{path}")
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
async def store(migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """A database of one's own."""
    shutil.copy(migrated, tmp_path / "auth.sqlite3")
    opened = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'auth.sqlite3'}")
    yield opened
    await opened.close()


@pytest.fixture
def passwords() -> Iterator[Passwords]:
    """bcrypt at its cheapest."""
    made = Passwords(b"a pepper for tests", rounds=4)
    yield made
    made.close()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    """A spool of one's own."""
    made = Spool(tmp_path / "spool.sqlite3")
    yield made
    made.close()


@pytest.fixture
def proof(spool: Spool, clock: Clock) -> Proof:
    """Writes into the spool."""
    return Proof(spool, now=clock)


@pytest.fixture
def accounts(store: Store, proof: Proof, passwords: Passwords, clock: Clock) -> Accounts:
    """The accounts of an empty home."""
    return Accounts(store, proof, passwords, ("Rosebud Cottage",), now=clock)


@pytest.fixture
async def ada(accounts: Accounts) -> User:
    """The first master user."""
    return await accounts.create_user(email=EMAIL, name="Ada Lovelace", password=PASSWORD, role=MASTER)
