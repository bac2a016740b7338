"""What one person wants of a device that does not act at once: put up, agreed to by a second one, or taken back.

Gateways call it for every press at such a device, and carry out what was agreed to; it acts nowhere itself.
"""

from collections.abc import Callable
from datetime import datetime

import msgspec
from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import telling
from auth_service.account.pending_watch import PendingWatch, told
from auth_service.account.telling import Say
from auth_service.home import lockdown_rows, pending_rows, pending_rules, room_rows
from auth_service.home.pending_rows import Known, Standing
from auth_service.people import changed_rights, user_rows
from auth_service.proof import Proof
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words import who_may
from shared.words.internal import RegisteredDevice, SessionInfo, UserRow
from shared.words.messages import UserRef
from shared.words.names import WAITING_WAYS, ConfirmBy, Role, Severity
from shared.words.pending import PendingWish, Press, Pressed
from shared.words.problem import HomeError


class PendingWishes:
    """Presses and what stands, which `watch` looks after. `wake` tells the gateways at once."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        proof: Proof,
        watch: PendingWatch,
        *,
        now: Callable[[], datetime],
        wake: Callable[[], None],
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._proof = proof
        self._watch = watch
        self._now = now
        self._wake = wake

    async def press(self, room: str, device: str, press: Press, issuer: str) -> Pressed:
        """One person's press, in a session of theirs: it puts up what it wants, or agrees to what another person wants.

        Raises HomeError: sign-in-required (a program's token is no session), unknown-device, forbidden, lockdown,
        expired, wish-over, other-wish-pending, nobody-to-agree, id-reused, id-used, no-proof.
        """
        session = await self._sessions.verify(press.token)
        await self._watch.sweep(local=press.local)
        who = telling.by(session.user, press.address, issuer)
        severity = Severity.CRITICAL if press.confirm_by is ConfirmBy.APPOINTMENT else Severity.INFO
        async with telling.change(self._store, self._proof, who, severity) as (connection, say):
            # The room's row is held: of two presses at once the second sees what became of the first.
            _, found = await room_rows.registered(connection, room, device)
            me = await user_rows.row_of(connection, session.user.id, lock=True)
            if not await self._sessions.goes_on(connection, session.id):
                raise HomeError("sign-in-required")
            now = self._now()
            if me is None or not who_may.may_act(me, room, device, press.action, now=now, local=press.local):
                raise HomeError("forbidden")
            if (await lockdown_rows.read(connection)).active:
                raise HomeError("lockdown")
            if found.confirm_by not in WAITING_WAYS or found.confirm_by is not press.confirm_by:
                raise HomeError("wish-over", "How it is confirmed has just been changed. Look at it, and press anew.")
            due, until = pending_rules.until(found, now)
            wanted = PendingWish(
                id=press.id,
                room=room,
                device=device,
                action=press.action,
                by=UserRef(id=me.user.id, name=me.user.name),
                pressed_at=press.pressed_at,
                until=until,
                value=press.value,
                due=due,
            )
            standing = await pending_rows.of_action(connection, room, device, press.action)
            known = await pending_rows.press_of(connection, me.user.id, press.id)
            if known is not None:
                return _again(known, wanted, standing)
            if press.late:
                raise HomeError("expired", id=press.id, outcome="expired", reason="expired")
            if standing is not None and await self._watch.why_over(connection, standing, press.local) is not None:
                raise HomeError("wish-over")  # within this very moment; the next press finds it gone
            pressed = await self._take_or_put(connection, say, wanted, standing, press, found, session)
            stands_as = pressed.wish.id if pressed.outcome == "pending" and pressed.wish is not None else press.id
            noted = Known(_fingerprint(wanted), stands_as, pressed.outcome == "agreed")
            await pending_rows.note_press(connection, me.user.id, press.id, noted, now)
            await changed_rights.note_registry(connection)
        self._watch.put_up()
        self._wake()
        return pressed

    async def take_back(self, room: str, device: str, wish_id: str, *, by: str, address: str, issuer: str) -> None:
        """Whoever may act on the device, and a master user, may say no to what is pending; an appointment's veto.

        Raises HomeError: forbidden, wish-over, no-proof.
        """
        async with self._store.read() as connection:
            person = await user_rows.row_of(connection, by)
            seen = await pending_rows.by_id(connection, room, device, wish_id)
        if person is None or person.disabled:
            raise HomeError("forbidden")
        who = telling.by(person.user, address, issuer)
        is_veto = seen is not None and seen.wish.due is not None
        severity = Severity.CRITICAL if is_veto else Severity.INFO
        async with telling.change(self._store, self._proof, who, severity) as (connection, say):
            standing = await pending_rows.by_id(connection, room, device, wish_id)
            if standing is None or standing.given_at is not None:
                raise HomeError("wish-over")
            wish = standing.wish
            able = who_may.may_act(person, room, device, wish.action, now=self._now())
            if not able and by != wish.by.id and person.user.role is not Role.MASTER:
                raise HomeError("forbidden")
            if not await pending_rows.take(connection, wish):
                raise HomeError("wish-over")
            what = "device:vetoed" if wish.due is not None else "device:taken-back"
            await say(what, f"{room}/{device}", **told(wish, of=True))
            await changed_rights.note_registry(connection)
        self._wake()

    async def _take_or_put(
        self,
        connection: AsyncConnection,
        say: Say,
        wanted: PendingWish,
        standing: Standing | None,
        press: Press,
        found: RegisteredDevice,
        session: SessionInfo,
    ) -> Pressed:
        where = f"{wanted.room}/{wanted.device}"
        before = None if standing is None else standing.wish
        if press.agrees_to is not None and (before is None or before.id != press.agrees_to):
            raise HomeError("wish-over")
        if before is not None and before.by.id != wanted.by.id and before.due is None:
            if before.value != wanted.value:
                raise HomeError("other-wish-pending", value=before.value)
            if not await pending_rows.take(connection, before):
                raise HomeError("wish-over")
            await say("device:agreed", where, command=wanted.id, **told(before, of=True))
            return Pressed(outcome="agreed", wish=before)
        if before is not None and before.value == wanted.value:
            return Pressed(outcome="pending", wish=before)
        if standing is not None and (standing.given_at is not None or standing.wish.by.id != wanted.by.id):
            raise HomeError("other-wish-pending", value=standing.wish.value)
        if before is not None:  # the same person's, and they have thought better of it
            await pending_rows.take(connection, before)
        if wanted.due is not None:
            await pending_rows.put(connection, wanted, found.kind, session.id)
            await say("device:appointed", where, command=wanted.id, **told(wanted, of=False))
            return Pressed(outcome="pending", wish=wanted)
        people = await user_rows.all_rows(connection)
        if not any(one.user.id != wanted.by.id and self._may(one, wanted, press.local) for one in people):
            raise HomeError("nobody-to-agree")
        await pending_rows.put(connection, wanted, found.kind, session.id)
        await say("device:wished", where, command=wanted.id, **told(wanted, of=False))
        return Pressed(outcome="pending", wish=wanted)

    def _may(self, person: UserRow, wish: PendingWish, local: datetime) -> bool:
        return who_may.may_act(person, wish.room, wish.device, wish.action, now=self._now(), local=local)


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
