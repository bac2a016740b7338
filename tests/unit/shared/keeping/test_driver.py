"""A statement costs one change of thread, and SQLite has nothing of it left when it is through."""

import queue
import sqlite3
from pathlib import Path
from typing import Any
from unittest import mock

import aiosqlite.core
import pytest
import sqlalchemy as sa
from sqlalchemy.exc import OperationalError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.keeping import driver


@pytest.fixture
async def asked() -> list[Any]:
    """What the driver's threads were asked to do."""
    return []


@pytest.fixture
async def engine(tmp_path: Path, asked: list[Any]) -> Any:
    """An engine whose driver is ours."""

    class Watched(queue.SimpleQueue[Any]):
        def put_nowait(self, item: Any) -> None:
            asked.append(item)
            super().put_nowait(item)

    url = f"sqlite+aiosqlite:///{tmp_path}/things.sqlite3"
    with mock.patch.object(aiosqlite.core, "SimpleQueue", Watched):
        made = create_async_engine(url, connect_args={"async_creator_fn": driver.connect})
        yield made
        await made.dispose()


async def test_each_statement_is_one_change_of_thread(engine: AsyncEngine, asked: list[Any]) -> None:
    async with engine.connect() as connection:
        await connection.execute(sa.text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT)"))
        for statement, values in (
            ("INSERT INTO thing (name) VALUES (:name)", [{"name": "lamp"}]),
            ("INSERT INTO thing (name) VALUES (:name)", [{"name": "door"}, {"name": "gate"}]),
            ("SELECT name FROM thing", [{}]),
            ("UPDATE thing SET name = 'x' WHERE id < 3", [{}]),
        ):
            asked.clear()
            await connection.execute(sa.text(statement), values if len(values) > 1 else values[0])
            assert len(asked) == 1, statement


async def test_answers_are_those_of_the_driver(engine: AsyncEngine) -> None:
    async with engine.begin() as connection:
        await connection.execute(sa.text("CREATE TABLE thing (id INTEGER PRIMARY KEY, name TEXT, raw BLOB)"))
        table = sa.table("thing", sa.column("id"), sa.column("name"), sa.column("raw"))
        made = await connection.execute(table.insert().values(name="lamp", raw=b"\x00"))
        assert made.rowcount == 1
        await connection.execute(table.insert(), [{"name": "door"}, {"name": "gate"}])
        found = await connection.execute(sa.select(table).order_by(table.c.id))
        assert [tuple(one) for one in found.all()] == [(1, "lamp", b"\x00"), (2, "door", None), (3, "gate", None)]
        assert (await connection.execute(sa.select(table).where(table.c.id > 9))).all() == []
        one = await connection.execute(sa.select(table.c.name).order_by(table.c.id))
        assert one.first() == ("lamp",)
        changed = await connection.execute(sa.text("UPDATE thing SET name = 'x' WHERE id < 3"))
        assert changed.rowcount == 2
        returned = await connection.execute(sa.text("DELETE FROM thing WHERE id = 1 RETURNING name"))
        assert returned.scalars().all() == ["x"]


async def test_an_error_is_the_drivers_and_leaves_no_statement_behind(engine: AsyncEngine, tmp_path: Path) -> None:
    async with engine.connect() as connection:
        await connection.execute(sa.text("CREATE TABLE thing (name TEXT)"))
        with pytest.raises(OperationalError):
            await connection.execute(sa.text("SELECT name FROM nothing"))
        with pytest.raises(OperationalError):  # in the midst of its rows
            await connection.execute(
                sa.text("SELECT abs(value) FROM (SELECT 1 AS value UNION ALL SELECT :least)"), {"least": -(2**63)}
            )
        found = await connection.execute(sa.text("SELECT 1 UNION ALL SELECT 2"))
        assert found.first() == (1,)  # whoever wants no more has left nothing open
        await connection.rollback()
        with sqlite3.connect(tmp_path / "things.sqlite3", timeout=0) as other:
            other.execute("BEGIN EXCLUSIVE")
            other.execute("ROLLBACK")
        other.close()
