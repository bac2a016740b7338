"""What ended since the day of a backup does not come back with it."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from auth_service.home import lockdown_rows, window_rows
from auth_service.home.window import LIFETIME, Window
from auth_service.hub.accounts import ISSUER, Accounts
from auth_service.hub.restored import Restored
from auth_service.people import invitation_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows, token_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.tables import codes
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import User
from shared.words.messages import Who
from shared.words.names import Role, Severity
from tests.unit.auth_service.parts import Clock, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
THEN = "2026-02-01T12:00:00+00:00"


@pytest.fixture
def old(store: Store, proof: Proof, passwords: Passwords, clock: Clock) -> Restored:
    """The accounts of the backup."""
    return Restored(store, proof, passwords, now=clock)


async def test_nobody_is_signed_in_and_no_token_code_or_invitation_counts(
    old: Restored, store: Store, spool: Spool, ada: User, clock: Clock
) -> None:
    async with store.write() as connection:
        begun = await session_rows.start(connection, ada, address="192.0.2.7", agent="", limits=LIMITS, now=clock())
        made = await token_rows.make(
            connection, ada.id, name="Panel", scope=(), expires_at=clock() + timedelta(days=9), now=clock()
        )
        await connection.execute(
            codes.insert().values(
                id="c1",
                user_id=ada.id,
                browser_hash="b",
                code_hash="h",
                expires_at=clock() + timedelta(minutes=9),
                tries=0,
            )
        )
        guest = User(id="i1", name="Kim", email="kim@example.org", role=Role.MEMBER)
        await window_rows.put(connection, Window(name="attic", opened_at=clock(), expires_at=clock() + LIFETIME))
        await invitation_rows.put(connection, guest, code_hash="h", invited_by=ada.id, home="", now=clock())
    await old.settle(made_at=THEN, revoked=(), locked_down=False)
    async with store.read() as connection:
        assert await session_rows.why_ended(connection, begun.token, clock()) == "restored"
        assert await token_rows.find(connection, made.token, clock()) is None
        for table in (codes, invitation_rows.table, window_rows.table):
            assert (await connection.execute(select(func.count()).select_from(table))).scalar_one() == 0
    (told,) = [event for event in spool.pending(100) if event.what == "home:restored"]
    assert (told.who.issuer, told.severity, told.detail) == (ISSUER, Severity.CRITICAL, {"made_at": THEN})


async def test_whoever_was_revoked_since_is_again(old: Restored, accounts: Accounts, spool: Spool) -> None:
    for name in ("hall", "kitchen"):
        await accounts.enrol_identity(name, "room")
    await old.settle(made_at=THEN, revoked={"kitchen"}, locked_down=False)
    stand = {row.name: row.revoked_at is None for row in await accounts.list_identities()}
    assert (stand["hall"], stand["kitchen"]) == (True, False)
    told = [(event.what, event.where) for event in spool.pending(100)]
    assert ("room:revoked", "room/kitchen") in told
    (restored,) = [event for event in spool.pending(100) if event.what == "home:restored"]
    assert restored.detail["revoked"] == "kitchen"


@pytest.mark.parametrize("then", [False, True])
@pytest.mark.parametrize("now", [False, True])
async def test_it_is_locked_down_where_the_home_is_now_and_rooms_hear_a_later_word(
    old: Restored, store: Store, clock: Clock, then: bool, now: bool
) -> None:
    if then:
        await old._lockdown.begin(Who(issuer=ISSUER))
    clock.forward(days=30)
    await old.settle(made_at=THEN, revoked=(), locked_down=now)
    async with store.read() as connection:
        state = await lockdown_rows.read(connection)
    assert state.active is now
    assert state.at is not None
    assert state.at >= clock()


async def test_a_full_disk_keeps_nobody_signed_in(
    old: Restored, store: Store, ada: User, clock: Clock, tmp_path: Path
) -> None:
    async with store.write() as connection:
        begun = await session_rows.start(connection, ada, address="192.0.2.7", agent="", limits=LIMITS, now=clock())
    fill(tmp_path / "spool.sqlite3")
    await old.settle(made_at=THEN, revoked=(), locked_down=False)
    async with store.read() as connection:
        assert await session_rows.why_ended(connection, begun.token, clock()) == "restored"
