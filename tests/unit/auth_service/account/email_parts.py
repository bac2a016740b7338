"""A home whose people change their addresses: what changes them, on real rows and a postman."""

from datetime import timedelta

import pyotp

from auth_service.account.current_password import CurrentPassword
from auth_service.account.farewells import Farewells
from auth_service.account.own_email import OwnEmail
from auth_service.account.own_factors import OwnFactors
from auth_service.account.own_password import OwnPassword
from auth_service.account.owners import Owners
from auth_service.confirming.errands import Errands
from auth_service.home.lockdown import Lockdown
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_lists, session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.keeping.database import Store
from shared.mail import Letter
from shared.words.internal import LoginAnswer, LoginCodeRequest, LoginRequest, User
from shared.words.internal_account import EmailConfirm, EmailState, EmailWanted, EmailWish, PasswordChange
from shared.words.internal_factors import FactorBegin, FactorConfirm
from shared.words.messages import Who
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Postman, code_in

LIMITS = Limits(timedelta(days=20), timedelta(days=40))
HERE, NEW = "192.0.2.7", "ada@elsewhere.example"


class Home:
    """Ada, a postman, and what changes addresses."""

    def __init__(
        self, store: Store, proof: Proof, passwords: Passwords, clock: Clock, user: User, errands: Errands
    ) -> None:
        self.store, self.clock, self.user, self.errands = store, clock, user, errands
        self.post, self.rung = Postman(), 0
        self.sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=self._ring)
        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        owners = Owners(self.sessions, current, limits=LIMITS, now=clock)
        self.farewells = Farewells(store, send=self.post, now=clock)
        self.email = OwnEmail(
            store, passwords, proof, owners, errands, self.farewells, send=self.post, now=clock, wake=self._ring
        )
        self.factors = OwnFactors(store, passwords, proof, owners, now=clock)
        self.password = OwnPassword(store, passwords, proof, owners, wake=self._ring)
        self.lockdown = Lockdown(store, proof, now=clock)
        self.door = SignIn(store, passwords, proof, errands, send=self.post, limits=LIMITS, now=clock)

    def _ring(self) -> None:
        self.rung += 1

    async def sit(self, user: User | None = None) -> str:
        """The token of a new session."""
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, user or self.user, address=HERE, agent="Firefox", limits=LIMITS, now=self.clock()
            )
        return answer.token

    async def begin(self, token: str, email: str = NEW, current: str = PASSWORD, code: str = "") -> EmailWanted:
        """Want another address; letters have gone out afterwards."""
        asked = EmailWish(token=token, current=current, code=code, email=email, address=HERE)
        try:
            return await self.email.begin(asked, "gateway")
        finally:
            await self.errands.settled()

    async def confirm(self, token: str, old: str, new: str, code: str = "") -> LoginAnswer:
        """Type the codes."""
        asked = EmailConfirm(token=token, old_code=old, new_code=new, code=code, address=HERE, agent="Firefox")
        try:
            return await self.email.confirm(asked, "gateway")
        finally:
            await self.errands.settled()

    async def state(self, token: str) -> EmailState:
        """What is under way."""
        return await self.email.state(token)

    async def app(self, token: str) -> tuple[pyotp.TOTP, tuple[str, ...]]:
        """An authenticator app, and the recovery codes that came with it."""
        begun = await self.factors.begin(FactorBegin(token=token, current=PASSWORD, address=HERE), "gateway")
        app = pyotp.TOTP(begun.secret)
        confirm = FactorConfirm(token=token, id=begun.id, code=self.shown(app), address=HERE)
        codes = (await self.factors.confirm(confirm, "gateway")).codes
        self.clock.forward(seconds=30)
        return app, codes

    def shown(self, app: pyotp.TOTP) -> str:
        """What the app shows now."""
        return app.at(int(self.clock().timestamp()))

    async def change_password(self, token: str, new: str) -> LoginAnswer:
        """Another password."""
        wanted = PasswordChange(token=token, current=PASSWORD, new=new, address=HERE)
        return await self.password.change(wanted, "gateway")

    async def lock_down(self) -> None:
        """Everyone is signed out."""
        await self.lockdown.begin(Who(issuer="admin"))

    async def ask_to_sign_in(self, email: str) -> None:
        """A code for signing in."""
        await self.door.ask_code(
            LoginCodeRequest(email=email, password=PASSWORD, browser="b1", address=HERE), "gateway"
        )
        await self.errands.settled()

    async def sign_in(self, email: str, code: str) -> LoginAnswer:
        """With that code."""
        request = LoginRequest(email=email, password=PASSWORD, code=code, browser="b1", address=HERE, agent="")
        try:
            return await self.door.enter(request, "gateway")
        finally:
            await self.errands.settled()

    async def address(self) -> str:
        """Which address the account has."""
        async with self.store.read() as connection:
            row = await user_rows.row_of(connection, self.user.id)
        assert row is not None
        return row.user.email

    async def living(self) -> set[str]:
        """The sessions that live."""
        async with self.store.read() as connection:
            rows = await session_lists.rows_of(connection, self.user.id, limits=LIMITS, now=self.clock())
        return {row.id for row in rows}

    def letters_to(self, email: str) -> list[Letter]:
        """Those that came there."""
        return [letter for letter in self.post.letters if letter.to == email]

    def code(self, email: str) -> str:
        """The code in the last letter to an address."""
        return code_in(self.letters_to(email)[-1].text)

    def codes(self, new: str = NEW) -> tuple[str, str]:
        """Those that came last, to the old address and to the new one."""
        return self.code(EMAIL), self.code(new)
