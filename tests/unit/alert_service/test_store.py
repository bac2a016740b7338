"""The alert service's database: its migrations make what the tables say, and what it cannot keep is told plainly."""

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import MetaData, Table, insert, select, text

from alert_service import mailbox, records
from alert_service.store import PLAN, open_store
from alert_service.tables import events, metadata, settings
from shared.config import ConfigError
from shared.database import Store
from shared.problem import HomeError


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(PLAN.migrations)).get_current_head() == PLAN.head


async def test_the_migrations_make_exactly_the_tables(store: Store) -> None:
    made = MetaData()
    async with store.read() as connection:
        await connection.run_sync(made.reflect)

    def shape(table: Table) -> object:
        columns = {(c.name, str(c.type), bool(c.nullable), bool(c.primary_key)) for c in table.columns}
        indexes = {(i.name, tuple(c.name for c in i.columns)) for i in table.indexes}
        return columns, indexes

    assert made.tables.keys() == metadata.tables.keys() | {"alembic_version"}
    for name, table in metadata.tables.items():
        assert shape(made.tables[name]) == shape(table), name


async def test_what_an_older_home_knew_of_its_recipients_and_letters_stays(url: str) -> None:
    older = await open_store(url)
    async with older.write() as connection:
        for statement in (
            "DROP TABLE recipients",
            "CREATE TABLE recipients (email VARCHAR(254) PRIMARY KEY)",
            "INSERT INTO recipients VALUES ('ada@example.org')",
            "DROP INDEX deliveries_by_way",
            "ALTER TABLE deliveries DROP COLUMN way",
            "CREATE INDEX deliveries_by_state ON deliveries (state, next_at)",
            "ALTER TABLE letters DROP COLUMN audience",
            "INSERT INTO letters (kind, key, round, source, state, refused_by_gateway, created_at)"
            " VALUES ('event', 'k', 1, 'hall', 'released', 0, 0)",
            "INSERT INTO deliveries (letter, recipient, state, attempts, next_at, permanent)"
            " VALUES (1, 'ada@example.org', 'pending', 0, 0, 0)",
            "UPDATE alembic_version SET version_num = '0001'",
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
