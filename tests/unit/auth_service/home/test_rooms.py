"""The registry over a real database."""

import asyncio

import msgspec
import pytest
import sqlalchemy as sa

from auth_service.home.rooms import CHANGES, Rooms
from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import RoomSeen
from shared.words.messages import DeviceDescription
from shared.words.names import Action, Kind, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import Clock, Given


def door(*, critical: bool, kind: Kind = Kind.LOCK) -> DeviceDescription:
    """The front door as a room describes it."""
    return DeviceDescription(
        id="front-door",
        name="Front door",
        kind=kind,
        critical=critical,
        confirm=critical,
        actions=(Action.LOCK, Action.UNLOCK),
        safe_actions=(Action.LOCK,),
    )


STRICT = RoomSeen(name="Entrance", devices=(door(critical=True),))
LOOSE = RoomSeen(name="Entrance", devices=(door(critical=False),))


@pytest.fixture
def given() -> Given:
    return Given()


@pytest.fixture
async def rooms(store: Store, proof: Proof, given: Given, clock: Clock, accounts: Accounts) -> Rooms:
    await accounts.enrol_identity("hall", "room")
    await accounts.enrol_identity("phone", "client")
    return Rooms(store, proof, given, now=clock)


def told(spool: Spool) -> list[tuple[str, Severity]]:
    """What was said of devices."""
    return [(event.what, event.severity) for event in spool.pending(100) if event.what.startswith("device:")]


async def test_enrolled_room_is_registered_before_it_says_a_word(rooms: Rooms) -> None:
    (room,) = (await rooms.registry()).rooms
    assert (room.id, room.name, room.devices) == ("hall", "Hall", ())


async def test_description_is_registered_and_read_back(rooms: Rooms, spool: Spool) -> None:
    room = await rooms.seen("hall", STRICT, "gateway")
    assert (room.name, room.devices[0].kind, room.devices[0].critical) == ("Entrance", Kind.LOCK, True)
    assert (await rooms.registry()).rooms == (room,)
    assert told(spool) == [("device:added", Severity.INFO)]


async def test_a_room_may_speak_of_what_it_describes_and_of_nothing_else(rooms: Rooms, given: Given) -> None:
    lamp = msgspec.structs.replace(door(critical=False, kind=Kind.SWITCH), id="lamp")
    await rooms.seen("hall", RoomSeen(name="Hall", devices=(door(critical=True), lamp)), "gateway")
    assert given.devices == {"hall": ("front-door", "lamp")}
    await rooms.seen("hall", STRICT, "gateway")
    assert given.devices == {"hall": ("front-door",)}


async def test_rights_are_put_right_also_where_the_registry_knows_it_all(rooms: Rooms, given: Given) -> None:
    await rooms.seen("hall", STRICT, "gateway")
    given.devices.clear()
    await rooms.seen("hall", STRICT, "gateway-2")
    assert given.devices == {"hall": ("front-door",)}


async def test_a_device_that_its_room_cannot_speak_of_yet_is_not_offered(rooms: Rooms, given: Given) -> None:
    given.fault = HomeError("broker-unreachable")
    with pytest.raises(HomeError, match="broker-unreachable"):
        await rooms.seen("hall", STRICT, "gateway")
    assert (await rooms.registry()).rooms[0].devices == ()
    given.fault = None
    assert len((await rooms.seen("hall", STRICT, "gateway")).devices) == 1


async def test_a_room_that_has_other_devices_again_and_again_fills_no_record(
    rooms: Rooms, given: Given, clock: Clock
) -> None:
    lamp = RoomSeen(name="Hall", devices=(msgspec.structs.replace(door(critical=False, kind=Kind.SWITCH), id="lamp"),))
    refused = 0
    for number in range(200):
        try:
            await rooms.seen("hall", (STRICT, lamp)[number % 2], "gateway")
        except HomeError as error:
            assert error.slug == "rate-limited"  # noqa: PT017 - not each of them is refused
            refused += 1
    assert given.changes == CHANGES + 1
    assert refused > 80
    stands = given.devices["hall"]
    await rooms.seen("hall", STRICT if stands == ("front-door",) else lamp, "gateway")
    clock.forward(hours=1)
    await rooms.seen("hall", lamp, "gateway")
    assert given.devices == {"hall": ("lamp",)}


@pytest.mark.parametrize("name", ["nowhere", "phone"])
async def test_what_is_no_room_gets_no_rights(rooms: Rooms, given: Given, name: str) -> None:
    with pytest.raises(HomeError):
        await rooms.seen(name, STRICT, "gateway")
    assert given.devices == {}


async def test_loosening_waits_and_is_told_once(rooms: Rooms, spool: Spool) -> None:
    strict = await rooms.seen("hall", STRICT, "gateway")
    for _ in range(3):
        assert await rooms.seen("hall", LOOSE, "gateway") == strict
    assert told(spool)[1:] == [("device:loosening", Severity.SECURITY)] * 2
    assert {event.detail["field"] for event in spool.pending(100)[-2:]} == {"critical", "confirm"}


async def test_room_that_flips_is_told_of_once_an_hour(rooms: Rooms, spool: Spool, clock: Clock) -> None:
    for _ in range(20):
        await rooms.seen("hall", STRICT, "gateway")
        await rooms.seen("hall", LOOSE, "gateway")
    assert told(spool)[1:] == [("device:loosening", Severity.SECURITY)] * 2
    assert {event.where for event in spool.pending(100)[-2:]} == {"hall/front-door"}
    clock.forward(hours=1)
    await rooms.seen("hall", STRICT, "gateway")
    await rooms.seen("hall", LOOSE, "gateway")
    assert len(told(spool)[1:]) == 4


async def test_loosening_that_could_not_be_recorded_is_told_the_next_time(
    rooms: Rooms, proof: Proof, spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rooms.seen("hall", STRICT, "gateway")

    async def no_proof(*_: object, **__: object) -> None:
        raise HomeError("no-proof")

    with monkeypatch.context() as full:
        full.setattr(proof, "write", no_proof)
        with pytest.raises(HomeError, match="no-proof"):
            await rooms.seen("hall", LOOSE, "gateway")
    await rooms.seen("hall", LOOSE, "gateway")
    assert told(spool)[1:] == [("device:loosening", Severity.SECURITY)] * 2


async def test_room_that_is_strict_again_asks_for_nothing_any_more(rooms: Rooms, store: Store) -> None:
    for word in (STRICT, LOOSE, STRICT):
        await rooms.seen("hall", word, "gateway")
    async with store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM loosenings"))).scalar() == 0


async def test_tightening_applies(rooms: Rooms, spool: Spool) -> None:
    await rooms.seen("hall", LOOSE, "gateway")
    room = await rooms.seen("hall", STRICT, "gateway")
    assert room.devices[0].critical
    assert (await rooms.registry()).rooms == (room,)
    assert told(spool)[1:] == [("device:tightened", Severity.INFO)]


async def test_gateways_that_tell_at_once_agree(rooms: Rooms, spool: Spool) -> None:
    answers = await asyncio.gather(*(rooms.seen("hall", STRICT, f"gateway-{i}") for i in range(4)))
    assert len(set(map(str, answers))) == 1
    assert told(spool) == [("device:added", Severity.INFO)]


@pytest.mark.parametrize("room", ["attic", "phone", "../hall"])
async def test_only_enrolled_rooms_are_registered(rooms: Rooms, room: str) -> None:
    with pytest.raises(HomeError, match="not-found"):
        await rooms.seen(room, STRICT, "gateway")


async def test_revoked_room_is_gone(rooms: Rooms, accounts: Accounts) -> None:
    await rooms.seen("hall", STRICT, "gateway")
    await accounts.revoke_identity("hall")
    assert (await rooms.registry()).rooms == ()
    with pytest.raises(HomeError, match="not-found"):
        await rooms.seen("hall", STRICT, "gateway")
