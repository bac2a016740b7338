"""Another e-mail address of one's own, confirmed at both: a code goes to the present one, and one to the wanted one.

Whoever lost the former mailbox shows a strong factor in its place, one that is older than SETTLED: a stolen session
that knows the password could make one, and the letter about that must have had its time. Nothing tells whether the
wanted address is somebody else's: its code then goes to nobody, and they hear of it (decisions/0049-addresses.md).
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from auth_service.account import another_email, telling
from auth_service.account.farewells import Farewells
from auth_service.account.owners import Owners
from auth_service.confirming import code_rows, codes, letters
from auth_service.confirming.codes import Binding, Purpose
from auth_service.confirming.confirmations import Confirmations, Issued, Send
from auth_service.confirming.errands import Errands
from auth_service.confirming.tries import FailedTries
from auth_service.factors import factor_rows
from auth_service.people import email_rows, user_rows
from auth_service.people.account_fields import checked_email
from auth_service.people.email_rows import Wanted
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in.budgets import Windows
from shared.keeping.database import Store
from shared.running.log import facts
from shared.words.internal import Budget, LoginAnswer, SessionInfo, User
from shared.words.internal_account import EmailConfirm, EmailState, EmailWanted, EmailWish
from shared.words.languages import DEFAULT, Language, Tongue, tongue
from shared.words.messages import Who
from shared.words.problem import HomeError

log = logging.getLogger(__name__)

SETTLED = timedelta(days=7)
"""So old a strong factor must be to do instead of the former mailbox."""
_WISHES = (Budget(5, 3600), Budget(20, 86400))
"""Of one account: each writes to an address that may be a stranger's."""
_OLD, _NEW = "old_code", "new_code"


class OwnEmail:
    """Both steps. `issuer` in its methods is the gateway that asks; `wake` tells the gateways which sessions ended."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        proof: Proof,
        owners: Owners,
        errands: Errands,
        farewells: Farewells,
        *,
        send: Send,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        language: Language = DEFAULT,
    ) -> None:
        self._store = store
        self._proof = proof
        self._owners = owners
        self._errands = errands
        self._farewells = farewells
        self._confirmations = Confirmations(store, passwords, send=send, now=now)
        self._send = send
        self._now = now
        self._wake = wake
        self._language = language
        self._wishes = Windows()
        self._failed = FailedTries("account:confirmation-failed", proof, now=now)

    async def begin(self, asked: EmailWish, issuer: str) -> EmailWanted:
        """Codes for both addresses, whose letters go out after the answer; what was begun before is void.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (`field`
        "email").
        """
        email = _checked(asked.email)
        owner = await self._owners.by_password(asked, issuer)
        user, session = owner.user, owner.session
        if user_rows.email_key(email) == user_rows.email_key(user.email):
            raise HomeError("invalid-value", "This is the address that you have. Type the new one.", field="email")
        self._check_wishes(user)
        await self._owners.by_code(asked.code, session, owner.who)
        self._check_wishes(user)  # others may have come meanwhile
        self._wishes.count(user.id, _WISHES, self._now())
        wanted = Wanted(email, self._now() + codes.LIFETIME)
        async with self._store.write() as connection:
            await self._owners.hold(connection, asked.token, user.id)
            if (former := await email_rows.wanted(connection, session.id, self._now())) is not None:
                await self._confirmations.void(connection, _of_new(session, former.email))
            await email_rows.want(connection, session.id, wanted)
            old = await self._confirmations.put(connection, _of_old(session), address=asked.address)
            new = await self._confirmations.put(connection, _of_new(session, email), address=asked.address)
        self._errands.start(self._write_to_old(old, user, email, asked.address), "mail-code")
        self._errands.start(self._write_to_new(new, user, email), "mail-code")
        return EmailWanted(email=wanted.email, expires_at=wanted.expires_at)

    async def state(self, token: str) -> EmailState:
        """What is under way in the session of that token. Raises HomeError("sign-in-required")."""
        session = await self._owners.signed_in(token)
        async with self._store.read() as connection:
            wanted = await email_rows.wanted(connection, session.id, self._now())
        shown = None if wanted is None else EmailWanted(email=wanted.email, expires_at=wanted.expires_at)
        return EmailState(wanted=shown, instead=await self._is_settled(session.user))

    async def confirm(self, asked: EmailConfirm, issuer: str) -> LoginAnswer:
        """The session that goes on, with a token of its own; all others of this person have ended. Of two at once one.

        Raises HomeError: sign-in-required, confirmation-failed (`field` names which; an address that is somebody else's
        by now is a wrong code), no-proof.
        """
        session = await self._owners.signed_in(asked.token)
        who = telling.by(session.user, asked.address, issuer)
        try:
            wanted, claims = await self._confirmed(asked, session, who)
            answer = await self._change(asked, session, wanted, claims, who)
        except HomeError as error:
            if error.slug == "confirmation-failed":
                where = f"user/{session.user.id}"
                told = facts(event="confirmation_failed", at=where, address=asked.address or "-")
                log.warning("Confirmation failed", extra=told)
                self._errands.start(self._failed.tell(where, who, session.user), "report-failure")
            raise
        self._wake()
        self._errands.start(self._farewells.sweep(), "mail-farewell")
        return answer

    async def sweep(self) -> None:
        """Tell of wrong codes whose window is over."""
        await self._failed.sweep()

    async def _confirmed(
        self, asked: EmailConfirm, session: SessionInfo, who: Who
    ) -> tuple[Wanted, list[code_rows.Claim]]:
        """What is under way, and the codes that are to be used up. A try is spent of each, whichever was wrong."""
        async with self._store.read() as connection:
            wanted = await email_rows.wanted(connection, session.id, self._now())
        # The same statements where nothing is under way.
        new = await self._confirmations.judged(_of_new(session, wanted.email if wanted else ""), asked.new_code)
        old = await self._confirmations.judged(_of_old(session), asked.old_code)
        if asked.old_code and old is None:
            raise _not_right(_OLD)
        if wanted is None or new is None:
            raise _not_right(_NEW)
        if old is not None:
            return wanted, [old, new]
        if not await self._is_settled(session.user):
            raise HomeError("confirmation-failed", "Type the code of the letter to your present address.", field=_OLD)
        await self._owners.by_code(asked.code, session, who)
        return wanted, [new]

    async def _change(
        self, asked: EmailConfirm, session: SessionInfo, wanted: Wanted, claims: list[code_rows.Claim], who: Who
    ) -> LoginAnswer:
        user = session.user
        try:
            async with telling.change(self._store, self._proof, who) as (connection, say):
                mine = await self._owners.hold(connection, asked.token, user.id)
                for claim in claims:
                    if not await code_rows.spend(connection, claim.id):
                        raise _not_right(_NEW)
                if not await email_rows.take(connection, session.id, wanted):
                    raise _not_right(_NEW)
                await another_email.change(connection, user, wanted.email, self._now())
                after = await user_rows.enabled(connection, user.id)
                assert after is not None  # held
                answer = await self._owners.go_on_alone(
                    connection, mine, after, another_email.WHY, address=asked.address, agent=asked.agent
                )
                await say(another_email.WHAT, f"user/{user.id}", user=user.name, email=wanted.email)
        except HomeError as error:
            if error.slug != "already-exists":
                raise
            raise _not_right(_NEW) from error
        return answer

    def _check_wishes(self, user: User) -> None:
        if self._wishes.is_spent(user.id, _WISHES, self._now()):
            raise HomeError("rate-limited", "Too many letters for now. Try again in an hour.", retry_after=3600)

    async def _is_settled(self, user: User) -> bool:
        """Whether they have a strong factor that is old enough; who adds another one has shown that."""
        async with self._store.read() as connection:
            held = await factor_rows.of(connection, user.id)
        return any(one.created_at <= self._now() - SETTLED for one in held)

    async def _write_to_old(self, issued: Issued, user: User, email: str, address: str) -> None:
        letter = letters.old_email_letter(
            to=user, code=issued.code, email=email, address=address, message_id=issued.id, tongue=self._tongue(user)
        )
        await self._confirmations.deliver(issued, letter)

    async def _write_to_new(self, issued: Issued, user: User, email: str) -> None:
        """Looked up here, after the answer: how long that takes tells nothing."""
        async with self._store.read() as connection:
            theirs = await user_rows.find(connection, email)
        if theirs is None:
            letter = letters.new_email_letter(
                to=user, email=email, code=issued.code, message_id=issued.id, tongue=self._tongue(user)
            )
        else:
            letter = letters.taken_email_letter(theirs.user, message_id=issued.id, tongue=self._tongue(theirs.user))
        await self._confirmations.deliver(issued, letter)

    def _tongue(self, user: User) -> Tongue:
        return tongue(user.language or self._language)


def _of_old(session: SessionInfo) -> Binding:
    return Binding(Purpose.OLD_EMAIL, session.user.id, session.id)


def _of_new(session: SessionInfo, email: str) -> Binding:
    return Binding(Purpose.NEW_EMAIL, session.user.id, f"{session.id} {email}")


def _checked(email: str) -> str:
    try:
        return checked_email(email)
    except HomeError as error:
        raise HomeError(error.slug, error.detail, field="email") from error


def _not_right(field: str) -> HomeError:
    return HomeError(
        "confirmation-failed",
        "Check the code. It works once, for ten minutes, and five wrong ones end it: then start over.",
        field=field,
    )
