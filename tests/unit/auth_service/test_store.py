"""The database is made by its migrations alone, and opened safely."""

import asyncio
import stat
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from auth_service import store as module
from auth_service.store import Store, open_store
from auth_service.tables import metadata
from shared.config import ConfigError
from shared.problem import HomeError


def test_head_is_the_newest_migration() -> None:
    script = ScriptDirectory(str(Path(module.__file__).with_name("migrations")))
    assert script.get_current_head() == module.HEAD


async def test_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    async with store.read() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert differences == []


async def test_database_file_is_private(tmp_path: Path) -> None:
    fresh = await open_store(f"sqlite+aiosqlite:///{tmp_path / 'new' / 'auth.sqlite3'}")
    await fresh.close()
    assert stat.S_IMODE((tmp_path / "new" / "auth.sqlite3").stat().st_mode) == 0o600


async def test_start_at_head_does_not_import_alembic(migrated: Path) -> None:
    program = (
        "import asyncio, sys\n"
        "from auth_service.store import open_store\n"
        "async def main():\n"
        f"    await (await open_store('sqlite+aiosqlite:///{migrated}')).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    process = await asyncio.create_subprocess_exec(".venv/bin/python", "-c", program)
    assert await process.wait() == 0


async def test_two_processes_that_start_at_once_both_find_a_database(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'auth.sqlite3'}"
    first, second = await asyncio.gather(open_store(url), open_store(url))
    await first.ping()
    await second.ping()
    await first.close()
    await second.close()


async def test_database_of_a_newer_version_is_refused(store: Store, tmp_path: Path) -> None:
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="another version"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path / 'auth.sqlite3'}")


@pytest.mark.parametrize("url", ["sqlite+aiosqlite://", "nonsense", "sqlite+aiosqlite:////proc/none/auth.sqlite3"])
async def test_database_that_cannot_be_opened_is_a_config_error(url: str) -> None:
    with pytest.raises(ConfigError, match="database"):
        await open_store(url)


async def test_file_that_is_no_database_is_a_config_error(tmp_path: Path) -> None:
    (tmp_path / "auth.sqlite3").write_text("not a database, " * 100)
    with pytest.raises(ConfigError, match="not a database"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path / 'auth.sqlite3'}")


async def test_transaction_that_raises_changes_nothing(store: Store) -> None:
    async def change_and_stop() -> None:
        async with store.write() as connection:
            await connection.execute(sa.text("DELETE FROM alembic_version"))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await change_and_stop()
    async with store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM alembic_version"))).scalar() == 1


async def test_failing_statement_is_an_internal_problem(store: Store) -> None:
    with pytest.raises(HomeError, match="internal"):
        async with store.read() as connection:
            await connection.execute(sa.text("SELECT nothing FROM nowhere"))
