"""The database: its migrations make what the tables say, and what it cannot do is told plainly."""

import stat
from pathlib import Path

import pytest
from sqlalchemy import MetaData, Table, insert, select, text

from alert_service import records, store
from alert_service.tables import events, metadata, settings
from shared.config import ConfigError
from shared.problem import HomeError


async def test_the_migrations_make_exactly_the_tables(store: store.Store) -> None:
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


async def test_a_second_start_keeps_everything(url: str) -> None:
    first = await store.open_store(url)
    async with first.write() as connection:
        await connection.execute(insert(settings).values(name="a", value="b"))
    await first.close()
    again = await store.open_store(url)
    async with again.read() as connection:
        assert (await connection.execute(select(settings.c.value))).scalar() == "b"
    await again.close()


async def test_a_database_from_a_newer_version_is_left_alone(url: str) -> None:
    first = await store.open_store(url)
    async with first.write() as connection:
        await connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    await first.close()
    with pytest.raises(ConfigError, match="another version"):
        await store.open_store(url)


async def test_the_file_is_private(store: store.Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "alerts.sqlite3").stat().st_mode) == 0o600


async def test_every_commit_is_synced(store: store.Store) -> None:
    async with store.write() as connection:
        assert (await connection.execute(text("PRAGMA synchronous"))).scalar() == 2
        assert (await connection.execute(text("PRAGMA journal_mode"))).scalar() == "wal"


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "sqlite+aiosqlite:////proc/none/x.sqlite3", "nonsense"])
async def test_an_impossible_database_is_a_configuration_error(url: str) -> None:
    with pytest.raises(ConfigError, match="database: "):
        await store.open_store(url)


async def test_a_file_that_is_no_database_is_a_configuration_error(tmp_path: Path) -> None:
    (tmp_path / "x.sqlite3").write_bytes(b"no database at all, but long enough to be looked at" * 20)
    with pytest.raises(ConfigError, match=r"alerts\.toml"):
        await store.open_store(f"sqlite+aiosqlite:///{tmp_path}/x.sqlite3")


async def test_errors_of_the_database_are_in_our_words(store: store.Store) -> None:
    with pytest.raises(HomeError, match="internal"):
        async with store.read() as connection:
            await connection.execute(text("SELECT * FROM nowhere"))
    with pytest.raises(HomeError, match="invalid-value"):
        async with store.write() as connection:
            await connection.execute(insert(events).values(row=1))


async def test_a_failed_transaction_leaves_nothing(store: store.Store) -> None:
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
