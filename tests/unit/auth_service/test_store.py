"""The auth service's database is made by its migrations alone."""

import itertools
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from auth_service.factors import demand_rows
from auth_service.home import lockdown_rows, pending_rows, room_rows, window_rows
from auth_service.people import email_rows, erasure_rows, invitation_rows, user_rows
from auth_service.store import PLAN, open_store
from auth_service.tables import metadata
from shared.keeping.database import Store
from shared.running.config import ConfigError
from shared.words.internal import Grant, LockdownState
from shared.words.problem import HomeError


def test_head_is_the_newest_migration() -> None:
    assert ScriptDirectory(str(PLAN.migrations)).get_current_head() == PLAN.head


async def test_migrations_make_the_tables_that_the_code_expects(store: Store) -> None:
    beside = (pending_rows.table, email_rows.email_changes, erasure_rows.erasures, invitation_rows.table)
    assert all(table.metadata is metadata for table in (*beside, demand_rows.demands, window_rows.table)), (
        "some lie with their rows"
    )
    async with store.read() as connection:
        differences = await connection.run_sync(
            lambda sync: compare_metadata(MigrationContext.configure(sync), metadata)
        )
    assert differences == []


async def test_older_home_has_nothing_locked_out_is_not_locked_down_and_grants_what_it_granted(tmp_path: Path) -> None:
    address = f"sqlite+aiosqlite:///{tmp_path / 'auth.sqlite3'}"
    older = await open_store(address)
    async with older.write() as connection:
        await connection.execute(sa.text("DROP TABLE lockdown"))
        await connection.execute(sa.text("DROP TABLE demands"))
        await connection.execute(sa.text("DROP TABLE places"))
        for table in (
            "endings",
            "tokens",
            "factors",
            "recovery_codes",
            "challenges",
            "refused_loosenings",
            "invitations",
            "pending_wishes",
            "presses",
            "email_changes",
            "former_addresses",
            "erasures",
            "missed_invitations",
            "join_windows",
        ):
            await connection.execute(sa.text(f"DROP TABLE {table}"))
        for column in ("own", "proved_at"):
            await connection.execute(sa.text(f"ALTER TABLE sessions DROP COLUMN {column}"))
        await connection.execute(sa.text("DROP INDEX ix_codes_attempt"))
        for column in ("attempt", "address"):
            await connection.execute(sa.text(f"ALTER TABLE codes DROP COLUMN {column}"))
        for column in ("locked_out", "confirm_by", "delay_minutes", "safe_actions", "named_at"):
            await connection.execute(sa.text(f"ALTER TABLE devices DROP COLUMN {column}"))
        await connection.execute(sa.text("ALTER TABLE sessions DROP COLUMN seen_from"))
        for column in ("language", "looks"):
            await connection.execute(sa.text(f"ALTER TABLE users DROP COLUMN {column}"))
        for table, column in itertools.product(("rooms", "devices"), ("home_name", "icon", "hidden", "place")):
            await connection.execute(sa.text(f"ALTER TABLE {table} DROP COLUMN {column}"))
        await connection.execute(sa.text("DROP TABLE changed_rights"))
        for column in ("since", "actions"):
            await connection.execute(sa.text(f"ALTER TABLE grants DROP COLUMN {column}"))
        values = "'u', 'g@example.org', 'g@example.org', 'G', 'guest', '', '2026-03-01'"
        names = "id, email, email_key, name, role, password_hash, created_at"
        await connection.execute(sa.text(f"INSERT INTO users ({names}) VALUES ({values})"))
        await connection.execute(sa.text("INSERT INTO grants VALUES (1, 'u', 'hall', 'lamp', '06', 60, 120, NULL)"))
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '0001'"))
        await connection.execute(sa.text("INSERT INTO identities VALUES ('hall', 'room', '2026-03-01', NULL)"))
        await connection.execute(sa.text("INSERT INTO rooms VALUES ('hall', 'Hall')"))
        await connection.execute(sa.text("INSERT INTO devices VALUES ('hall', 'lamp', 'Lamp', 'switch', 0, 0)"))
    await older.close()
    newer = await open_store(address)
    async with newer.read() as connection:
        found = await room_rows.find(connection, "hall")
        assert found is not None
        assert [(device.id, device.locked_out) for device in found.devices] == [("lamp", False)]
        assert await room_rows.all_locked_out(connection) == ()
        hours = Grant(room="hall", device="lamp", weekdays=(0, 6), from_minute=60, to_minute=120)
        assert await user_rows.grants_of(connection, "u") == (hours,)
        assert await lockdown_rows.read(connection) == LockdownState(active=False, at=None)
    await newer.close()


async def test_database_that_cannot_be_opened_names_the_settings() -> None:
    with pytest.raises(ConfigError, match=r"check `database` in auth\.toml"):
        await open_store("sqlite+aiosqlite:////proc/none/auth.sqlite3")


async def test_row_that_is_there_already_exists(store: Store) -> None:
    with pytest.raises(HomeError, match="already-exists"):
        async with store.write() as connection:
            await connection.execute(sa.text("INSERT INTO alembic_version VALUES (:head)"), {"head": PLAN.head})
