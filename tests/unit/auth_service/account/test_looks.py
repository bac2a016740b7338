"""How the home is looked at: what a master user says for everybody, and what everybody says for themselves."""

import asyncio
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, update

from auth_service import tables
from auth_service.account.home_looks import HomeLooks
from auth_service.account.own_looks import OwnWays
from auth_service.home import room_rows
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.people import changed_rights, own_look_rows
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words import arranging
from shared.words.internal import RegisteredRoom, RoomSeen, User
from shared.words.internal_looks import Arrangement, DeviceLook, LookChange, OwnDeviceLook, OwnRoomLook, RoomLook
from shared.words.looks import FAVOURITES_MOST, NOTHING, OWN_MOST, HomeLook, Icon, OwnLooks, OwnRoom
from shared.words.messages import DeviceDescription
from shared.words.names import ACTIONS, SAFE_ACTIONS, Kind, Role
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import PASSWORD, Clock, Given, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
HERE = "192.0.2.7"


def described(**names: str) -> RoomSeen:
    """A room whose devices are switches of these names, and a lock."""
    devices = [
        DeviceDescription(
            id=one.replace("_", "-"),
            name=name,
            kind=Kind.SWITCH,
            critical=False,
            confirm=False,
            actions=ACTIONS[Kind.SWITCH],
            safe_actions=SAFE_ACTIONS[Kind.SWITCH],
        )
        for one, name in names.items()
    ]
    return RoomSeen(name="Hall", devices=tuple(devices))


class Home:
    """A master user, a member and a guest, each signed in, and three rooms."""

    def __init__(self, store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts, ada: User) -> None:
        self.store, self.spool, self.accounts, self.ada, self.rung = store, spool, accounts, ada, 0
        self.sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=self._ring)
        self.rooms = Rooms(store, proof, Given(), now=clock)
        self.home = HomeLooks(store, self.sessions, proof, wake=self._ring)
        self.own = OwnWays(store, self.sessions, self._ring)
        self.clock = clock

    async def begin(self) -> "Home":
        for room in ("hall", "attic", "cellar"):
            await self.accounts.enrol_identity(room, "room")
        await self.rooms.seen("hall", described(lamp="Lamp", fan="Fan", kettle="Kettle"), "gateway")
        self.master = await self.sit(self.ada)
        self.ben = await self.accounts.create_user(
            email="ben@example.org", name="Ben", password=PASSWORD, role=Role.MEMBER
        )
        self.member = await self.sit(self.ben)
        async with self.store.write() as connection:
            await changed_rights.told(connection, await changed_rights.untold(connection))
        self.rung = 0
        return self

    async def sit(self, user: User) -> str:
        async with self.store.write() as connection:
            started = await session_rows.start(
                connection, user, address=HERE, agent="Firefox", limits=LIMITS, now=self.clock()
            )
        return started.token

    async def name(self, device: str, token: str | None = None, **look: Any) -> None:
        await self.home.change_device("hall", device, by(token or self.master, DeviceLook(**look)), "gateway")

    async def favour(self, device: str, **look: Any) -> None:
        await self.own.change_device("hall", device, by(self.member, OwnDeviceLook(**look)))

    async def hall(self) -> RegisteredRoom:
        async with self.store.read() as connection:
            found = await room_rows.find(connection, "hall")
        assert found is not None
        return found

    async def look(self, device: str) -> HomeLook:
        return next(one.look for one in (await self.hall()).devices if one.id == device)

    async def mine(self) -> OwnLooks:
        return (await self.sessions.verify(self.member)).own

    async def order(self) -> tuple[str, ...]:
        async with self.store.read() as connection:
            return arranging.rooms_in_order(await room_rows.all_enrolled(connection))

    async def told(self) -> list[str]:
        async with self.store.read() as connection:
            return [one.user_id for one in await changed_rights.untold(connection)]

    def events(self) -> list[tuple[str, str, dict[str, str]]]:
        found = [one for one in self.spool.pending(1000) if one.what.startswith("registry:")]
        return [(one.what, one.where, dict(one.detail)) for one in found]

    def _ring(self) -> None:
        self.rung += 1


def by(token: str, look: Any) -> LookChange[Any]:
    return LookChange(token=token, look=look, address=HERE)


@pytest.fixture
async def home(store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts, ada: User) -> Home:
    return await Home(store, proof, spool, clock, accounts, ada).begin()


async def test_a_name_an_icon_and_hiding_stand_and_are_recorded_with_what_was(home: Home) -> None:
    await home.name("lamp", name="  Reading   lamp ", icon=Icon.PLANT, hidden=True)
    assert await home.look("lamp") == HomeLook(name="Reading lamp", icon=Icon.PLANT, hidden=True)
    assert home.events() == [
        ("registry:renamed", "hall/lamp", {"name": "Reading lamp", "was": "Lamp"}),
        ("registry:drawn", "hall/lamp", {"icon": "plant", "was": "-"}),
        ("registry:hidden", "hall/lamp", {}),
    ]
    assert (await home.told(), home.rung) == (["registry"], 1)


async def test_what_is_left_out_stays_and_null_takes_it_back(home: Home) -> None:
    await home.name("lamp", name="Reading lamp", icon=Icon.PLANT)
    await home.name("lamp", hidden=True)
    await home.name("lamp", name=None)
    assert await home.look("lamp") == HomeLook(icon=Icon.PLANT, hidden=True)


async def test_what_stands_already_is_recorded_no_second_time(home: Home) -> None:
    for _ in range(2):
        await home.name("lamp", name="Reading lamp", before="fan")
    assert [what for what, _, _ in home.events()] == ["registry:renamed", "registry:arranged"]


async def test_a_rooms_own_words_change_nothing_that_the_home_says(home: Home) -> None:
    await home.name("lamp", name="Reading lamp", icon=Icon.PLANT, hidden=True, after="kettle")
    stands = await home.look("lamp")
    await home.rooms.seen("hall", described(fan="Fan"), "gateway")
    assert await home.look("lamp") == stands, "it went away"
    await home.rooms.seen("hall", described(lamp="Front door", fan="Fan", kettle="Kettle"), "gateway")
    assert await home.look("lamp") == stands, "it came back and calls itself something else"


@pytest.mark.parametrize(
    "name", ["", "x" * 65, "Lamp\u202e", "La\u200bmp", "\u3164", "\u2800\u2800", "two\nlines"[:4] + "\x07"]
)
async def test_a_name_that_cannot_be_read_is_refused(home: Home, name: str) -> None:
    if not name:
        await home.name("lamp", name=name)
        assert (await home.look("lamp")).name is None, "blank takes it back"
        return
    with pytest.raises(HomeError, match="invalid-value") as refused:
        await home.name("lamp", name=name)
    assert refused.value.facts["field"] == "name"


@pytest.mark.parametrize("name", ["Fan", "fan", "ＦＡＮ", "  Fan "])
async def test_a_name_that_reads_like_its_neighbours_is_refused(home: Home, name: str) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await home.name("lamp", name=name)
    await home.name("fan", name="Ventilator")
    await home.name("lamp", name=name)


async def test_two_that_take_one_name_at_once_do_not_both_get_it(home: Home) -> None:
    tries = (home.name(device, name="Reading lamp") for device in ("lamp", "fan"))
    ends = await asyncio.gather(*tries, return_exceptions=True)
    assert sorted(type(end).__name__ for end in ends) == ["HomeError", "NoneType"]


async def test_letters_are_told_the_homes_names_of_rooms_that_are_there(home: Home) -> None:
    await home.name("lamp", name="Reading lamp")
    await home.home.change_room("hall", by(home.master, RoomLook(name="Entrance")), "gateway")
    async with home.store.read() as connection:
        assert await room_rows.home_names(connection) == {"hall": "Entrance", "hall/lamp": "Reading lamp"}
    await home.accounts.revoke_identity("hall")
    async with home.store.read() as connection:
        assert await room_rows.home_names(connection) == {}


async def test_rooms_are_named_ordered_and_moved(home: Home) -> None:
    assert await home.order() == ("attic", "cellar", "hall")
    await home.home.change_room("hall", by(home.master, RoomLook(name="Entrance", before="attic")), "gateway")
    assert await home.order() == ("hall", "attic", "cellar")
    assert (await home.hall()).look.name == "Entrance"
    await home.home.arrange(by(home.master, Arrangement(order=("cellar",))), "gateway")
    assert await home.order() == ("cellar", "attic", "hall")
    await home.home.arrange(by(home.master, Arrangement(order=())), "gateway")
    assert await home.order() == ("attic", "cellar", "hall")
    with pytest.raises(HomeError, match="invalid-value"):
        await home.home.change_room("cellar", by(home.master, RoomLook(name="Attic")), "gateway")


async def test_devices_are_ordered_and_moved(home: Home) -> None:
    await home.name("kettle", before="fan")
    assert arranging.devices_in_order(await home.hall()) == ("kettle", "fan", "lamp")
    await home.home.change_room("hall", by(home.master, RoomLook(order=("lamp", "kettle"))), "gateway")
    assert arranging.devices_in_order(await home.hall()) == ("lamp", "kettle", "fan")


@pytest.mark.parametrize(("order", "slug"), [(("hall", "hall"), "invalid-value"), (("hall", "nowhere"), "not-found")])
async def test_an_order_names_each_room_once_and_none_that_is_not_there(
    home: Home, order: tuple[str, ...], slug: str
) -> None:
    with pytest.raises(HomeError, match=slug):
        await home.home.arrange(by(home.master, Arrangement(order=order)), "gateway")
    with pytest.raises(HomeError, match=slug):
        await home.own.arrange(by(home.member, Arrangement(order=order)))


async def test_what_is_not_there_cannot_be_looked_at_otherwise(home: Home) -> None:
    for wish in ({"name": "X"}, {"before": "nothing"}):
        device = "nothing" if "name" in wish else "lamp"
        with pytest.raises(HomeError, match="unknown-device"):
            await home.name(device, **wish)
    with pytest.raises(HomeError, match="unknown-device"):
        await home.favour("nothing", favourite=True)
    with pytest.raises(HomeError, match="not-found"):
        await home.home.change_room("nowhere", by(home.master, RoomLook(hidden=True)), "gateway")
    with pytest.raises(HomeError, match="invalid-value"):
        await home.name("lamp", before="fan", after="kettle")


async def test_a_member_says_nothing_for_everybody(home: Home) -> None:
    with pytest.raises(HomeError, match="forbidden"):
        await home.name("lamp", home.member, name="Mine")
    with pytest.raises(HomeError, match="sign-in-required"):
        await home.name("lamp", "no-session", name="Mine")
    assert (await home.look("lamp"), home.events()) == (HomeLook(), [])


async def test_without_proof_nothing_changes(home: Home, tmp_path: Path) -> None:
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await home.name("lamp", name="Reading lamp")
    assert await home.look("lamp") == HomeLook()


async def test_favourites_and_hiding_are_ones_own_come_with_the_session_and_are_no_event(home: Home) -> None:
    await home.favour("lamp", favourite=True)
    await home.favour("fan", hidden=True)
    await home.own.change_room("attic", by(home.member, OwnRoomLook(hidden=True, before="cellar")))
    own = await home.mine()
    assert own.of("hall") == OwnRoom(id="hall", favourites=("lamp",), hid=("fan",))
    assert own.of("attic").hidden is True
    assert (await home.sessions.verify(home.master)).own == NOTHING
    assert home.events() == []
    assert await home.told() == [home.ben.id] * 3
    assert (await home.look("fan")).hidden is False


async def test_a_favourite_is_not_hidden_and_what_is_hidden_is_no_favourite(home: Home) -> None:
    await home.favour("lamp", hidden=True)
    await home.favour("lamp", favourite=True)
    assert (await home.mine()).of("hall") == OwnRoom(id="hall", favourites=("lamp",))
    await home.favour("lamp", hidden=True)
    assert (await home.mine()).of("hall") == OwnRoom(id="hall", hid=("lamp",))
    await home.favour("lamp", hidden=None)
    assert await home.mine() == NOTHING, "as if nothing had been said"


async def test_ones_own_order_stands_over_the_homes(home: Home) -> None:
    await home.favour("lamp", before="fan")
    await home.name("kettle", before="fan")
    own = (await home.mine()).of("hall").order
    assert arranging.arranged(arranging.devices_in_order(await home.hall()), own) == ("lamp", "kettle", "fan")
    await home.own.change_room("hall", by(home.member, OwnRoomLook(order=())))
    assert await home.mine() == NOTHING


async def test_two_changes_at_once_both_stand(home: Home) -> None:
    await asyncio.gather(*(home.favour(device, favourite=True) for device in ("lamp", "fan", "kettle")))
    assert set((await home.mine()).of("hall").favourites) == {"lamp", "fan", "kettle"}


async def test_nobody_favours_without_end_and_whoever_has_too_many_may_have_fewer(home: Home) -> None:
    many = tuple(f"d{number}" for number in range(FAVOURITES_MOST))
    async with home.store.write() as connection:
        await own_look_rows.write(connection, home.ben.id, OwnLooks(rooms=(OwnRoom(id="attic", favourites=many),)))
    with pytest.raises(HomeError, match="invalid-value"):
        await home.favour("lamp", favourite=True)
    long = tuple(f"d{number}" for number in range(OWN_MOST + 5))
    async with home.store.write() as connection:
        full = OwnLooks(rooms=(OwnRoom(id="attic", hid=long), OwnRoom(id="hall", hid=("lamp", "fan"))))
        await own_look_rows.write(connection, home.ben.id, full)
    with pytest.raises(HomeError, match="invalid-value"):
        await home.favour("kettle", hidden=True)
    await home.favour("lamp", hidden=None)
    assert (await home.mine()).of("hall").hid == ("fan",)


async def test_with_a_room_goes_what_was_said_of_it(home: Home) -> None:
    await home.name("lamp", name="Reading lamp", hidden=True, before="fan")
    await home.favour("lamp", favourite=True)
    await home.own.arrange(by(home.member, Arrangement(order=("hall",))))
    await home.accounts.revoke_identity("hall")
    assert await home.mine() == NOTHING
    async with home.store.read() as connection:
        rows = await connection.execute(
            select(tables.devices.c.home_name, tables.devices.c.hidden, tables.devices.c.place)
        )
        assert {tuple(row) for row in rows} == {(None, False, None)}


async def test_a_text_that_cannot_be_read_keeps_nobody_out(home: Home) -> None:
    async with home.store.write() as connection:
        await connection.execute(update(tables.users).values(looks='{"rooms": 7'))
    assert await home.mine() == NOTHING
