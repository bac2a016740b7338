"""Another password, for who knows the one that there is (ASVS 6.2.2, 6.2.3); every session ends with the old one."""

from collections.abc import Callable

from auth_service.account import new_password, telling
from auth_service.account.owners import Owners
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from shared.keeping.database import Store
from shared.words.internal import LoginAnswer
from shared.words.internal_account import PasswordChange
from shared.words.problem import HomeError


class OwnPassword:
    """Changes it. `wake` tells the gateways at once which sessions ended; `home_words` are the settings' own."""

    def __init__(
        self,
        store: Store,
        passwords: Passwords,
        proof: Proof,
        owners: Owners,
        *,
        wake: Callable[[], None],
        home_words: tuple[str, ...] = (),
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._proof = proof
        self._owners = owners
        self._wake = wake
        self._home_words = home_words

    async def change(self, request: PasswordChange, issuer: str) -> LoginAnswer:
        """The session that goes on, with a token of its own (ASVS 7.2.4); all others of this person have ended.

        Raises HomeError: sign-in-required, wrong-password, rate-limited, confirmation-failed, invalid-value (the new
        one), no-proof.
        """
        owner = await self._owners.by_password(request, issuer)
        user = owner.user
        if await self._passwords.verify(request.new, owner.stored, known=True):
            raise HomeError("invalid-value", "This is the password that you have. Choose another one.", field="new")
        await new_password.check(self._store, request.new, user, self._home_words)
        await self._owners.by_code(request.code, owner.session, owner.who)
        hashed = await self._passwords.hash(request.new)
        async with telling.change(self._store, self._proof, owner.who) as (connection, say):
            mine = await self._owners.hold(connection, request.token, user.id)
            if not await user_rows.exchange_password(connection, user.id, owner.stored, hashed):
                raise HomeError("wrong-password")  # another request changed it meanwhile
            answer = await self._owners.go_on_alone(
                connection, mine, user, "password-changed", address=request.address, agent=request.agent
            )
            await say("account:password-changed", f"user/{user.id}", user=user.name)
        self._wake()
        return answer
