"""Devices that the master user sets on a page: proven, of a fresh proof, and a yes to exactly what they named."""

import asyncio
from collections.abc import AsyncIterator

import pyotp
import pytest

from auth_service.account.current_password import CurrentPassword
from auth_service.account.own_factors import OwnFactors
from auth_service.account.owners import Owners
from auth_service.account.room_files import RoomFiles
from auth_service.account.step_up import StepUp
from auth_service.account.waiting import Waiting
from auth_service.confirming.errands import Errands
from auth_service.home.expected import Expected
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words import topics
from shared.words.internal import RoomSeen, User
from shared.words.internal_factors import FactorBegin, FactorConfirm
from shared.words.internal_proofs import ProofShown
from shared.words.internal_room_file import FileChange
from shared.words.messages import Message
from shared.words.names import Kind, Outcome, Role, Severity
from shared.words.problem import HomeError
from shared.words.room_file import DeviceTable, RoomSettings
from tests.unit.auth_service.account.test_step_up import HERE, LIMITS
from tests.unit.auth_service.parts import PASSWORD, Clock, Given, described

DOOR = {"id": "front-door", "name": "Front door", "kind": "lock", "pin": 27}
LAMP = {"id": "lamp", "name": "Lamp", "kind": "switch", "pin": 17}


class Desk:
    """Ada, who sets a room's devices, and a broker that takes what is sent."""

    def __init__(self, store: Store, proof: Proof, passwords: Passwords, clock: Clock, errands: Errands) -> None:
        self.store, self.clock = store, clock
        self.sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        owners = Owners(self.sessions, current, limits=LIMITS, now=clock)
        self.factors = OwnFactors(store, passwords, proof, owners, now=clock)
        self.step_up = StepUp(
            store, self.sessions, passwords, proof, current, limits=LIMITS, now=clock, wake=lambda: None
        )
        expected = Expected()
        self.rooms = Rooms(store, proof, Given(), now=clock, expected=expected)
        self.waiting = Waiting(store, proof, now=clock, wake=lambda: None)
        self.files = RoomFiles(store, self.sessions, proof, expected, self.publish, now=clock)
        self.sent: list[tuple[str, Message]] = []
        self.reason = 0
        self.token = ""

    async def publish(self, topic: str, message: Message) -> int:
        self.sent.append((topic, message))
        return self.reason

    async def sit(self, user: User, limits: Limits = LIMITS) -> None:
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, user, address=HERE, agent="Firefox", limits=limits, now=self.clock()
            )
        self.token = answer.token

    async def prove(self) -> None:
        begun = await self.factors.begin(FactorBegin(token=self.token, current=PASSWORD, address=HERE), "gateway")
        app = pyotp.TOTP(begun.secret)
        code = app.at(int(self.clock().timestamp()))
        await self.factors.confirm(FactorConfirm(token=self.token, id=begun.id, code=code, address=HERE), "gateway")
        self.clock.forward(seconds=30)
        shown = ProofShown(token=self.token, code=app.at(int(self.clock().timestamp())), address=HERE)
        self.token = (await self.step_up.prove(shown, "gateway")).token

    async def change(self, *tables: DeviceTable, room: str = "hall", named: tuple[str, ...] = ("front-door",)) -> str:
        wanted = FileChange(token=self.token, of="0" * 64, devices=tables, named=named, address=HERE)
        return (await self.files.change(room, wanted, "gateway")).id

    async def hear(self, *, critical: bool = False, kind: Kind = Kind.LOCK) -> None:
        devices = (described("front-door", kind, critical=critical, confirm=critical),)
        await self.rooms.seen("hall", RoomSeen(name="Hall", devices=devices), "gateway")

    async def waits(self) -> set[str]:
        told = (await self.waiting.everything()).waiting
        return {change.field for one in told for change in one.changes}

    async def is_critical(self) -> bool:
        ((door,),) = (room.devices for room in (await self.rooms.registry()).rooms)
        return door.critical


@pytest.fixture
async def desk(
    store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User, accounts: Accounts
) -> AsyncIterator[Desk]:
    await accounts.enrol_identity("hall", "room")
    async with asyncio.TaskGroup() as group:
        made = Desk(store, proof, passwords, clock, Errands(group))
        await made.sit(ada)
        yield made


async def test_it_is_recorded_and_then_sent_to_the_room_alone(desk: Desk, spool: Spool) -> None:
    await desk.prove()
    settings = await desk.change(LAMP, named=("lamp", "kettle"))
    ((topic, message),) = desk.sent
    assert topic == topics.settings("hall")
    assert message == RoomSettings(id=settings, of="0" * 64, devices=(LAMP,))
    event = spool.pending(100)[-1]
    assert (event.what, event.where, event.severity) == ("room:file-set", "room/hall", Severity.CRITICAL)
    assert event.detail == {"settings": settings, "devices": "lamp, kettle"}
    assert event.who.user is not None


async def test_it_takes_a_fresh_proof(desk: Desk, clock: Clock) -> None:
    with pytest.raises(HomeError, match="step-up-required"):
        await desk.change(LAMP)
    await desk.prove()
    clock.forward(minutes=5, seconds=1)
    with pytest.raises(HomeError, match="step-up-required"):
        await desk.change(LAMP)
    assert desk.sent == []


async def test_nobody_but_a_master_user_does_it(desk: Desk, accounts: Accounts) -> None:
    await desk.sit(await accounts.create_user(email="m@example.org", name="M", password=PASSWORD, role=Role.MEMBER))
    with pytest.raises(HomeError, match="forbidden"):
        await desk.change(LAMP)


async def test_a_room_that_is_not_there_is_sent_nothing(desk: Desk) -> None:
    await desk.prove()
    with pytest.raises(HomeError, match="not-found"):
        await desk.change(LAMP, room="attic")
    with pytest.raises(HomeError, match="invalid-value"):
        await desk.change({"name": "Lamp"})
    with pytest.raises(HomeError, match="invalid-value"):
        await desk.change(LAMP | {"name": "x" * 50_000})
    assert desk.sent == []


async def test_what_the_broker_does_not_take_is_told_and_recorded(desk: Desk, spool: Spool) -> None:
    await desk.prove()
    desk.reason = 135
    with pytest.raises(HomeError, match="broker-unreachable"):
        await desk.change(LAMP)
    outcomes = [event.outcome for event in spool.pending(100) if event.what == "room:file-set"]
    assert outcomes == [Outcome.EXECUTED, Outcome.FAILED]


async def test_what_was_set_on_a_page_needs_no_further_word(desk: Desk, spool: Spool) -> None:
    await desk.hear(critical=True)
    await desk.prove()
    await desk.change(DOOR)
    await desk.hear()
    assert await desk.waits() == set()
    assert not await desk.is_critical()
    event = next(event for event in spool.pending(100) if event.what == "device:loosened")
    assert event.who.user is not None
    assert event.detail["because"] == "set on a page"


@pytest.mark.parametrize("case", ["another device", "later", "other than set", "not sent"])
async def test_only_what_was_named_and_only_as_it_was_set_counts_as_a_yes(desk: Desk, clock: Clock, case: str) -> None:
    await desk.hear(critical=True)
    await desk.prove()
    if case == "another device":
        await desk.change(DOOR, LAMP, named=("lamp",))
    elif case == "other than set":
        await desk.change(DOOR | {"critical": True, "confirm": True})
    elif case == "not sent":
        desk.reason = 135
        with pytest.raises(HomeError):
            await desk.change(DOOR)
    else:
        await desk.change(DOOR)
        clock.forward(minutes=26)
    await desk.hear()
    assert await desk.waits() == {"critical", "confirm"}
    assert await desk.is_critical()


async def test_a_room_that_goes_back_to_its_former_file_is_no_loosening(desk: Desk) -> None:
    await desk.hear(kind=Kind.SWITCH)
    await desk.prove()
    await desk.change(DOOR | {"critical": True, "confirm": True})
    await desk.hear(critical=True)
    assert await desk.is_critical()
    await desk.hear(kind=Kind.SWITCH)
    assert await desk.waits() == set()
    assert not await desk.is_critical()
