"""The auth service's database is made by its migrations alone."""

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from auth_service.store import PLAN, open_store
from auth_service.tables import metadata
from shared.config import ConfigError
from shared.database import Store
from shared.problem import HomeError


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(PLAN.migrations)).get_current_head() == PLAN.head


async def test_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    async with store.read() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert differences == []


async def test_database_that_cannot_be_opened_names_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"check `database` in auth\.toml"):
        await open_store("sqlite+aiosqlite:////proc/none/auth.sqlite3")


async def test_row_that_is_there_already_exists(store: Store) -> None:
    with pytest.raises(HomeError, match="already-exists"):
        async with store.write() as connection:
            await connection.execute(sa.text("INSERT INTO alembic_version VALUES ('0001')"))
