"""What a guest may do is replaced as a whole, by the master user alone, with its proof, and gateways are to be told."""

import asyncio
from pathlib import Path

import msgspec
import pytest

from auth_service.account.guests import CHANGED, Guests
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.people import changed_rights, user_rows
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, RoomSeen, User, UserRow
from shared.words.internal_grants import GrantsChange
from shared.words.messages import AuditEvent, Who
from shared.words.names import Action, Kind, Outcome, Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import PASSWORD, Clock, Given, described, disabled_after_the_first_look, fill

LAMP = Grant(room="hall", device="lamp")
NIGHT = Grant(room="hall", device="door", actions=(Action.LOCK,), from_minute=1320, to_minute=360)


SEEN = RoomSeen(
    name="Hall", devices=(described("lamp", Kind.SWITCH), described("door", Kind.LOCK), described("bell", Kind.BUTTON))
)


class House:
    """A guest, a master user, and a hall with three devices."""

    def __init__(self, store: Store, proof: Proof, spool: Spool, master: User, guest: User) -> None:
        self.store, self.spool, self.master, self.guest = store, spool, master, guest
        self.woken = 0
        self.guests = Guests(store, proof, wake=self._wake)

    async def change(
        self,
        *grants: Grant,
        by: str | None = None,
        user: str | None = None,
        instead_of: tuple[Grant, ...] | None = None,
    ) -> UserRow:
        wanted = GrantsChange(grants=grants, by=by or self.master.id, address="192.0.2.7", instead_of=instead_of)
        return await self.guests.change(user or self.guest.id, wanted, "gateway")

    async def stands(self) -> tuple[Grant, ...]:
        async with self.store.read() as connection:
            return await user_rows.grants_of(connection, self.guest.id)

    async def untold(self) -> list[str]:
        async with self.store.read() as connection:
            return [one.user_id for one in await changed_rights.untold(connection)]

    def told(self) -> list[AuditEvent]:
        return [event for event in self.spool.pending(100) if event.what == CHANGED]

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def house(store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts, ada: User) -> House:
    await accounts.enrol_identity("hall", "room")
    await Rooms(store, proof, Given(), now=clock).seen("hall", SEEN, "gateway")
    guest = await accounts.create_user(email="g@example.org", name="Grace", password=PASSWORD, role=Role.GUEST)
    return House(store, proof, spool, ada, guest)


async def test_the_master_user_says_what_a_guest_may_do_and_it_is_told_with_what_stands(house: House) -> None:
    row = await house.change(LAMP, NIGHT)
    assert (row.user.id, row.grants) == (house.guest.id, (LAMP, NIGHT))
    assert await house.stands() == (LAMP, NIGHT)
    (event,) = house.told()
    assert (event.where, event.severity, event.outcome) == (
        f"user/{house.guest.id}",
        Severity.CRITICAL,
        Outcome.EXECUTED,
    )
    assert event.who.user is not None
    assert (event.who.user.id, event.who.issuer, event.who.address) == (house.master.id, "gateway", "192.0.2.7")
    assert event.detail == {
        "user": "Grace",
        "grants": "2",
        "grant-1": "hall/lamp",
        "grant-2": "hall/door 22:00-06:00 only lock",
    }
    assert (await house.untold(), house.woken) == ([house.guest.id], 1)


async def test_the_list_is_replaced_as_a_whole_and_may_be_emptied(house: House) -> None:
    await house.change(LAMP)
    assert (await house.change(NIGHT)).grants == (NIGHT,)
    assert (await house.change()).grants == ()
    assert [event.detail["grants"] for event in house.told()] == ["1", "1", "0"]


async def test_what_stands_already_is_neither_changed_nor_recorded_nor_told_again(house: House) -> None:
    await house.change(LAMP, NIGHT)
    await house.change(NIGHT, LAMP, LAMP)
    assert (len(house.told()), len(await house.untold()), house.woken) == (1, 1, 1)


async def test_nobody_else_may_whatever_a_gateway_says(house: House, accounts: Accounts) -> None:
    member = await accounts.create_user(email="m@example.org", name="M", password=PASSWORD, role=Role.MEMBER)
    for by in (member.id, house.guest.id, "nobody"):
        with pytest.raises(HomeError, match="forbidden"):
            await house.change(LAMP, by=by)
    assert (await house.stands(), house.told(), await house.untold()) == ((), [], [])


async def test_grants_are_for_guests_that_there_are(house: House) -> None:
    with pytest.raises(HomeError, match="not-found"):
        await house.change(LAMP, user="nobody")
    with pytest.raises(HomeError, match="for guests"):
        await house.change(LAMP, user=house.master.id)


@pytest.mark.parametrize(
    ("grant", "field"),
    [
        (Grant(room="attic", device="lamp"), "room"),
        (Grant(room="hall", device="lmap"), "device"),
        (Grant(room="hall", device="lamp", actions=(Action.UNLOCK,)), "actions"),
        (Grant(room="hall", device="bell", actions=(Action.PRESS,)), "actions"),
        (Grant(room="hall", device="lamp", weekdays=()), "weekdays"),
    ],
)
async def test_one_wrong_grant_changes_nothing_and_is_named(house: House, grant: Grant, field: str) -> None:
    await house.change(LAMP)
    with pytest.raises(HomeError, match="invalid-value") as raised:
        await house.change(NIGHT, grant)
    assert raised.value.facts == {"field": f"grants[1].{field}"}
    assert (await house.stands(), len(house.told())) == ((LAMP,), 1)


async def test_an_input_is_looked_at(house: House) -> None:
    looks = (Grant(room="hall", device="bell"), Grant(room="hall", device="bell", actions=(), weekdays=(0,)))
    assert (await house.change(*looks)).grants == looks


async def test_what_was_granted_before_may_stay_when_its_room_is_gone(house: House, accounts: Accounts) -> None:
    await house.change(LAMP)
    await accounts.revoke_identity("hall")
    later = msgspec.structs.replace(LAMP, weekdays=(5, 6))
    with pytest.raises(HomeError, match="There is no room hall"):
        await house.change(LAMP, later)
    assert (await house.change()).grants == ()


async def test_what_was_thought_up_from_another_list_is_refused(house: House) -> None:
    await house.change(LAMP)
    with pytest.raises(HomeError, match="changed-meanwhile"):
        await house.change(NIGHT, instead_of=())
    assert (await house.change(NIGHT, LAMP, instead_of=(LAMP,))).grants == (NIGHT, LAMP)


async def test_without_its_proof_nothing_is_changed(house: House, tmp_path: Path) -> None:
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await house.change(LAMP)
    assert (await house.stands(), await house.untold(), house.woken) == ((), [], 0)


async def test_a_change_while_the_last_one_is_told_is_told_as_well(house: House) -> None:
    await house.change(LAMP)
    async with house.store.read() as connection:
        on_its_way = await changed_rights.untold(connection)
    await house.guests.replace(house.guest.id, (), Who(issuer="admin"))
    async with house.store.write() as connection:
        await changed_rights.told(connection, on_its_way)
    assert await house.untold() == [house.guest.id]


async def test_who_is_no_master_user_any_more_when_it_is_changed_changes_nothing(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with disabled_after_the_first_look(house.store, house.master.id, monkeypatch):
        change = asyncio.create_task(house.change(LAMP))
    with pytest.raises(HomeError, match="forbidden"):
        await change
    assert (await house.stands(), house.told()) == ((), [])
