"""What a master user changes of other people's accounts: with a password, its proof, and one master user left."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from auth_service.account.current_password import CurrentPassword
from auth_service.account.masters import Masters
from auth_service.account.others import Others
from auth_service.account.own_profile import OwnProfile
from auth_service.account.owners import Owners
from auth_service.confirming.errands import Errands
from auth_service.hub.accounts import Accounts
from auth_service.people import changed_rights, erasure_rows, user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_lists, session_rows, token_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from auth_service.tables import metadata
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, LoginAnswer, User, UserRow
from shared.words.internal_people import Confirmed, ProfileChange, UserChange
from shared.words.internal_recipients import Erasure
from shared.words.names import Action, Role
from shared.words.problem import HomeError
from shared.words.scopes import Allowed
from tests.unit.auth_service.parts import PASSWORD, Clock, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
LAMP = Grant(room="hall", device="lamp")


class Home:
    """A master user, and what changes others."""

    def __init__(self, store: Store, master: User, clock: Clock) -> None:
        self.store = store
        self.master = master
        self.clock = clock
        self.others: Others
        self.profile: OwnProfile
        self.rung = 0

    async def sign_in(self, user: User) -> LoginAnswer:
        async with self.store.write() as connection:
            return await session_rows.start(
                connection, user, address="192.0.2.7", agent="", limits=LIMITS, now=self.clock()
            )

    async def change(self, user: User, *, by: User | None = None, current: str = PASSWORD, **wanted: Any) -> UserRow:
        token = (await self.sign_in(by or self.master)).token
        asked = UserChange(token=token, current=current, address="192.0.2.7", **wanted)
        return await self.others.change(user.id, asked, "gateway")

    async def erase(self, user: User, *, by: User | None = None) -> None:
        token = (await self.sign_in(by or self.master)).token
        await self.others.erase(user.id, Confirmed(token=token, current=PASSWORD, address="192.0.2.7"), "gateway")

    async def sessions(self, user: User) -> int:
        async with self.store.read() as connection:
            return len(await session_lists.rows_of(connection, user.id, limits=LIMITS, now=self.clock()))

    async def row(self, user: User) -> UserRow | None:
        async with self.store.read() as connection:
            return await user_rows.row_of(connection, user.id)


@pytest.fixture
async def home(store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User) -> AsyncIterator[Home]:
    sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
    async with asyncio.TaskGroup() as group:
        made = Home(store, ada, clock)

        def rung() -> None:
            made.rung += 1

        current = CurrentPassword(store, passwords, proof, Errands(group), now=clock)
        owners = Owners(sessions, current, limits=LIMITS, now=clock)
        masters = Masters(store, owners)
        made.others = Others(store, proof, masters, now=clock, wake=rung)
        made.profile = OwnProfile(store, proof, owners, wake=rung)
        yield made


@pytest.fixture
async def kim(accounts: Accounts, ada: User) -> User:
    """A member; the home has a master user already."""
    assert ada
    return await accounts.create_user(email="kim@example.org", name="Kim", password=PASSWORD, role=Role.MEMBER)


def told(spool: Spool) -> list[tuple[str, str, dict[str, str]]]:
    """What stands in the spool: what, outcome and detail; without how the people came here."""
    return [(e.what, e.outcome.value, e.detail) for e in spool.pending(100) if e.what != "account:created"]


async def test_another_name_role_and_an_end_of_signing_in(home: Home, kim: User, spool: Spool) -> None:
    await home.sign_in(kim)
    row = await home.change(kim, name=" Kim  B ", role=Role.MASTER)
    assert (row.user.name, row.user.role, row.disabled) == ("Kim B", Role.MASTER, False)
    assert await home.sessions(kim) == 1, "who may more stays signed in"
    row = await home.change(kim, role=Role.GUEST)
    assert (row.user.role, await home.sessions(kim)) == (Role.GUEST, 0)
    await home.sign_in(kim)
    assert (await home.change(kim, disabled=True)).disabled
    assert await home.sessions(kim) == 0
    assert not (await home.change(kim, disabled=False)).disabled
    assert told(spool) == [
        ("account:changed", "executed", {"user": "Kim", "name": "Kim B"}),
        ("account:role-changed", "executed", {"user": "Kim B", "was": "member", "role": "master"}),
        ("account:role-changed", "executed", {"user": "Kim B", "was": "master", "role": "guest"}),
        ("account:disabled", "executed", {"user": "Kim B"}),
        ("account:enabled", "executed", {"user": "Kim B"}),
    ]
    assert home.rung == 4
    async with home.store.read() as connection:
        assert {one.user_id for one in await changed_rights.untold(connection)} == {kim.id}


async def test_what_stands_already_is_not_recorded_again(home: Home, kim: User, spool: Spool) -> None:
    await home.change(kim, name="Kim", role=Role.MEMBER, disabled=False)
    await home.change(kim)
    assert told(spool) == []


async def test_a_guest_who_becomes_a_member_has_no_grants_to_come_back_to(home: Home, accounts: Accounts) -> None:
    guest = await accounts.create_user(
        email="g@example.org", name="Gast", password=PASSWORD, role=Role.GUEST, grants=(LAMP,)
    )
    assert (await home.change(guest, role=Role.MEMBER)).grants == ()
    assert (await home.change(guest, role=Role.GUEST)).grants == ()


async def test_only_a_master_user_with_the_password(home: Home, kim: User) -> None:
    with pytest.raises(HomeError, match="forbidden"):
        await home.change(home.master, by=kim, role=Role.GUEST)
    with pytest.raises(HomeError, match="forbidden"):
        await home.change(kim, by=kim, role=Role.MASTER)
    with pytest.raises(HomeError, match="forbidden"):
        await home.erase(home.master, by=kim)
    with pytest.raises(HomeError, match="wrong-password"):
        await home.change(kim, current="a guess", role=Role.GUEST)
    row = await home.row(kim)
    assert row is not None
    assert row.user.role is Role.MEMBER


async def test_what_cannot_be_is_said(home: Home, kim: User) -> None:
    with pytest.raises(HomeError, match="invalid-value") as caught:
        await home.change(kim, name=" ")
    assert caught.value.facts == {"field": "name"}
    nobody = User(id="nobody", name="", email="", role=Role.GUEST)
    with pytest.raises(HomeError, match="not-found"):
        await home.change(nobody, name="Somebody")
    with pytest.raises(HomeError, match="not-found"):
        await home.erase(nobody)


@pytest.mark.parametrize("wanted", [{"role": Role.MEMBER}, {"disabled": True}, {"role": Role.MASTER, "disabled": True}])
async def test_one_master_user_is_left(home: Home, kim: User, spool: Spool, wanted: dict[str, Any]) -> None:
    with pytest.raises(HomeError, match="last-master"):
        await home.change(home.master, **wanted)
    assert await home.row(home.master) is not None
    assert told(spool) == []
    await home.change(kim, role=Role.MASTER)
    await home.change(home.master, **wanted)
    with pytest.raises(HomeError, match="last-master"):
        await home.change(kim, by=kim, disabled=True)


async def test_a_master_user_who_may_not_sign_in_counts_for_none(home: Home, kim: User) -> None:
    await home.change(kim, disabled=True)
    assert (await home.change(kim, role=Role.MASTER)).user.role is Role.MASTER
    with pytest.raises(HomeError, match="last-master"):
        await home.change(home.master, role=Role.MEMBER)
    assert (await home.change(kim, disabled=False, role=Role.GUEST)).user.role is Role.GUEST


async def test_nothing_of_who_is_erased_is_left_in_the_database(home: Home, kim: User, spool: Spool) -> None:
    answer = await home.sign_in(kim)
    async with home.store.write() as connection:
        made = await token_rows.make(
            connection,
            kim.id,
            name="Panel of Kim",
            scope=(Allowed(room="hall", device="lamp", actions=(Action.ON,)),),
            expires_at=home.clock() + timedelta(days=9),
            now=home.clock(),
        )
    await home.erase(kim)
    async with home.store.read() as connection:
        assert set(await session_rows.untold(connection)) == {answer.session.id, made.row.id}
        assert await erasure_rows.unfinished(connection) == (Erasure(id=kim.id, emails=(kim.email,)),)
    async with home.store.write() as connection:  # until the record has lost them, too
        await erasure_rows.finish(connection, kim.id)
        kept = [row for table in metadata.sorted_tables for row in await connection.execute(sa.select(table))]
    assert not [row for row in kept if any(one in str(row) for one in ("Kim", "kim@", kim.id))]
    assert told(spool) == [("account:erased", "executed", {})]
    with pytest.raises(HomeError, match="not-found"):
        await home.erase(kim)


async def test_nobody_erases_themselves_so_that_the_record_says_who_did(home: Home, kim: User, spool: Spool) -> None:
    await home.change(kim, role=Role.MASTER)
    with pytest.raises(HomeError, match="forbidden: Another master user"):
        await home.erase(kim, by=kim)
    assert await home.row(kim) is not None
    async with home.store.read() as connection:
        assert await erasure_rows.unfinished(connection) == ()
    await home.erase(kim)
    last = spool.pending(100)[-1]
    assert (last.what, last.who.user and last.who.user.id) == ("account:erased", home.master.id)


async def test_without_proof_nothing_changes(home: Home, kim: User, tmp_path: Path) -> None:
    await home.sign_in(kim)
    fill(tmp_path / "spool.sqlite3")
    for wanted in ({"role": Role.GUEST}, {"name": "Somebody"}, {"disabled": True}):
        with pytest.raises(HomeError, match="no-proof"):
            await home.change(kim, **wanted)
    with pytest.raises(HomeError, match="no-proof"):
        await home.erase(kim)
    row = await home.row(kim)
    assert row is not None
    assert (row.user, row.disabled, await home.sessions(kim)) == (kim, False, 1)


@pytest.mark.parametrize("name", ["Ada Lovelace", "ada  lovelace", "Аda Lоvelace", "ΑDA LOVELACE", "Ada\u2002Lovelace"])
async def test_nobody_is_called_so_that_it_reads_like_another(
    home: Home, kim: User, accounts: Accounts, name: str
) -> None:
    """The record, letters and pages say by it who did a thing."""
    token = (await home.sign_in(kim)).token
    own = ProfileChange(token=token, name=name, language=None, address="192.0.2.7")
    for refused in (
        home.profile.change(own, "gateway"),
        home.change(kim, name=name),
        accounts.create_user(email="x@example.org", name=name, password=PASSWORD, role=Role.MEMBER),
    ):
        with pytest.raises(HomeError, match="reads alike") as caught:
            await refused
        assert caught.value.facts["field"] == "name"
    row = await home.row(kim)
    assert row is not None
    assert row.user.name == "Kim"
    assert (await home.change(home.master, name="ADA Lovelace")).user.name == "ADA Lovelace", "one's own, otherwise"


async def test_one_says_oneself_how_one_is_called_and_spoken_to(home: Home, kim: User, spool: Spool) -> None:
    token = (await home.sign_in(kim)).token
    wanted = ProfileChange(token=token, name="Kim B", language="de", address="192.0.2.7")
    after = await home.profile.change(wanted, "gateway")
    assert (after.name, after.language, after.role, after.email) == ("Kim B", "de", kim.role, kim.email)
    await home.profile.change(wanted, "gateway")
    assert told(spool) == [
        ("account:changed", "executed", {"user": "Kim", "name": "Kim B"}),
        ("account:changed", "executed", {"user": "Kim B", "language": "de"}),
    ]
    with pytest.raises(HomeError, match="sign-in-required"):
        await home.profile.change(ProfileChange(token="x", name="Eve", language=None, address=""), "gateway")
    with pytest.raises(HomeError, match="invalid-value"):
        await home.profile.change(ProfileChange(token=token, name="\u202e", language=None, address=""), "gateway")
