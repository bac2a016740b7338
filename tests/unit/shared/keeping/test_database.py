"""A database of any service: made by its migrations alone, opened safely, and its errors told in our words."""

import asyncio
import contextlib
import logging
import secrets
import sqlite3
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.keeping import database, disks
from shared.keeping.database import Plan, Store, open_store
from shared.keeping.torn import NoRoomError
from shared.running.config import ConfigError
from shared.words.problem import HomeError

ENVIRONMENT = """
from alembic import context

context.configure(connection=context.config.attributes["connection"])
context.run_migrations()
"""

STEP = """
import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    op.create_table("thing", sa.Column("name", sa.String, primary_key=True), sa.Column("kind", sa.String))
"""


@pytest.fixture(scope="session")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    """A service with one table of things."""
    folder = tmp_path_factory.mktemp("a 100% service") / "migrations"
    (folder / "versions").mkdir(parents=True)
    (folder / "env.py").write_text(ENVIRONMENT)
    (folder / "versions" / "m0001_first_table.py").write_text(STEP)
    return Plan(head="0001", migrations=folder, settings="things.toml", conflict="already-exists", log_refusals=False)


@pytest.fixture
def url(tmp_path: Path) -> str:
    """The address of the test's database, in a folder that is not there yet."""
    return f"sqlite+aiosqlite:///{tmp_path / 'new' / 'things.sqlite3'}"


@pytest.fixture
async def store(url: str, plan: Plan) -> AsyncIterator[Store]:
    """The database, open."""
    opened = await open_store(url, plan)
    yield opened
    await opened.close()


async def add(store: Store, *names: str | None) -> None:
    """Things of these names, in one transaction."""
    async with store.write() as connection:
        for name in names:
            await connection.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": name})


async def things(store: Store) -> list[str]:
    """Every thing's name."""
    async with store.read() as connection:
        return list((await connection.execute(sa.text("SELECT name FROM thing ORDER BY name"))).scalars())


async def test_database_file_is_private(store: Store, tmp_path: Path) -> None:
    assert stat.S_IMODE((tmp_path / "new" / "things.sqlite3").stat().st_mode) == 0o600


@pytest.mark.parametrize(("pragma", "value"), [("synchronous", 2), ("foreign_keys", 1), ("journal_mode", "wal")])
async def test_every_commit_is_synced_and_every_reference_kept(store: Store, pragma: str, value: object) -> None:
    async with store.write() as connection:
        assert (await connection.execute(sa.text(f"PRAGMA {pragma}"))).scalar() == value


async def test_second_start_keeps_everything(url: str, plan: Plan) -> None:
    first = await open_store(url, plan)
    await add(first, "a")
    await first.close()
    again = await open_store(url, plan)
    assert await things(again) == ["a"]
    await again.close()


async def test_start_at_head_does_not_import_alembic(store: Store, url: str, plan: Plan) -> None:
    program = (
        "import asyncio, sys\n"
        "from pathlib import Path\n"
        "from shared.keeping.database import Plan, open_store\n"
        f"plan = Plan({plan.head!r}, Path({str(plan.migrations)!r}), '', 'internal', False)\n"
        "async def main():\n"
        f"    await (await open_store({url!r}, plan)).close()\n"
        "asyncio.run(main())\n"
        "sys.exit('alembic' in sys.modules)\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program)
    assert await process.wait() == 0


async def test_two_processes_that_start_at_once_both_find_a_database(url: str, plan: Plan) -> None:
    first, second = await asyncio.gather(open_store(url, plan), open_store(url, plan))
    await first.ping()
    await second.ping()
    await first.close()
    await second.close()


async def test_log_says_once_that_the_database_was_migrated(
    url: str, plan: Plan, caplog: pytest.LogCaptureFixture
) -> None:
    logging.getLogger("alembic").setLevel(logging.NOTSET)
    caplog.set_level(logging.INFO)
    for _ in range(2):
        await (await open_store(url, plan)).close()
    assert [(record.name, record.getMessage()) for record in caplog.records] == [
        (database.__name__, "Database was migrated")
    ]
    assert vars(caplog.records[0])["facts"] == {"before": "nothing", "after": "0001"}


async def test_process_that_migrates_prints_nothing_of_alembic(url: str, plan: Plan) -> None:
    program = (
        "import asyncio\n"
        "from pathlib import Path\n"
        "from shared.running import log\n"
        "from shared.keeping.database import Plan, open_store\n"
        "log.set_up('things', None)\n"
        f"plan = Plan({plan.head!r}, Path({str(plan.migrations)!r}), '', 'internal', False)\n"
        "async def main():\n"
        f"    await (await open_store({url!r}, plan)).close()\n"
        "asyncio.run(main())\n"
    )
    process = await asyncio.create_subprocess_exec(sys.executable, "-c", program, stderr=asyncio.subprocess.PIPE)
    _, printed = await process.communicate()
    lines = printed.decode().splitlines()
    assert [line.partition(" ")[2] for line in lines] == [
        "INFO shared.keeping.database Database was migrated before=nothing after=0001"
    ]


async def test_database_of_a_newer_version_is_left_alone(store: Store, url: str, plan: Plan) -> None:
    async with store.write() as connection:
        await connection.execute(sa.text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(ConfigError, match="another version"):
        await open_store(url, plan)


@pytest.mark.parametrize("wrong", ["sqlite+aiosqlite://", "nonsense", "sqlite+aiosqlite:////proc/none/x.sqlite3"])
async def test_database_that_cannot_be_opened_is_a_config_error(wrong: str, plan: Plan) -> None:
    with pytest.raises(ConfigError, match=r"^database: .*things\.(toml|sqlite3)"):
        await open_store(wrong, plan)


async def test_file_that_is_no_database_is_a_config_error(tmp_path: Path, plan: Plan) -> None:
    (tmp_path / "things.sqlite3").write_text("not a database, " * 100)
    with pytest.raises(ConfigError, match=r"not a database.*things\.toml"):
        await open_store(f"sqlite+aiosqlite:///{tmp_path / 'things.sqlite3'}", plan)


async def test_transaction_that_raises_changes_nothing(store: Store) -> None:
    async def change_and_stop() -> None:
        async with store.write() as connection:
            await connection.execute(sa.text("DELETE FROM alembic_version"))
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        await change_and_stop()
    async with store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM alembic_version"))).scalar() == 1


async def test_transaction_that_fails_half_way_leaves_nothing(store: Store) -> None:
    with pytest.raises(HomeError):
        await add(store, "a", "a")
    assert await things(store) == []


async def test_failing_statement_is_an_internal_problem_and_its_values_stay_out_of_the_log(
    store: Store, caplog: pytest.LogCaptureFixture
) -> None:
    secret = secrets.token_hex(8)  # made, so that no traceback quotes it out of this file
    with pytest.raises(HomeError, match="internal"):
        async with store.read() as connection:
            await connection.execute(sa.text("SELECT nothing FROM nowhere WHERE a = :a"), {"a": secret})
    assert "Database failed" in caplog.text
    assert secret not in caplog.text


@pytest.mark.parametrize(("slug", "logged"), [("already-exists", False), ("invalid-value", True)])
async def test_conflict_is_what_the_service_calls_it(
    url: str, plan: Plan, caplog: pytest.LogCaptureFixture, slug: str, logged: bool
) -> None:
    store = await open_store(url, plan._replace(conflict=slug, log_refusals=logged))
    with pytest.raises(HomeError, match=slug):
        await add(store, "a", "a")
    assert ("Database refused a value" in caplog.text) is logged
    await store.close()


async def test_value_that_no_database_takes_is_invalid(store: Store) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        async with store.write() as connection:
            await connection.execute(sa.text("INSERT INTO thing (name) VALUES (:name)"), {"name": 2**64})


@pytest.mark.parametrize("statement", ["BEGIN", "INSERT", "SELECT"])
async def test_whoever_is_cancelled_in_a_statement_leaves_no_lock_behind(
    store: Store, url: str, plan: Plan, statement: str
) -> None:
    """As a service's request is when its caller goes away; the cancellation itself may be kept and looked at."""
    await add(store, "a")

    def cancel(_connection: object, _cursor: object, sql: str, *_: object) -> None:
        task = asyncio.current_task()
        if task is not None and task.get_name() == "cancelled" and sql.startswith(statement):
            task.cancel()

    async def work() -> None:
        async with store.write() as connection:
            await connection.execute(sa.text("INSERT INTO thing (name) VALUES ('b')"))
            await connection.execute(sa.text("SELECT name FROM thing"))

    sa.event.listen(sa.Engine, "before_cursor_execute", cancel)
    try:
        kept = await asyncio.gather(asyncio.create_task(work(), name="cancelled"), return_exceptions=True)
    finally:
        sa.event.remove(sa.Engine, "before_cursor_execute", cancel)
    assert isinstance(kept[0], asyncio.CancelledError)
    await add(store, "c")
    other = await open_store(url, plan)
    await add(other, "d")
    assert await things(other) == ["a", "c", "d"]
    await other.close()


async def test_who_writes_all_the_time_keeps_nobody_else_from_writing(store: Store) -> None:
    """SQLite itself has those who wait look again now and then: whoever is always there finds it free first."""
    written = 0

    async def flood() -> None:
        nonlocal written
        while True:
            async with store.write() as connection:
                await connection.execute(sa.text("UPDATE thing SET kind = 'flooded'"))
                await asyncio.sleep(0.05)
            written += 1

    async with asyncio.TaskGroup() as group:
        flooding = group.create_task(flood())
        waited = []
        for number in range(10):
            before = written
            await add(store, f"thing {number}")
            waited.append(written - before)
        flooding.cancel()
    assert max(waited) <= 1


def test_a_file_that_is_not_there_is_known_before_one_is_made(tmp_path: Path) -> None:
    path = tmp_path / "things.sqlite3"
    url = f"sqlite+aiosqlite:///{path}"
    assert database.missing(url) == path
    path.write_bytes(b"")
    assert database.missing(url) is None
    for other in ("postgresql+asyncpg://x/things", "nonsense", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"):
        assert database.missing(other) is None


@pytest.mark.parametrize(("full", "said"), [(True, "its disk is full: free space there"), (False, "homesystem repair")])
async def test_a_file_that_cannot_be_used_for_want_of_room_is_not_told_as_torn(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch, *, full: bool, said: str
) -> None:
    """Whoever brought back a backup then would lose what was done since, for nothing."""
    (tmp_path / "things.sqlite3").write_bytes(b"SQLite format 3\0 and then nothing of the kind")
    monkeypatch.setattr(disks, "is_full", lambda _folder: full)
    with pytest.raises(ConfigError) as refused:
        await open_store(f"sqlite+aiosqlite:///{tmp_path / 'things.sqlite3'}", plan)
    assert said in str(refused.value)
    assert ("restore" in str(refused.value)) is not full


async def test_a_step_that_found_no_room_and_gave_back_what_it_took_is_told_as_that(
    tmp_path: Path, plan: Plan, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "things.sqlite3"
    path.touch()

    async def full(*_: object) -> None:
        with contextlib.closing(sqlite3.connect(":memory:")) as small:
            small.executescript("PRAGMA max_page_count = 2; CREATE TABLE t (a)")
            small.execute("INSERT INTO t VALUES (zeroblob(100000))")

    monkeypatch.setattr(database, "_migrate", full)
    with pytest.raises(NoRoomError, match="its disk is full: free space there"):
        await open_store(f"sqlite+aiosqlite:///{path}", plan)
