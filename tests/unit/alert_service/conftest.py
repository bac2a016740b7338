"""A real database for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from alert_service.store import open_store
from shared.keeping.database import Store
from tests.unit.alert_service.parts import Clock, Postman


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Where the test's database lies."""
    return f"sqlite+aiosqlite:///{tmp_path}/alerts.sqlite3"


@pytest.fixture
async def store(url: str) -> AsyncIterator[Store]:
    """An open database with its tables."""
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
