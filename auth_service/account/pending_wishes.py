"""What one person wants of a device that asks for two: put up, agreed to by a second one, taken back, or dropped.

Gateways call it for every press at such a device, and carry out what was agreed to; it acts nowhere itself.
"""

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Any

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.account.telling import Say
from auth_service.home import lockdown_rows, pending_rows, room_rows, two_persons
from auth_service.home.pending_rows import Known, Standing
from auth_service.home.two_persons import WAIT, Ended
from auth_service.people import changed_rights, user_rows
from auth_service.proof import Proof
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words import who_may
from shared.words.internal import RegisteredDevice, UserRow
from shared.words.messages import UserRef, Who
from shared.words.names import Role, Severity
from shared.words.pending import PendingWish, Press, Pressed
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

_PATROL_SECONDS = 1.0


class PendingWishes:
    """Presses and what stands. `wake` tells the gateways at once; `issuer` is what this service is called."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        issuer: str = "auth",
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._now = now
        self._wake = wake
        self._issuer = issuer
        self._begins = asyncio.Lock()
        self._has_begun = False
        self._put_up = asyncio.Event()

    async def press(self, room: str, device: str, press: Press, issuer: str) -> Pressed:
        """One person's press, in a session of theirs: it puts up what it wants, or agrees to what another person wants.

        Raises HomeError: sign-in-required (a program's token is no session), unknown-device, forbidden, lockdown,
        expired, wish-over, other-wish-pending, nobody-to-agree, id-reused, id-used, no-proof.
        """
        session = await self._sessions.verify(press.token)
        await self.sweep(local=press.local)
        who = telling.by(session.user, press.address, issuer)
        async with telling.change(self._store, self._proof, who, Severity.INFO) as (connection, say):
            # The room's row is held: of two presses at once the second sees what became of the first.
            _, found = await room_rows.registered(connection, room, device)
            me = await user_rows.row_of(connection, session.user.id, lock=True)
            now = self._now()
            if me is None or not who_may.may_act(me, room, device, press.action, now=now, local=press.local):
                raise HomeError("forbidden")
            if (await lockdown_rows.read(connection)).active:
                raise HomeError("lockdown")
            if not two_persons.asks_for_two(found):
                raise HomeError("wish-over", "How it is confirmed has just been changed. Look at it, and press anew.")
            wanted = PendingWish(
                id=press.id,
                room=room,
                device=device,
                action=press.action,
                by=UserRef(id=me.user.id, name=me.user.name),
                pressed_at=press.pressed_at,
                until=now + WAIT,
                value=press.value,
            )
            standing = await pending_rows.of_action(connection, room, device, press.action)
            known = await pending_rows.press_of(connection, me.user.id, press.id)
            if known is not None:
                return _again(known, wanted, standing)
            if press.late:
                raise HomeError("expired", id=press.id, outcome="expired", reason="expired")
            if standing is not None and await self._why_over(connection, standing, press.local) is not None:
                raise HomeError("wish-over")  # within this very moment; the next press finds it gone
            pressed = await self._take_or_put(connection, say, wanted, standing, press, found)
            stands_as = pressed.wish.id if pressed.outcome == "pending" and pressed.wish is not None else press.id
            noted = Known(_fingerprint(wanted), stands_as, pressed.outcome == "agreed")
            await pending_rows.note_press(connection, me.user.id, press.id, noted, now)
            await changed_rights.note_registry(connection)
        self._put_up.set()
        self._wake()
        return pressed

    async def take_back(self, room: str, device: str, wish_id: str, *, by: str, address: str, issuer: str) -> None:
        """Whoever may act on the device, and a master user, may say no to what is pending there.

        Raises HomeError: forbidden, wish-over, no-proof.
        """
        async with self._store.read() as connection:
            person = await user_rows.row_of(connection, by)
        if person is None or person.disabled:
            raise HomeError("forbidden")
        who = telling.by(person.user, address, issuer)
        async with telling.change(self._store, self._proof, who, Severity.INFO) as (connection, say):
            standing = await pending_rows.by_id(connection, room, device, wish_id)
            if standing is None:
                raise HomeError("wish-over")
            wish = standing.wish
            able = who_may.may_act(person, room, device, wish.action, now=self._now())
            if not able and by != wish.by.id and person.user.role is not Role.MASTER:
                raise HomeError("forbidden")
            if not await pending_rows.take(connection, wish):
                raise HomeError("wish-over")
            await say("device:taken-back", f"{room}/{device}", **_told(wish, of=True))
            await changed_rights.note_registry(connection)
        self._wake()

    async def drop_all(self, why: Ended) -> None:
        """Nothing that was pending comes about."""
        async with self._store.read() as connection:
            standing = await pending_rows.everything(connection)
        await self._drop([(one, why) for one in standing])

    async def sweep(self, *, local: datetime | None = None) -> bool:
        """Drop what may not come about any more; whether anything was pending.

        `local`, the moment in the home's zone, judges guests' hours, too.
        """
        async with self._begins:
            if not self._has_begun:
                await self.drop_all("hub-restarted")  # what a former life of this service had pending
                self._has_begun = True
        async with self._store.read() as connection:
            standing = await pending_rows.everything(connection)
            over = [(one, why) for one in standing if (why := await self._why_over(connection, one, local)) is not None]
        await self._drop(over)
        return bool(standing)

    async def run(self) -> None:
        """Look after what is pending until cancelled; while nothing is, wait for the next press."""
        while True:
            self._put_up.clear()
            is_pending = True
            try:
                is_pending = await self.sweep()
            except HomeError as error:
                log.warning("Pending wishes not looked after", extra=facts(reason=error))
            await (asyncio.sleep(_PATROL_SECONDS) if is_pending else self._put_up.wait())

    async def _take_or_put(
        self,
        connection: AsyncConnection,
        say: Say,
        wanted: PendingWish,
        standing: Standing | None,
        press: Press,
        found: RegisteredDevice,
    ) -> Pressed:
        where = f"{wanted.room}/{wanted.device}"
        before = None if standing is None else standing.wish
        if press.agrees_to is not None and (before is None or before.id != press.agrees_to):
            raise HomeError("wish-over")
        if before is not None and before.by.id != wanted.by.id:
            if before.value != wanted.value:
                raise HomeError("other-wish-pending", value=before.value)
            if not await pending_rows.take(connection, before):
                raise HomeError("wish-over")
            await say("device:agreed", where, command=wanted.id, **_told(before, of=True))
            return Pressed(outcome="agreed", wish=before)
        if before is not None and before.value == wanted.value:
            return Pressed(outcome="pending", wish=before)
        if before is not None:  # the same person's, and they have thought better of it
            await pending_rows.take(connection, before)
        people = await user_rows.all_rows(connection)
        if not any(one.user.id != wanted.by.id and self._may(one, wanted, press.local) for one in people):
            raise HomeError("nobody-to-agree")
        await pending_rows.put(connection, wanted, found.kind)
        await say("device:wished", where, command=wanted.id, **_told(wanted, of=False))
        return Pressed(outcome="pending", wish=wanted)

    def _may(self, person: UserRow, wish: PendingWish, local: datetime) -> bool:
        return who_may.may_act(person, wish.room, wish.device, wish.action, now=self._now(), local=local)

    async def _why_over(self, connection: AsyncConnection, standing: Standing, local: datetime | None) -> Ended | None:
        wish = standing.wish
        known = await room_rows.find(connection, wish.room)
        devices = known.devices if known is not None else ()
        return two_persons.why_over(
            standing,
            next((one for one in devices if one.id == wish.device), None),
            await user_rows.row_of(connection, wish.by.id),
            locked_down=(await lockdown_rows.read(connection)).active,
            now=self._now(),
            local=local,
        )

    async def _drop(self, over: list[tuple[Standing, Ended]]) -> None:
        gone: list[tuple[PendingWish, Ended]] = []
        if not over:
            return
        async with self._store.write() as connection:
            for standing, why in over:
                if await pending_rows.take(connection, standing.wish):
                    gone.append((standing.wish, why))
            if gone:
                await changed_rights.note_registry(connection)
        for wish, why in gone:
            # It is gone, which is the safer state: a full disk does not turn that into an error.
            told = _told(wish, of=True) | {"reason": why}
            await self._proof.note(
                "device:wish-dropped", f"{wish.room}/{wish.device}", Who(issuer=self._issuer), **told
            )
        if gone:
            self._wake()


def _again(known: Known, wanted: PendingWish, standing: Standing | None) -> Pressed:
    """What is answered to an id that pressed before."""
    if known.wish != _fingerprint(wanted):
        raise HomeError("id-reused", id=wanted.id, outcome="rejected", reason="id-reused")
    if known.acted:
        return Pressed(outcome="acted")
    if standing is None or standing.wish.id != known.stands_as:
        raise HomeError(
            "id-used", "That is not pending any more. Nothing was done now; look at the device.", id=wanted.id
        )
    return Pressed(outcome="pending", wish=standing.wish)


def _fingerprint(wish: PendingWish) -> str:
    return msgspec.json.encode((wish.room, wish.device, wish.action, wish.value)).decode()


def _told(wish: PendingWish, *, of: bool) -> dict[str, Any]:
    """An event's detail; `of` names whose wish it is, where somebody else is the one who acts."""
    told = {"action": wish.action.value}
    if wish.value is not None:
        told["value"] = str(wish.value)
    return told | ({"user": wish.by.name, "partner": wish.by.id} if of else {})
