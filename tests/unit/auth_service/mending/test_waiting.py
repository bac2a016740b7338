"""Accounts whose file is torn: the service waits and tells, and what can be read goes on locked down."""

import asyncio
import contextlib
import os
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from auth_service import config
from auth_service.config import AuthConfig
from auth_service.home import lockdown_rows, window_rows
from auth_service.hub import accounts
from auth_service.mending import repairing, waiting
from auth_service.people import invitation_rows
from auth_service.people.email_rows import email_changes
from auth_service.proof import Proof
from auth_service.store import open_store
from auth_service.tables import sessions, tokens, users
from deploy import __main__ as command
from deploy.examining import check_files
from deploy.folder import home as homes
from shared.keeping import database, disks
from shared.keeping.torn import TornError
from shared.proof.spool import Spool
from shared.words.messages import AuditEvent
from shared.words.names import Role
from tests.begun import begin_accounts, home_that_never_ran
from tests.house import DEADLINE

PAGE = 4096
NOW = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> homes.Home:
    """A home that was set up, with its master user, and never ran."""
    made = home_that_never_ran(tmp_path, monkeypatch)
    begin_accounts(made)

    async def join() -> None:
        async with accounts.opened(config.read(made.config("auth"))) as opened:
            await opened.create_user(
                email="ada@example.org", name="Ada", password="violet engine of numbers", role=Role.MASTER
            )

    asyncio.run(join())
    return made


@pytest.fixture
def settings(home: homes.Home) -> AuthConfig:
    return config.read(home.config("auth"))


@pytest.fixture
def file(settings: AuthConfig) -> Path:
    path = database.file_of(settings.database)
    assert path is not None
    return path


@pytest.fixture
def spool(settings: AuthConfig) -> Iterator[Spool]:
    with contextlib.closing(Spool(settings.spool, source="auth", alone=True)) as made:
        yield made


def spoil(path: Path, at: int, content: bytes) -> None:
    with path.open("r+b") as file:
        file.seek(at)
        file.write(content)


def zero(path: Path) -> None:
    spoil(path, 0, bytes(path.stat().st_size))


def bring_back(path: Path, content: bytes) -> None:
    """In one step, as `homesystem restore` does: whoever looks at that moment sees the one file or the other."""
    beside = path.with_suffix(".brought-back")
    beside.write_bytes(content)
    beside.replace(path)


def torn_events(spool: Spool) -> list[AuditEvent]:
    return [one for one in spool.pending(100) if one.what == waiting.TORN]


async def test_of_a_full_disk_it_is_not_told_that_the_accounts_are_torn(
    settings: AuthConfig, file: Path, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SQLite says that it cannot read them; a backup that somebody brought back then would cost what was done since."""
    whole = await asyncio.to_thread(file.read_bytes)
    tried = asyncio.Semaphore(0)

    def full(_folder: Path) -> bool:
        tried.release()
        return True

    with monkeypatch.context() as patched:
        patched.setattr(disks, "is_full", full)
        zero(file)
        opening = asyncio.create_task(waiting.opened(settings, spool, now=lambda: NOW))
        for _ in range(3):
            await asyncio.wait_for(tried.acquire(), DEADLINE)
        bring_back(file, whole)
        await (await asyncio.wait_for(opening, DEADLINE)).close()
    assert torn_events(spool) == []


@pytest.mark.parametrize("way", ["zeroed", "cut", "emptied", "cut to a byte", "without its head", "its people spoilt"])
async def test_it_waits_and_tells_and_takes_up_what_was_brought_back(
    settings: AuthConfig, file: Path, spool: Spool, way: str
) -> None:
    whole = await asyncio.to_thread(file.read_bytes)
    ways = {
        "zeroed": lambda: zero(file),
        "cut": lambda: os.truncate(file, len(whole) // 2),
        "emptied": lambda: os.truncate(file, 0),
        "cut to a byte": lambda: os.truncate(file, 1),
        "without its head": lambda: spoil(file, 0, b"\xa5" * 100),
        "its people spoilt": lambda: spoil(file, whole.index(b"ada@example.org") // PAGE * PAGE, b"\xa5" * PAGE),
    }
    ways[way]()
    opening = asyncio.create_task(waiting.opened(settings, spool, now=lambda: NOW))
    while not torn_events(spool):
        await asyncio.sleep(0.05)
        assert not opening.done()
    (told,) = torn_events(spool)
    assert (told.severity.value, told.outcome.value) == ("critical", "failed")
    await asyncio.to_thread(bring_back, file, whole)
    async with asyncio.timeout(DEADLINE):
        store = await opening
    async with store.read() as connection:
        assert len((await connection.execute(select(users))).all()) == 1
    await store.close()


async def test_a_torn_page_that_nobody_reads_is_told_from_the_start_and_the_service_goes_on(
    settings: AuthConfig, file: Path, spool: Spool
) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db:
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        (root,) = db.execute("SELECT rootpage FROM sqlite_schema WHERE name = 'codes_by_expiry'").fetchone()
    spoil(file, (root - 1) * PAGE, b"\xa5" * PAGE)
    store = await waiting.opened(settings, spool, now=lambda: NOW)
    watching = asyncio.create_task(waiting.watch(store, settings, Proof(spool, now=lambda: NOW)))
    async with asyncio.timeout(DEADLINE):
        while not torn_events(spool):
            await asyncio.sleep(0.05)
            assert not watching.done()
    watching.cancel()
    await asyncio.gather(watching, return_exceptions=True)
    await store.close()


async def test_another_file_in_its_place_is_taken_up(settings: AuthConfig, file: Path, spool: Spool) -> None:
    store = await open_store(settings.database)
    watching = asyncio.create_task(waiting.watch(store, settings, Proof(spool, now=lambda: NOW)))
    await asyncio.sleep(0)
    file.with_name("another").write_bytes(file.read_bytes())  # noqa: ASYNC240
    file.with_name("another").rename(file)
    with pytest.raises(TornError, match="another file"):
        async with asyncio.timeout(DEADLINE):
            await watching
    await store.close()


def test_repair_says_what_can_be_done_and_changes_nothing_by_itself(home: homes.Home, file: Path) -> None:
    spoil(file, 0, b"\xa5" * 100)
    before = file.read_bytes()
    done = CliRunner().invoke(command.app, ["repair"])
    assert done.exit_code == 0, done.exception
    assert "homesystem restore FILE --replace" in done.output
    assert "repair --accounts" in done.output
    assert file.read_bytes() == before
    (found,) = [one for one in check_files.databases(home) if one.state == "wrong"]
    assert "accounts" in found.text
    assert "homesystem repair" in found.step


def test_what_can_be_read_goes_on_locked_down_and_signed_out(
    home: homes.Home, settings: AuthConfig, file: Path, spool: Spool
) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db, db:
        names = "id, token_hash, user_id, created_at, seen_at, expires_at, address, agent, own"
        moment = "'2026-03-01 12:00:00.000000'"
        values = f"'s1', 'x', (SELECT id FROM users), {moment}, {moment}, {moment}, '', '', 0"
        db.execute(f"INSERT INTO sessions ({names}) VALUES ({values})")
        db.execute(f"INSERT INTO email_changes VALUES ('s1', 'new@example.org', {moment})")
        values = f"'attic', 'x', {moment}, {moment}"
        db.execute(f"INSERT INTO join_windows (name, token_hash, opened_at, expires_at) VALUES ({values})")
        names = "id, email, email_key, name, role, code_hash, tries, letter, invited_by, created_at, expires_at"
        values = (
            f"'i1', 'e@x.org', 'e@x.org', 'Eve', 'member', 'x', 0, 'sent', (SELECT id FROM users), {moment}, {moment}"
        )
        token = "INSERT INTO tokens (id, token_hash, user_id, name, scope, created_at, expires_at)"
        db.execute(f"{token} VALUES ('t1', 'x', (SELECT id FROM users), 'a program', '[]', {moment}, {moment})")
        db.execute(f"INSERT INTO invitations ({names}) VALUES ({values})")
    spoil(file, 0, b"\xa5" * 100)
    done = CliRunner().invoke(command.app, ["repair", "--accounts"])
    assert done.exit_code == 0, done.exception
    assert "1 people" in done.output
    (told,) = torn_events(spool)
    assert (told.outcome.value, told.detail["users"]) == ("executed", "1")
    assert Path(told.detail["aside"]).exists()
    assert repairing.fault(settings) is None
    assert [one.state for one in check_files.databases(home)] == ["well"]

    async def look() -> None:
        store = await waiting.opened(settings, spool, now=lambda: NOW)
        async with store.read() as connection:
            assert (await lockdown_rows.read(connection)).active
            assert (await connection.execute(select(sessions))).all() == []
            assert (await connection.execute(select(tokens))).all() == [], "one that was revoked may be among them"
            assert (await connection.execute(select(email_changes))).all() == [], "they hang on sessions"
            for table in (invitation_rows.table, window_rows.table):
                found = (await connection.execute(select(table))).all()
                assert found == [], "a lockdown ends them, and whether one of them was ended nobody can say"
        await store.close()

    asyncio.run(look())


def test_accounts_that_are_whole_stay_as_they_are(settings: AuthConfig, file: Path) -> None:
    with contextlib.closing(sqlite3.connect(file)) as db:
        before = db.execute("SELECT * FROM users").fetchall()
    assert asyncio.run(repairing.put_aside(settings)) is None
    with contextlib.closing(sqlite3.connect(file)) as db:
        assert db.execute("SELECT * FROM users").fetchall() == before
