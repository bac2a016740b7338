"""Services start without the ORM, speak SQL all the same, and whoever needs the ORM later finds it."""

import subprocess
import sys
from pathlib import Path

import pytest

SPEAKS = """
import asyncio, sys
from shared.keeping.lean import without_orm
with without_orm():
    from {service}.store import open_store
    import {service}.app
    from sqlalchemy.ext import asyncio as offered
assert "sqlalchemy.orm" not in sys.modules, "the ORM is in memory"
try:
    offered.AsyncSession(None)
except ImportError as error:
    assert "left out" in str(error)
else:
    raise AssertionError("a session of nothing")

async def speak():
    store = await open_store("sqlite+aiosqlite:///{folder}/new.sqlite3")
    await store.ping()
    await store.close()

asyncio.run(speak())
from sqlalchemy.ext.asyncio.session import AsyncSession
from sqlalchemy.orm import DeclarativeBase
"""


@pytest.mark.parametrize("service", ["alert_service", "auth_service"])
def test_a_service_speaks_sql_without_the_orm(service: str, tmp_path: Path) -> None:
    program = SPEAKS.format(service=service, folder=tmp_path)
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr


def test_what_is_in_memory_already_stays_as_it_is() -> None:
    program = """
import sys
from sqlalchemy.ext.asyncio import AsyncSession
from shared.keeping.lean import without_orm
with without_orm():
    import sqlalchemy.ext.asyncio
assert sqlalchemy.ext.asyncio.AsyncSession is AsyncSession
assert sys.modules["sqlalchemy.ext.asyncio.session"].AsyncSession is AsyncSession
"""
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr
