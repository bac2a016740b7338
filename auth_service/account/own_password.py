"""Another password, for who knows the one that there is (ASVS 6.2.2, 6.2.3); every session ends with the old one."""

from collections.abc import Callable
from datetime import datetime

from auth_service.account import new_password, telling
from auth_service.account.current_password import CurrentPassword
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.words.internal import LoginAnswer
from shared.words.internal_account import PasswordChange
from shared.words.problem import HomeError


class OwnPassword:
    """Changes it. `wake` tells the gateways at once which sessions ended; `home_words` are the settings' own."""

    def __init__(
        self,
        store: Store,
        sessions: Sessions,
        passwords: Passwords,
        proof: Proof,
        current: CurrentPassword,
        *,
        limits: session_rows.Limits,
        now: Callable[[], datetime],
        wake: Callable[[], None],
        home_words: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._sessions = sessions
        self._passwords = passwords
        self._proof = proof
        self._current = current
        self._limits = limits
        self._now = now
        self._wake = wake
        self._home_words = home_words

    async def change(self, request: PasswordChange, issuer: str) -> LoginAnswer:
        """The session that goes on, with a token of its own (ASVS 7.2.4); all others of this person have ended.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (the new
        one), no-proof.
        """
        session = await self._sessions.verify(request.token)
        user = session.user
        who = telling.by(user, request.address, issuer)
        stored = await self._current.check(request.current, session, who)
        if await self._passwords.verify(request.new, stored, known=True):
            raise HomeError("invalid-value", "This is the password that you have. Choose another one.", field="new")
        await new_password.check(self._store, request.new, user, self._home_words)
        await self._current.check_code(request.code, session)  # the last of all: what is used up is used up
        hashed = await self._passwords.hash(request.new)
        async with telling.change(self._store, self._proof, who) as (connection, say):
            await user_rows.lock(connection, user.id)
            mine = await session_rows.find(connection, request.token, limits=self._limits, now=self._now(), lock=True)
            if mine is None:
                raise HomeError("sign-in-required")
            if not await user_rows.exchange_password(connection, user.id, stored, hashed):
                raise HomeError("wrong-password")  # another request changed it meanwhile
            await session_rows.end_all(connection, user.id, "password-changed", self._now())
            answer = await session_rows.start(
                connection,
                user,
                address=request.address,
                agent=request.agent,
                limits=self._limits,
                now=self._now(),
                own=mine.own,
                proved_at=mine.proved_at,
            )
            await say("account:password-changed", f"user/{user.id}", user=user.name)
        self._wake()
        return answer
