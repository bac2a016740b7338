"""Invitations: a letter with a link and a code, by which somebody chooses a password and becomes a user, once.

The link names the invitation and opens a page, nothing more: many mailboxes open links by themselves, and addresses
stand in logs. The code is typed there. It goes with the mailbox, so it proves the address as well.
"""

import hmac
import secrets
from collections.abc import Callable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncConnection

from auth_service.account import new_password, telling
from auth_service.account.invitation_letters import InvitationLetters
from auth_service.account.masters import Masters, looks_after
from auth_service.confirming import codes
from auth_service.confirming.confirmations import Send
from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.people import distinct_names, invitation_rows, masters, user_rows
from auth_service.people.account_fields import checked_email, checked_name
from auth_service.people.invitation_rows import Kept, Owed
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.running.log import security
from shared.words.internal import User
from shared.words.internal_people import InvitationRow, InvitationRows, InvitationTaken, Invite, Joined
from shared.words.languages import DEFAULT, Language
from shared.words.messages import UserRef, Who
from shared.words.problem import HomeError

MOST = 50
"""Open ones of a home: a list that nobody can look through tells nobody what to withdraw."""


class Invitations:
    """Makes, lists, withdraws and takes them. `issuer` in its methods is the gateway that asks."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        proof: Proof,
        masters_: Masters,
        errands: Errands,
        *,
        send: Send,
        now: Callable[[], datetime],
        language: Language = DEFAULT,
        home_words: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._proof = proof
        self._masters = masters_
        self._errands = errands
        self._letters = InvitationLetters(store, passwords, errands, send=send, now=now, language=language)
        self._now = now
        self._home_words = home_words
        self._failed = FailedTries("account:invitation-failed", proof, now=now)

    async def invite(self, asked: Invite, issuer: str) -> InvitationRow:
        """A new one, whose letter goes out after the answer; the former one for that address is void.

        Raises HomeError: sign-in-required, forbidden, wrong-password, rate-limited, confirmation-failed, invalid-value
        and already-exists (`field` names which), no-proof.
        """
        invited = _invited(asked)
        asking = await self._masters.confirmed(asked, issuer)
        by, code = asking.user, codes.new()
        async with telling.change(self._store, self._proof, asking.who) as (connection, say):
            await self._masters.hold(connection, asking)
            if await user_rows.find(connection, invited.email) is not None:
                raise HomeError("already-exists", "Somebody with this e-mail address has an account.", field="email")
            await distinct_names.check(connection, invited.name)
            code_hash = self._letters.hashed(invited.id, code)
            row = await invitation_rows.put(
                connection, invited, code_hash=code_hash, invited_by=by.id, home=asked.home, now=self._now()
            )
            if await invitation_rows.count(connection, self._now()) > MOST:
                raise HomeError("invalid-value", "There are many open invitations. Withdraw one first.", field="email")
            await say(
                "account:invited",
                f"user/{invited.id}",
                user=invited.name,
                role=invited.role.value,
                email=invited.email,
                ends=f"{row.expires_at:%Y-%m-%d %H:%M} UTC",
            )
        self._letters.begin(Owed(invited, by.name, asked.home, row.expires_at, code_hash), code)
        return row

    async def of_home(self) -> InvitationRows:
        """Those that may still be taken, newest first."""
        async with self._store.read() as connection:
            return InvitationRows(invitations=await invitation_rows.rows(connection, self._now()))

    async def withdraw(self, invitation_id: str, *, by: str, issuer: str, address: str) -> None:
        """Take one back, as the master user `by` wants. Raises HomeError: forbidden, not-found, no-proof."""
        async with self._store.read() as connection:
            asks = await masters.known(connection, by, looks_after)
        async with telling.change(self._store, self._proof, telling.by(asks, address, issuer)) as (connection, say):
            await masters.held(connection, by, looks_after)
            name = await invitation_rows.withdraw(connection, invitation_id)
            if name is None:
                raise HomeError("not-found", "There is no such invitation; it may have been taken already.")
            await say("account:invitation-withdrawn", f"user/{invitation_id}", user=name)

    async def take(self, asked: InvitationTaken, issuer: str) -> Joined:
        """Whoever has the code becomes a user, of two at once one.

        Raises HomeError: confirmation-failed, always alike, with `field` "code"; invalid-value (the password), with
        which the code is not used up; no-proof.
        """
        kept = await self._fitting(asked, issuer)
        user = kept.user
        await new_password.check(self._store, asked.new, user, self._home_words)
        hashed = await self._passwords.hash(asked.new)
        who = Who(issuer=issuer, user=UserRef(id=user.id, name=user.name), address=asked.address or None)
        try:
            await self._join(kept, hashed, who)
        except HomeError as error:
            if error.slug != "already-exists":
                raise
            raise _not_right() from error
        return Joined(user=user)

    async def sweep(self) -> None:
        """Forget those past their time, tell of wrong codes whose window is over, and send what letters are owed."""
        await self._failed.sweep()
        async with self._store.write() as connection:
            await invitation_rows.drop_expired(connection, self._now())
        await self._letters.sweep()

    async def _fitting(self, asked: InvitationTaken, issuer: str) -> Kept:
        """The invitation that the code is of. Raises confirmation-failed, and counts the try."""
        code = codes.read(asked.code)
        async with self._store.write() as connection:
            kept = await invitation_rows.claim(connection, asked.id, self._now())
            # Computed whether there is one or not: how long it takes tells nothing of that.
            hashed = self._letters.hashed(asked.id, code or "")
            fits = kept is not None and code is not None and hmac.compare_digest(kept.code_hash, hashed)
            if kept is not None and fits:
                await invitation_rows.forgive(connection, kept)
                return kept
        where = f"address/{asked.address}"
        security("invitation_failed", address=asked.address)
        failed = self._failed.tell(where, Who(issuer=issuer, address=asked.address or None), None)
        self._errands.start(failed, "report-failure")
        raise _not_right()

    async def _join(self, kept: Kept, hashed: str, who: Who) -> None:
        user = kept.user
        async with telling.change(self._store, self._proof, who) as (connection, say):
            by = await self._inviter(connection, kept)
            known = await user_rows.find(connection, user.email)
            if by is None or known is not None or not await invitation_rows.use(connection, kept, self._now()):
                raise _not_right()
            await user_rows.add(connection, user, password_hash=hashed, now=self._now())
            await say("account:created", f"user/{user.id}", user=user.name, role=user.role.value)

    async def _inviter(self, connection: AsyncConnection, kept: Kept) -> User | None:
        """Who invited, if they still could: whoever may do so no more lets nobody in."""
        try:
            return await masters.held(connection, kept.invited_by, looks_after)
        except HomeError:
            return None


def _invited(asked: Invite) -> User:
    """Who comes of it. Raises invalid-value, with the field."""
    try:
        email = checked_email(asked.email)
    except HomeError as error:
        raise HomeError(error.slug, error.detail, field="email") from error
    try:
        name = checked_name(asked.name)
    except HomeError as error:
        raise HomeError(error.slug, error.detail, field="name") from error
    return User(id=secrets.token_hex(8), name=name, email=email, role=asked.role, language=asked.language)


def _not_right() -> HomeError:
    return HomeError(
        "confirmation-failed",
        "Check the code. It works once, for 48 hours, and a newer letter makes the former one void.",
        field="code",
    )
