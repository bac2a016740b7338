"""Lock-outs over a real database: who may, what is proven first, and what the rooms are told."""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path
from typing import cast

import msgspec
import pytest

from auth_service.home import lockouts as lockouts_module
from auth_service.home import notices as notices_module
from auth_service.home import room_rows
from auth_service.home.lockouts import Lockouts
from auth_service.home.notices import Noticeboard
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from shared.broker.bus import Bus
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words import topics
from shared.words.internal import LockoutChange, RegisteredRoom, RoomSeen, User
from shared.words.messages import AuditEvent, Message, encode
from shared.words.messages import Lockouts as LockoutList
from shared.words.names import Kind, Outcome, Role, Severity
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.auth_service.parts import EMAIL, PASSWORD, START, Clock, Given, described, fill

SEEN = RoomSeen(name="Hall", devices=(described("lamp"), described("heater"), described("bell", Kind.BUTTON)))


class House:
    """Lock-outs of one home with a hall, by its master user unless said otherwise."""

    def __init__(self, store: Store, proof: Proof, spool: Spool, rooms: Rooms, master: User) -> None:
        self.rooms = rooms
        self.spool = spool
        self.master = master
        self.woken = 0
        self.lockouts = Lockouts(store, proof, wake=self._wake)

    async def change(
        self, device: str, *, locked_out: bool, by: str | None = None, room: str = "hall"
    ) -> RegisteredRoom:
        wanted = LockoutChange(locked_out=locked_out, by=by or self.master.id, address="192.0.2.7")
        return await self.lockouts.change(room, device, wanted, "gateway")

    async def locked_out(self) -> list[str]:
        return [
            device.id for room in (await self.rooms.registry()).rooms for device in room.devices if device.locked_out
        ]

    def told(self) -> list[AuditEvent]:
        return [event for event in self.spool.pending(100) if "lock" in event.what.partition(":")[2]]

    def _wake(self) -> None:
        self.woken += 1


@pytest.fixture
async def house(store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts, ada: User) -> House:
    await accounts.enrol_identity("hall", "room")
    rooms = Rooms(store, proof, Given(), now=clock)
    await rooms.seen("hall", SEEN, "gateway")
    return House(store, proof, spool, rooms, ada)


def full_disk(tmp_path: Path) -> None:
    fill(tmp_path / "spool.sqlite3")


def room_on_disk(tmp_path: Path) -> None:
    with contextlib.closing(sqlite3.connect(tmp_path / "spool.sqlite3")) as direct:
        direct.execute("DROP TRIGGER full")


async def test_master_user_locks_out_and_lifts_with_proof_of_who_and_from_where(house: House) -> None:
    room = await house.change("lamp", locked_out=True)
    assert [(device.id, device.locked_out) for device in room.devices if device.id == "lamp"] == [("lamp", True)]
    assert await house.locked_out() == ["lamp"]
    room = await house.change("lamp", locked_out=False)
    assert not any(device.locked_out for device in room.devices)
    assert [(e.what, e.where, e.severity, e.outcome) for e in house.told()] == [
        ("device:locked-out", "hall/lamp", Severity.CRITICAL, Outcome.EXECUTED),
        ("device:lockout-lifted", "hall/lamp", Severity.CRITICAL, Outcome.EXECUTED),
    ]
    who = house.told()[0].who
    assert who.user is not None
    assert (who.user.id, who.user.name, who.issuer, who.address) == (
        house.master.id,
        "Ada Lovelace",
        "gateway",
        "192.0.2.7",
    )
    assert house.woken == 2


async def test_what_stands_already_is_neither_changed_nor_recorded_again(house: House) -> None:
    first = await house.change("lamp", locked_out=True)
    assert await house.change("lamp", locked_out=True) == first
    await house.change("heater", locked_out=False)
    assert len(house.told()) == 1


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
async def test_nobody_else_may_whatever_a_gateway_says(house: House, accounts: Accounts, role: Role) -> None:
    other = await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=role)
    for by in (other.id, "nobody", ""):
        wanted = LockoutChange(locked_out=True, by=by, address="")
        with pytest.raises(HomeError, match="forbidden"):
            await house.lockouts.change("hall", "lamp", wanted, "gateway")
    assert await house.locked_out() == []
    assert house.told() == []


async def test_disabled_master_user_may_not(house: House, accounts: Accounts) -> None:
    await accounts.create_user(email="b@example.org", name="Babbage", password=PASSWORD, role=Role.MASTER)
    await accounts.disable_user(EMAIL)
    with pytest.raises(HomeError, match="forbidden"):
        await house.change("lamp", locked_out=True)


async def test_devices_that_are_not_there_are_said_to_be_unknown(house: House, accounts: Accounts) -> None:
    await accounts.enrol_identity("phone", "client")
    for room, device in (("hall", "attic"), ("cellar", "lamp"), ("phone", "lamp"), ("../hall", "lamp")):
        with pytest.raises(HomeError, match="unknown-device"):
            await house.change(device, locked_out=True, room=room)


async def test_input_has_nothing_to_lock_out(house: House) -> None:
    with pytest.raises(HomeError, match="An input does nothing"):
        await house.change("bell", locked_out=True)


async def test_list_never_outgrows_its_message(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    longest = LockoutList(devices=(f"{'r' * 32}/{'d' * 32}",) * lockouts_module.MOST, at=START)
    assert len(encode(longest)) < 65536 - 256
    monkeypatch.setattr(lockouts_module, "MOST", 1)
    await house.change("lamp", locked_out=True)
    with pytest.raises(HomeError, match="1 devices locked out at the most"):
        await house.change("heater", locked_out=True)
    await house.change("lamp", locked_out=False)


async def test_description_changes_no_lock_out_and_a_device_that_goes_keeps_its_own(house: House) -> None:
    await house.change("lamp", locked_out=True)
    await house.rooms.seen("hall", RoomSeen(name="Hall", devices=(described("heater"),)), "gateway")
    assert await house.locked_out() == ["lamp"]
    tightened = msgspec.structs.replace(described("lamp"), critical=True, lockout=False)
    await house.rooms.seen("hall", RoomSeen(name="Hall", devices=(tightened,)), "gateway")
    assert await house.locked_out() == ["lamp"]


async def test_without_proof_nothing_is_lifted(house: House, tmp_path: Path) -> None:
    await house.change("lamp", locked_out=True)
    full_disk(tmp_path)
    with pytest.raises(HomeError, match="no-proof"):
        await house.change("lamp", locked_out=False)
    assert await house.locked_out() == ["lamp"]


async def test_locking_out_goes_ahead_without_proof_which_is_owed(house: House, proof: Proof, tmp_path: Path) -> None:
    full_disk(tmp_path)
    await house.change("lamp", locked_out=True)
    assert await house.locked_out() == ["lamp"]
    await proof.write_owed()
    assert house.told() == []
    room_on_disk(tmp_path)
    await house.change("lamp", locked_out=False)
    assert [event.what for event in house.told()] == ["device:lockout-lifted", "device:locked-out"]


async def test_what_was_said_and_not_committed_is_taken_back(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fails(*_: object, **__: object) -> None:
        raise HomeError("internal")

    monkeypatch.setattr(room_rows, "set_lockout", fails)
    with pytest.raises(HomeError, match="internal"):
        await house.change("lamp", locked_out=True)
    assert [(e.what, e.outcome) for e in house.told()] == [
        ("device:locked-out", Outcome.EXECUTED),
        ("device:locked-out", Outcome.FAILED),
    ]
    assert house.woken == 0


class FakeBus:
    """Takes what is published; `answers` are the broker's next words."""

    def __init__(self) -> None:
        self.connected = True
        self.lists: list[tuple[str, ...]] = []
        self.answers: list[int | HomeError] = []
        self.published = asyncio.Condition()

    async def publish(self, topic: str, message: Message) -> int:
        assert topic == topics.LOCKOUTS
        assert isinstance(message, LockoutList)
        answer = self.answers.pop(0) if self.answers else 0
        async with self.published:
            self.lists.append(message.devices)
            self.published.notify_all()
        if isinstance(answer, HomeError):
            raise answer
        return answer

    async def until(self, *ending: tuple[str, ...]) -> None:
        """Wait until these lists are the last ones that were told."""
        async with asyncio.timeout(DEADLINE), self.published:
            await self.published.wait_for(lambda: tuple(self.lists[-len(ending) :]) == ending)


@pytest.fixture
async def announcer(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Noticeboard, FakeBus]]:
    monkeypatch.setattr(notices_module, "_PATROL_SECONDS", 0.01)
    made, bus = Noticeboard(store, lockouts_module.notice(clock), now=clock), FakeBus()
    task = asyncio.create_task(made.run(cast("Bus", bus)))
    yield made, bus
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def test_whole_list_is_told_at_every_connection_even_an_empty_one(
    house: House, announcer: tuple[Noticeboard, FakeBus]
) -> None:
    made, bus = announcer
    made.link_up()
    await bus.until(())
    await house.change("lamp", locked_out=True)
    await house.change("heater", locked_out=True)
    both = ("hall/heater", "hall/lamp")
    await bus.until(both)
    made.link_up()
    await bus.until(both, both)


async def test_list_that_did_not_get_through_is_told_again(
    house: House, announcer: tuple[Noticeboard, FakeBus]
) -> None:
    made, bus = announcer
    made.link_up()
    await bus.until(())
    bus.answers = [HomeError("broker-unreachable"), 135, 0]
    await house.change("lamp", locked_out=True)
    await bus.until(("hall/lamp",), ("hall/lamp",), ("hall/lamp",))


async def test_revoked_room_leaves_the_list(
    house: House, accounts: Accounts, announcer: tuple[Noticeboard, FakeBus]
) -> None:
    made, bus = announcer
    await house.change("lamp", locked_out=True)
    made.link_up()
    await bus.until(("hall/lamp",))
    await accounts.revoke_identity("hall")
    await bus.until(())
