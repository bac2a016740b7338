"""Who lets a room join from a page: a master user who has just proved it, and nobody else."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from auth_service.home import window_rows
from auth_service.home.window import Window
from auth_service.hub.accounts import Accounts
from auth_service.joining.by_person import WindowsByPerson
from auth_service.joining.granted import MOST
from auth_service.joining.windows import Windows
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from auth_service.tables import devices
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import User
from shared.words.internal_joining import WindowOpened, WindowWish
from shared.words.names import Role, Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import Clock

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))


class House:
    """Sessions of people, and what opens windows for them."""

    def __init__(self, store: Store, proof: Proof, clock: Clock) -> None:
        self._store, self._clock = store, clock
        sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
        self._windows = WindowsByPerson(Windows(store, proof, now=clock), sessions, now=clock)

    async def session(self, user: User, *, proved: bool = True) -> str:
        async with self._store.write() as connection:
            answer = await session_rows.start(
                connection,
                user,
                address="192.0.2.7",
                agent="",
                limits=LIMITS,
                now=self._clock(),
                proved_at=self._clock() if proved else None,
            )
        return answer.token

    async def open(self, token: str, room: str = "attic") -> WindowOpened:
        return await self._windows.open(WindowWish(token=token, name=room, address="192.0.2.7"), "gateway")

    async def open_for_client(self, token: str, *may: str, name: str = "tablet") -> WindowOpened:
        wish = WindowWish(token=token, name=name, kind="client", may=may, address="192.0.2.7")
        return await self._windows.open(wish, "gateway")

    async def window(self, name: str) -> Window | None:
        async with self._store.read() as connection:
            return await window_rows.of(connection, name)

    async def furnish(self, room: str, *, critical: tuple[str, ...] = (), plain: tuple[str, ...] = ()) -> None:
        """Devices of a room that is enrolled."""
        rows = [
            {"room": room, "id": one, "name": one, "kind": "switch", "critical": one in critical, "confirm": False}
            for one in (*critical, *plain)
        ]
        async with self._store.write() as connection:
            await connection.execute(insert(devices), rows)

    async def refusal(self, token: str, room: str = "attic") -> HomeError:
        with pytest.raises(HomeError) as refused:
            await self.open(token, room)
        return refused.value


@pytest.fixture
def house(store: Store, proof: Proof, clock: Clock) -> House:
    return House(store, proof, clock)


async def test_a_master_user_who_has_just_proved_it_opens_one_and_is_named(
    house: House, ada: User, spool: Spool, clock: Clock
) -> None:
    opened = await house.open(await house.session(ada))
    assert opened.expires_at == clock() + timedelta(minutes=10)
    (event,) = (event for event in spool.pending(100) if event.what == "room:awaited")
    assert (event.where, event.severity) == ("room/attic", Severity.CRITICAL)
    assert event.who.user is not None
    assert (event.who.user.id, event.who.address, event.who.issuer) == (ada.id, "192.0.2.7", "gateway")


async def test_without_a_proof_of_the_last_minutes_nothing_is_opened(
    house: House, ada: User, spool: Spool, clock: Clock
) -> None:
    assert (await house.refusal(await house.session(ada, proved=False))).slug == "step-up-required"
    token = await house.session(ada)
    clock.forward(minutes=6)
    assert (await house.refusal(token)).slug == "step-up-required"
    assert [event for event in spool.pending(100) if event.what == "room:awaited"] == []


async def test_a_member_opens_none(house: House, ada: User, accounts: Accounts) -> None:
    ben = await accounts.create_user(
        email="ben@example.org", name="Ben", password="lanterns over quiet harbours", role=Role.MEMBER
    )
    assert (await house.refusal(await house.session(ben))).slug == "forbidden"
    assert (await house.refusal("no session")).slug == "sign-in-required"
    await house.open(await house.session(ada))


@pytest.mark.parametrize(("room", "slug"), [("Attic", "invalid-value"), ("hall", "already-exists")])
async def test_a_name_that_cannot_be_is_told_beside_its_field(
    house: House, ada: User, accounts: Accounts, room: str, slug: str
) -> None:
    await accounts.enrol_identity("hall", "room")
    refused = await house.refusal(await house.session(ada), room)
    assert (refused.slug, refused.facts["field"]) == (slug, "name")


async def test_a_client_may_what_was_named_of_the_registry_each_once_and_the_record_names_it(
    house: House, ada: User, accounts: Accounts, spool: Spool
) -> None:
    await accounts.enrol_identity("hall", "room")
    await house.furnish("hall", critical=("front-door",), plain=("lamp", "heater"))
    await house.open_for_client(await house.session(ada), "hall/lamp", "hall/front-door", "hall/lamp")
    window = await house.window("tablet")
    assert window is not None
    assert (window.kind, window.may, window.renews) == ("client", ("hall/lamp", "hall/front-door"), False)
    (event,) = (event for event in spool.pending(100) if event.what == "client:awaited")
    assert (event.where, event.severity) == ("client/tablet", Severity.CRITICAL)
    assert event.detail["may"] == "hall/front-door, hall/lamp", "what is critical comes first"
    assert event.who.user is not None
    assert (event.who.user.id, event.who.address) == (ada.id, "192.0.2.7")


@pytest.mark.parametrize(
    ("may", "slug"),
    [
        ((), "invalid-value"),
        (tuple(f"hall/lamp-{number}" for number in range(MOST + 1)), "invalid-value"),
        (("hall/lamp", "hall/attic-lamp"), "unknown-device"),
        (("hall",), "unknown-device"),
        (("hall/+",), "unknown-device"),
        (("shed/lamp",), "unknown-device"),
    ],
)
async def test_a_client_gets_no_line_for_what_the_registry_has_not(
    house: House, ada: User, accounts: Accounts, spool: Spool, may: tuple[str, ...], slug: str
) -> None:
    for room in ("hall", "shed"):
        await accounts.enrol_identity(room, "room")
        await house.furnish(room, plain=("lamp",))
    await accounts.revoke_identity("shed")
    token = await house.session(ada)
    with pytest.raises(HomeError) as refused:
        await house.open_for_client(token, *may)
    assert (refused.value.slug, refused.value.facts["field"]) == (slug, "may")
    assert await house.window("tablet") is None
    assert [event for event in spool.pending(100) if event.what == "client:awaited"] == []


async def test_a_clients_line_asks_for_the_same_proof_and_a_name_that_is_free(
    house: House, ada: User, accounts: Accounts
) -> None:
    await accounts.enrol_identity("hall", "room")
    await house.furnish("hall", plain=("lamp",))
    token = await house.session(ada)
    for name, slug in (("hall", "already-exists"), ("Tablet", "invalid-value"), ("gateway", "invalid-value")):
        with pytest.raises(HomeError) as refused:
            await house.open_for_client(token, "hall/lamp", name=name)
        assert (refused.value.slug, refused.value.facts["field"]) == (slug, "name")
    with pytest.raises(HomeError) as refused:
        await house.open_for_client(await house.session(ada, proved=False), "hall/lamp")
    assert refused.value.slug == "step-up-required"
    ben = await accounts.create_user(
        email="ben@example.org", name="Ben", password="lanterns over quiet harbours", role=Role.MEMBER
    )
    with pytest.raises(HomeError) as refused:
        await house.open_for_client(await house.session(ben), "hall/lamp")
    assert refused.value.slug == "forbidden"
    assert await house.window("tablet") is None
