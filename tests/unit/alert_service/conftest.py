"""A real database for each test."""

import asyncio
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alert_service.store import open_store
from shared.keeping.database import Store
from tests.unit.alert_service.parts import Clock, Postman


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database at head, to be copied: migrating takes longer than most tests."""
    path = tmp_path_factory.mktemp("migrated") / "alerts.sqlite3"

    async def make() -> None:
        store = await open_store(f"sqlite+aiosqlite:///{path}")
        await store.close()

    asyncio.run(make())
    return path


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the test's database lies."""
    return f"sqlite+aiosqlite:///{tmp_path}/alerts.sqlite3"


@pytest.fixture
async def store(url: str, migrated: Path, tmp_path: Path) -> AsyncIterator[Store]:
    """An open database with its tables."""
    shutil.copy(migrated, tmp_path / "alerts.sqlite3")
    opened = await open_store(url)
    yield opened
    await opened.close()


@pytest.fixture
def clock() -> Clock:
    """The time."""
    return Clock()


@pytest.fixture
def postman() -> Postman:
    """Who takes the letters."""
    return Postman()
