"""The same rules over PostgreSQL, where writers really are concurrent."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account.current_password import CurrentPassword
from auth_service.account.farewells import Farewells
from auth_service.account.guests import Guests
from auth_service.account.masters import Masters
from auth_service.account.others import Others
from auth_service.account.own_email import OwnEmail
from auth_service.account.owners import Owners
from auth_service.confirming import code_rows
from auth_service.confirming.errands import Errands
from auth_service.factors import factor_rows, passkey_rows, passkeys
from auth_service.home import room_rows
from auth_service.home.lockdown import Lockdown
from auth_service.home.lockouts import Lockouts
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.people import changed_rights, user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.sessions import Sessions
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.mail import Letter
from shared.proof.spool import Spool
from shared.running.config import ConfigError
from shared.words.internal import Grant, LockdownState, LockoutChange, RoomSeen, User
from shared.words.internal_account import EmailConfirm, EmailWish
from shared.words.internal_people import UserChange
from shared.words.messages import DeviceDescription, Who
from shared.words.names import Action, Kind, Role
from shared.words.problem import HomeError
from tests.claimed import free_port
from tests.unit.auth_service.parts import Given, code_in

PASSWORD = "violet engine of numbers"
NOW = datetime(2026, 3, 1, 12, 0, 0, 123456, tzinfo=UTC)
LIMITS = session_rows.Limits(timedelta(hours=12), timedelta(days=7))


@pytest.fixture
async def store(empty_database: str) -> AsyncIterator[Store]:
    """The database, migrated."""
    opened = await open_store(empty_database)
    yield opened
    await opened.close()


@pytest.fixture
def accounts(store: Store, tmp_path: Path) -> Iterator[Accounts]:
    """Accounts over it."""
    passwords, spool = Passwords(b"pepper", rounds=4), Spool(tmp_path / "spool.sqlite3")
    yield Accounts(store, Proof(spool, now=lambda: NOW), passwords, now=lambda: NOW)
    spool.close()
    passwords.close()


async def test_services_that_start_at_once_migrate_once(empty_database: str) -> None:
    stores = await asyncio.gather(*(open_store(empty_database) for _ in range(3)))
    for opened in stores:
        await opened.ping()
        await opened.close()


async def test_account_is_read_back_as_it_was_made(accounts: Accounts) -> None:
    lamp = Grant(
        room="hall",
        device="lamp",
        actions=(Action.ON,),
        weekdays=(0, 6),
        from_minute=1320,
        to_minute=360,
        since=NOW,
        until=NOW + timedelta(days=3),
    )
    await accounts.create_user(email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER)
    await accounts.create_user(email="g@example.org", name="Guest", password=PASSWORD, role=Role.GUEST, grants=(lamp,))
    rows = {row.user.email: row for row in await accounts.list_users()}
    assert rows["g@example.org"].grants == (lamp,)
    assert rows["ada@example.org"].created_at == NOW


async def test_same_address_at_once_makes_one_user(accounts: Accounts) -> None:
    results = await asyncio.gather(
        *(
            accounts.create_user(email="twice@example.org", name=name, password=PASSWORD, role=Role.MASTER)
            for name in ("Ada", "Bea", "Cleo", "Dora")  # whoever comes later is told of the address, not of a name
        ),
        return_exceptions=True,
    )
    refused = [result for result in results if isinstance(result, HomeError)]
    assert [error.slug for error in refused] == ["already-exists"] * 3


async def test_last_two_masters_cannot_disable_one_another_at_once(accounts: Accounts) -> None:
    for email in ("ada@example.org", "bea@example.org"):
        await accounts.create_user(email=email, name=email, password=PASSWORD, role=Role.MASTER)
    results = await asyncio.gather(
        accounts.disable_user("ada@example.org"), accounts.disable_user("bea@example.org"), return_exceptions=True
    )
    assert [error.slug for error in results if isinstance(error, HomeError)] == ["last-master"]


async def test_whom_letters_go_to_is_answered_after_the_change_that_is_under_way(
    store: Store, accounts: Accounts
) -> None:
    user = await accounts.create_user(email="a@example.org", name="A", password=PASSWORD, role=Role.MASTER)

    async def asked() -> list[str]:
        async with store.write() as connection:
            return [one.email for one in await user_rows.recipients(connection)]

    async with store.write() as connection:
        await user_rows.set_email(connection, user.id, "b@example.org")
        asking = asyncio.create_task(asked())
        done, _ = await asyncio.wait([asking], timeout=0.5)
        assert not done
    assert await asking == ["b@example.org"]


async def test_tries_at_once_are_all_counted_and_a_code_is_spent_once(store: Store, accounts: Accounts) -> None:
    user = await accounts.create_user(email="c@example.org", name="C", password=PASSWORD, role=Role.MASTER)

    async def put(code_id: str) -> None:
        async with store.write() as connection:
            await code_rows.put(connection, code_id=code_id, user_id=user.id, browser_hash="b", code_hash="h", now=NOW)

    async def claim() -> bool:
        async with store.write() as connection:
            return await code_rows.claim(connection, user_id=user.id, browser_hash="b", now=NOW) is not None

    async def spend(code_id: str) -> bool:
        async with store.write() as connection:
            return await code_rows.spend(connection, code_id)

    await asyncio.gather(put("1"), put("2"), put("3"))
    assert sum(await asyncio.gather(*(claim() for _ in range(9)))) == 5
    assert sum(await asyncio.gather(*(spend(code_id) for code_id in ("1", "2", "3", "1", "2", "3")))) == 1


async def test_session_ended_by_many_at_once_ends_once(store: Store, accounts: Accounts) -> None:
    user = await accounts.create_user(email="s@example.org", name="S", password=PASSWORD, role=Role.MASTER)
    async with store.write() as connection:
        answer = await session_rows.start(connection, user, address="", agent="", limits=LIMITS, now=NOW)
    async with store.read() as connection:
        found = await session_rows.find(connection, answer.token, limits=LIMITS, now=NOW)
    assert found is not None
    assert found.info == answer.session

    async def end() -> bool:
        async with store.write() as connection:
            return await session_rows.end_token(connection, answer.token, NOW) is not None

    assert sum(await asyncio.gather(*(end() for _ in range(5)))) == 1
    async with store.read() as connection:
        assert await session_rows.untold(connection) == (answer.session.id,)
        assert await user_rows.name_of(connection, user.id) == "S"


async def test_gateways_that_tell_of_a_room_at_once_agree(store: Store, accounts: Accounts, tmp_path: Path) -> None:
    await accounts.enrol_identity("hall", "room")
    lamp = DeviceDescription(
        id="lamp",
        name="Lamp",
        kind=Kind.SWITCH,
        critical=False,
        confirm=False,
        actions=(Action.ON, Action.OFF),
        safe_actions=(Action.OFF,),
    )
    spool = Spool(tmp_path / "rooms.sqlite3")
    rooms = Rooms(store, Proof(spool, now=lambda: NOW), Given(), now=lambda: NOW)
    seen = RoomSeen(name="Hall", devices=(lamp,))
    answers = await asyncio.gather(*(rooms.seen("hall", seen, "gateway") for _ in range(4)))
    assert {answer.devices[0].id for answer in answers} == {"lamp"}
    assert len([event for event in spool.pending(10) if event.what == "device:added"]) == 1
    spool.close()


async def test_device_locked_out_by_many_at_once_is_recorded_once(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    ada = await accounts.create_user(email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER)
    await accounts.enrol_identity("hall", "room")
    lamp = DeviceDescription(
        id="lamp",
        name="Lamp",
        kind=Kind.SWITCH,
        critical=False,
        confirm=False,
        actions=(Action.ON, Action.OFF),
        safe_actions=(Action.OFF,),
    )
    spool = Spool(tmp_path / "lockouts.sqlite3")
    proof = Proof(spool, now=lambda: NOW)
    await Rooms(store, proof, Given(), now=lambda: NOW).seen("hall", RoomSeen(name="Hall", devices=(lamp,)), "gateway")
    lockouts = Lockouts(store, proof, wake=lambda: None)
    wanted = LockoutChange(locked_out=True, by=ada.id, address="")
    answers = await asyncio.gather(*(lockouts.change("hall", "lamp", wanted, "gateway") for _ in range(4)))
    assert {answer.devices[0].locked_out for answer in answers} == {True}
    assert [event.what for event in spool.pending(10)] == ["device:added", "device:locked-out"]
    async with store.read() as connection:
        assert await room_rows.all_locked_out(connection) == ("hall/lamp",)
    spool.close()


async def test_lockdown_begun_by_many_at_once_begins_once_and_every_session_that_ends_is_told(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    ada = await accounts.create_user(email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER)
    spool = Spool(tmp_path / "lockdown.sqlite3")
    lockdown = Lockdown(store, Proof(spool, now=lambda: NOW), now=lambda: NOW)

    async def start() -> str:
        async with store.write() as connection:
            answer = await session_rows.start(connection, ada, address="", agent="", limits=LIMITS, now=NOW)
        return answer.session.id

    before = [await start() for _ in range(3)]
    states = await asyncio.gather(*(lockdown.begin(Who(issuer="admin")) for _ in range(4)))
    assert set(map(str, states)) == {str(LockdownState(active=True, at=NOW))}
    assert [event.what for event in spool.pending(10)] == ["home:locked-down"]
    async with store.read() as connection:
        assert set(await session_rows.untold(connection)) == set(before)
    ended, again = await lockdown.end(Who(issuer="admin")), await lockdown.repeat()
    assert ended.at is not None
    assert again.at is not None
    assert NOW < ended.at < again.at
    assert await lockdown.state() == again
    spool.close()


async def test_database_that_is_away_is_said(empty_database: str) -> None:
    address, _, rest = empty_database.rpartition(":")
    away = f"{address}:{free_port()}/{rest.partition('/')[2]}"
    with pytest.raises(ConfigError, match="database: cannot be opened"):
        await open_store(away)


async def test_of_two_who_replace_the_same_grants_at_once_one_is_told_so(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    lamp = DeviceDescription(
        id="lamp",
        name="Lamp",
        kind=Kind.SWITCH,
        critical=False,
        confirm=False,
        actions=(Action.ON, Action.OFF),
        safe_actions=(Action.OFF,),
    )
    await accounts.create_user(email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER)
    guest = await accounts.create_user(email="g@example.org", name="G", password=PASSWORD, role=Role.GUEST)
    await accounts.enrol_identity("hall", "room")
    spool = Spool(tmp_path / "grants-spool.sqlite3")
    proof = Proof(spool, now=lambda: NOW)
    await Rooms(store, proof, Given(), now=lambda: NOW).seen("hall", RoomSeen(name="Hall", devices=(lamp,)), "gateway")
    guests = Guests(store, proof)
    wanted = [Grant(room="hall", device="lamp", weekdays=(day,)) for day in range(4)]
    ended = await asyncio.gather(
        *(guests.replace(guest.id, (one,), Who(issuer="admin"), instead_of=()) for one in wanted),
        return_exceptions=True,
    )
    assert [error.slug for error in ended if isinstance(error, HomeError)] == ["changed-meanwhile"] * 3
    async with store.read() as connection:
        assert len(await user_rows.grants_of(connection, guest.id)) == 1
        assert [one.user_id for one in await changed_rights.untold(connection)] == [guest.id]
    told = [event for event in spool.pending(100) if event.what == "account:grants-changed"]
    assert len(told) == 1
    spool.close()


async def test_of_requests_at_once_one_uses_a_challenge_a_step_or_a_recovery_code_up(
    accounts: Accounts, store: Store
) -> None:
    user = await accounts.create_user(email="ada@example.org", name="Ada", password=PASSWORD, role=Role.MASTER)
    made = passkeys.Made(credential="aa", public_key="bb", count=5)
    async with store.write() as connection:
        await factor_rows.begin(connection, user.id, "app", "Phone", NOW)
        assert await factor_rows.confirm(connection, user.id, "app", 7, NOW)
        await passkey_rows.begin(connection, user.id, "passkey", name="Laptop", challenge="cc", now=NOW)
        await factor_rows.put_recovery(connection, user.id, ["h1", "h2"])
        await passkey_rows.put_challenge(connection, "b1", "dd", NOW)

    async def used(use: Callable[[AsyncConnection], Awaitable[object]]) -> int:
        async def once() -> bool:
            async with store.write() as connection:
                return bool(await use(connection))

        return sum(await asyncio.gather(*(once() for _ in range(4))))

    assert await used(lambda c: factor_rows.spend_step(c, "app", 8, NOW)) == 1
    assert await used(lambda c: factor_rows.spend_step(c, "app", 8, NOW)) == 0
    assert await used(lambda c: factor_rows.spend_recovery(c, user.id, "h1")) == 1
    assert await used(lambda c: passkey_rows.finish(c, "passkey", "cc", made)) == 1
    assert await used(lambda c: passkey_rows.take_challenge(c, "b1", NOW)) == 1
    assert await used(lambda c: passkey_rows.use(c, "passkey", 6, NOW)) == 1
    assert await used(lambda c: passkey_rows.use(c, "passkey", 6, NOW)) == 0
    async with store.read() as connection:
        found = await passkey_rows.find(connection, "aa")
    assert found is not None
    assert (found.user.id, found.count) == (user.id, 6)


async def test_two_master_users_who_take_each_others_rights_leave_one(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    made = [
        await accounts.create_user(email=f"{name}@example.org", name=name, password=PASSWORD, role=Role.MASTER)
        for name in ("ada", "bea")
    ]
    passwords, spool = Passwords(b"pepper", rounds=4), Spool(tmp_path / "others.sqlite3")
    proof = Proof(spool, now=lambda: NOW)
    sessions = Sessions(store, proof, limits=LIMITS, now=lambda: NOW, wake=lambda: None)
    async with asyncio.TaskGroup() as group:
        current = CurrentPassword(store, passwords, proof, Errands(group), now=lambda: NOW)
        owners = Owners(sessions, current, limits=LIMITS, now=lambda: NOW)
        masters = Masters(store, owners)
        others = Others(store, proof, masters, now=lambda: NOW, wake=lambda: None)

        async def take(by: User, of: User, **wanted: Any) -> object:
            async with store.write() as connection:
                begun = await session_rows.start(connection, by, address="", agent="", limits=LIMITS, now=NOW)
            asked = UserChange(token=begun.token, current=PASSWORD, address="", **wanted)
            return await others.change(of.id, asked, "gateway")

        one, other = made
        for wanted in ({"role": Role.MEMBER}, {"disabled": True}):
            answers = await asyncio.gather(
                take(one, other, **wanted), take(other, one, **wanted), return_exceptions=True
            )
            lost = [answer.slug for answer in answers if isinstance(answer, HomeError)]
            assert len(lost) == 1, answers
            assert lost[0] in {"forbidden", "last-master", "sign-in-required"}
            rows = {row.user.id: row for row in await accounts.list_users()}
            left = [row for row in rows.values() if row.user.role is Role.MASTER and not row.disabled]
            assert len(left) == 1
            one = left[0].user
            other = next(user for user in made if user.id != one.id)
            if wanted.get("role"):
                await take(one, other, role=Role.MASTER)
    spool.close()
    passwords.close()


async def test_of_two_accounts_that_want_one_address_at_once_one_has_it(
    store: Store, accounts: Accounts, tmp_path: Path
) -> None:
    made = [
        await accounts.create_user(email=f"{name}@example.org", name=name, password=PASSWORD, role=Role.MASTER)
        for name in ("ada", "bea")
    ]
    passwords, spool, letters = Passwords(b"pepper", rounds=4), Spool(tmp_path / "email.sqlite3"), list[Letter]()
    proof = Proof(spool, now=lambda: NOW)
    sessions = Sessions(store, proof, limits=LIMITS, now=lambda: NOW, wake=lambda: None)

    async def send(letter: Letter) -> None:
        letters.append(letter)

    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        current = CurrentPassword(store, passwords, proof, errands, now=lambda: NOW)
        owners = Owners(sessions, current, limits=LIMITS, now=lambda: NOW)
        farewells = Farewells(store, send=send, now=lambda: NOW)
        own = OwnEmail(
            store, passwords, proof, owners, errands, farewells, send=send, now=lambda: NOW, wake=lambda: None
        )
        wanted = []
        for user in made:
            letters.clear()
            async with store.write() as connection:
                token = (await session_rows.start(connection, user, address="", agent="", limits=LIMITS, now=NOW)).token
            asked = EmailWish(token=token, current=PASSWORD, email="one@example.org", address="")
            await own.begin(asked, "gateway")
            await errands.settled()
            codes = {letter.to: code_in(letter.text) for letter in letters}
            wanted.append(
                EmailConfirm(token=token, old_code=codes[user.email], new_code=codes["one@example.org"], address="")
            )
        answers = await asyncio.gather(*(own.confirm(one, "gateway") for one in wanted), return_exceptions=True)
        await errands.settled()
    lost = [answer.slug for answer in answers if isinstance(answer, HomeError)]
    assert lost == ["confirmation-failed"], answers
    rows = await accounts.list_users()
    assert sorted(row.user.email for row in rows)[1] == "one@example.org"
    spool.close()
    passwords.close()
