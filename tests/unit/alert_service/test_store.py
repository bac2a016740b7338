"""The alert service's database: its migrations make what the tables say, and what it cannot keep is told plainly."""

import subprocess
import sys

import pytest
from alembic import command
from alembic.config import Config as AlembicConfig
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, MetaData, Table, insert, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from alert_service.chain import chain
from alert_service.letters import mailbox
from alert_service.record import records
from alert_service.store import PLAN, open_store
from alert_service.tables import events, settings, with_partial_indexes
from shared.keeping.database import Store
from shared.running.config import ConfigError
from shared.words.messages import utc
from shared.words.problem import HomeError
from tests.unit.alert_service.parts import event


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(PLAN.migrations)).get_current_head() == PLAN.head


async def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    made = MetaData()
    async with store.read() as connection:
        await connection.run_sync(made.reflect)
        dialect = connection.dialect

    def shape(table: Table) -> object:
        columns = {(c.name, c.type.compile(dialect), bool(c.nullable), bool(c.primary_key)) for c in table.columns}
        indexes = {(i.name, tuple(c.name for c in i.columns)) for i in table.indexes}
        return columns, indexes

    told = with_partial_indexes()
    assert made.tables.keys() == told.tables.keys() | {"alembic_version"}
    for name, table in told.tables.items():
        assert shape(made.tables[name]) == shape(table), name


def test_what_no_start_needs_is_not_imported() -> None:
    """Each is megabytes on a small hub, and most homes never use it."""
    names = ("alembic", "jinja2", "apprise", "sqlalchemy.dialects.postgresql")
    program = f"import sys, alert_service.app\nprint(*(one for one in {names!r} if one in sys.modules))"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert ended.stdout.split() == []


async def test_an_older_record_gets_its_rooms_and_a_clock_that_never_falls(url: str) -> None:
    def upgrade(connection: Connection) -> None:
        steps = AlembicConfig()
        steps.set_main_option("script_location", str(PLAN.migrations))
        steps.set_main_option("path_separator", "os")
        steps.attributes["connection"] = connection
        command.upgrade(steps, "0001")

    told = [("hall/lamp", "hall", 5), ("user/u1", "user", 9), ("hall", "hall", 7), ("gateway", "gateway", 10)]
    engine = create_async_engine(url)
    async with engine.begin() as connection:
        await connection.run_sync(upgrade)
        there = {one.name for one in (await connection.execute(text("PRAGMA table_info(events)"))).all()}
        assert "clock" not in there
        for row, (place, room, received_at) in enumerate(told, 1):
            made = chain.append("gateway", event(where=place), received_at=utc(received_at), salt=b"s" * 16, row=row)
            now = records.columns([chain.flat(made)], clock=0)[0] | {"room": room}
            values = {name: value for name, value in now.items() if name in there}
            await connection.execute(text(_insert(values)), values)
    await engine.dispose()
    store = await open_store(url)
    async with store.read() as connection:
        found = (await connection.execute(select(events).order_by(events.c.row))).all()
    await store.close()
    assert [(one.place, one.room, one.clock // 1_000_000) for one in found] == [
        ("hall/lamp", "hall", 5),
        ("user/u1", "", 9),
        ("hall", "hall", 9),
        ("gateway", "", 10),
    ]


def _insert(values: dict[str, object]) -> str:
    return f"INSERT INTO events ({', '.join(values)}) VALUES ({', '.join(f':{name}' for name in values)})"


async def test_what_an_older_home_knew_of_its_recipients_and_letters_stays(url: str) -> None:
    older = await open_store(url)
    async with older.write() as connection:
        for statement in (
            *(f"DROP TABLE {younger}" for younger in ("notices", "notice_sums", "tidings")),
            "DROP TABLE recipients",
            "CREATE TABLE recipients (email VARCHAR(254) PRIMARY KEY)",
            "INSERT INTO recipients VALUES ('ada@example.org')",
            *(f"DROP INDEX deliveries_by_{what}" for what in ("way", "sending", "letter")),
            "ALTER TABLE deliveries DROP COLUMN way",
            "CREATE INDEX deliveries_by_state ON deliveries (state, next_at)",
            "ALTER TABLE letters DROP COLUMN audience",
            "INSERT INTO letters (kind, key, round, source, state, refused_by_gateway, created_at)"
            " VALUES ('event', 'k', 1, 'hall', 'released', 0, 0)",
            "INSERT INTO deliveries (letter, recipient, state, attempts, next_at, permanent)"
            " VALUES (1, 'ada@example.org', 'pending', 0, 0, 0)",
            "DROP INDEX letters_by_release",
            "DROP TABLE happenings",
            "DROP TABLE passed",
            "DROP INDEX events_by_what",
            "UPDATE alembic_version SET version_num = '0003'",
        ):
            await connection.execute(text(statement))
    await older.close()
    newer = await open_store(url)
    async with newer.read() as connection:
        (ada,) = await mailbox.known_people(connection)
        assert (ada.email, ada.master) == ("ada@example.org", True)
        (due,) = await mailbox.due(connection, "mail", 1.0, 10)
        assert (await mailbox.told(connection, due.letter)).audience == "masters"
    await newer.close()


async def test_an_impossible_database_names_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"check `database` in alerts\.toml"):
        await open_store("sqlite+aiosqlite:////proc/none/alerts.sqlite3")


async def test_an_incomplete_event_is_an_invalid_value(store: Store) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        async with store.write() as connection:
            await connection.execute(insert(events).values(row=1))


async def test_a_failed_transaction_leaves_nothing(store: Store) -> None:
    async def twice() -> None:
        async with store.write() as connection:
            await connection.execute(insert(settings).values(name="a", value="b"))
            await connection.execute(insert(settings).values(name="a", value="c"))

    with pytest.raises(HomeError):
        await twice()
    async with store.read() as connection:
        assert (await connection.execute(select(settings))).all() == []
        assert await records.rows(connection, []) == {}
    await store.ping()
