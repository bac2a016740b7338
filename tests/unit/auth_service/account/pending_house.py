"""A house where presses wait: its people in their sessions, a door and a blind that take two persons, a clock."""

from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from auth_service.account.appointments import Appointments
from auth_service.account.confirm_ways import ConfirmWays
from auth_service.account.pending_watch import PendingWatch
from auth_service.account.pending_wishes import PendingWishes
from auth_service.home import lockdown_rows, room_rows
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, RoomSeen, User
from shared.words.names import Action, ConfirmBy, Kind, Role
from shared.words.pending import PendingWish, Press, Pressed
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Given, described

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
HERE = "192.0.2.7"
ZONE = timezone(timedelta(hours=1))
AFTERNOON = Grant(room="hall", device="door", actions=(Action.UNLOCK,), from_minute=12 * 60, to_minute=18 * 60)


SEEN = RoomSeen(
    name="Hall",
    devices=(described("door", Kind.LOCK, critical=True), described("blind", Kind.COVER, critical=True)),
)


class House:
    """Ada (master user), Bea (member) and Cy (a guest in the afternoon), in sessions; a door for two persons."""

    def __init__(self, store: Store, proof: Proof, spool: Spool, clock: Clock, accounts: Accounts) -> None:
        self.store, self.spool, self.clock, self.accounts = store, spool, clock, accounts
        self.woken, self.number = 0, 0
        self.way = ConfirmBy.TWO_PERSONS
        self.people: dict[str, User] = {}
        self.tokens: dict[str, str] = {}
        sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=self._wake)
        self.watch = PendingWatch(store, sessions, proof, now=clock, wake=self._wake, steady=clock.steady)
        self.pending = PendingWishes(store, sessions, proof, self.watch, now=clock, wake=self._wake)
        self.appointments = Appointments(store, self.watch, now=clock, wake=self._wake)
        self.ways = ConfirmWays(store, sessions, proof, now=clock, wake=self._wake)
        self.rooms = Rooms(store, proof, Given(), now=clock)

    async def furnish(self) -> None:
        """Everybody moves in."""
        self.people["ada"] = await self.accounts.create_user(
            email=EMAIL, name="Ada", password=PASSWORD, role=Role.MASTER
        )
        self.people["bea"] = await self.accounts.create_user(
            email="bea@example.org", name="Bea", password=PASSWORD, role=Role.MEMBER
        )
        self.people["cy"] = await self.accounts.create_user(
            email="cy@example.org", name="Cy", password=PASSWORD, role=Role.GUEST, grants=(AFTERNOON,)
        )
        for name in self.people:
            self.tokens[name] = await self.sit(name)
        await self.accounts.enrol_identity("hall", "room")
        await self.rooms.seen("hall", SEEN, "gateway")
        for device in ("door", "blind"):
            await self.confirm_by(ConfirmBy.TWO_PERSONS, device)

    async def sit(self, name: str) -> str:
        """A further session of somebody's."""
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, self.people[name], address=HERE, agent="Firefox", limits=LIMITS, now=self.clock()
            )
        return answer.token

    async def sign_out(self, name: str) -> None:
        """The session of somebody's with which they press."""
        async with self.store.write() as connection:
            await session_rows.end_token(connection, self.tokens[name], self.clock())

    async def confirm_by(self, way: ConfirmBy, device: str = "door") -> None:
        """Whatever the service would say to it; the gateways do not know yet."""
        async with self.store.write() as connection:
            await room_rows.set_confirm_by(connection, "hall", device, way, 10)

    async def set_lockdown(self, *, active: bool) -> None:
        async with self.store.write() as connection:
            before = await lockdown_rows.lock(connection)
            await lockdown_rows.write(connection, before, active=active, now=self.clock())

    async def press(self, name: str, id_: str = "", *, token: str = "", device: str = "door", **more: Any) -> Pressed:
        """Somebody presses, under an id of their own or a new one."""
        self.number += 1
        now: datetime = self.clock()
        asked: dict[str, Any] = {"action": Action.UNLOCK, "pressed_at": now, "local": now.astimezone(ZONE), **more}
        asked.setdefault("confirm_by", self.way)
        press = Press(token=token or self.tokens[name], id=id_ or f"press-{self.number}", address=HERE, **asked)
        return await self.pending.press("hall", device, press, "gateway-1")

    async def take_back(self, name: str, wish: PendingWish | None) -> None:
        assert wish is not None
        await self.pending.take_back(
            wish.room, wish.device, wish.id, by=self.people[name].id, address=HERE, issuer="gateway-1"
        )

    async def standing(self) -> list[PendingWish]:
        return list((await self.rooms.registry()).pending)

    def told(self) -> list[str]:
        """What the record is told of wishes, in order."""
        words = {"device:wished", "device:agreed", "device:taken-back", "device:wish-dropped", "device:appointed"}
        words |= {"device:vetoed", "device:appointment-dropped", "device:appointment-unknown"}
        return [
            f"{event.what.removeprefix('device:')} {event.detail.get('reason', event.who.user and event.who.user.name)}"
            for event in self.spool.pending(500)
            if event.what in words
        ]

    def _wake(self) -> None:
        self.woken += 1


async def refused(house: House, slug: str, *args: Any, **more: Any) -> None:
    with pytest.raises(HomeError) as error:
        await house.press(*args, **more)
    assert error.value.slug == slug
