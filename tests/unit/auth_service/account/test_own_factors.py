"""A strong factor from setting it up to losing it: mail is no way round it, and each code signs in once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pyotp
import pytest

from auth_service.account.current_password import CurrentPassword
from auth_service.account.own_factors import OwnFactors
from auth_service.account.owners import Owners
from auth_service.confirming.errands import Errands
from auth_service.hub.accounts import Accounts
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import LoginAnswer, LoginCodeRequest, LoginRequest, User
from shared.words.internal_factors import FactorBegin, FactorConfirm, FactorRemove, RecoveryAsked
from shared.words.names import Severity
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Postman, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
HERE = "192.0.2.7"


class Home:
    """Ada with a session, her apps, and the door."""

    def __init__(self, store: Store, ada: User, clock: Clock, own: OwnFactors, door: SignIn, errands: Errands) -> None:
        self.store = store
        self.ada = ada
        self.clock = clock
        self.own = own
        self.door = door
        self.errands = errands
        self.postman = Postman()
        self.token = ""

    async def sit(self) -> None:
        """A session, however it was begun."""
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, self.ada, address=HERE, agent="Firefox", limits=LIMITS, now=self.clock()
            )
        self.token = answer.token

    async def add(self, name: str = "Phone", code: str = "") -> tuple[pyotp.TOTP, tuple[str, ...]]:
        """An app, set up to the end, and the recovery codes that came with it; `code`: of one that there is."""
        begun = await self.own.begin(
            FactorBegin(token=self.token, current=PASSWORD, code=code, name=name, address=HERE), "gateway"
        )
        app = pyotp.TOTP(begun.secret)
        confirm = FactorConfirm(token=self.token, id=begun.id, code=self.shown(app), address=HERE)
        return app, (await self.own.confirm(confirm, "gateway")).codes

    def shown(self, app: pyotp.TOTP) -> str:
        """What the app shows now."""
        return app.at(int(self.clock().timestamp()))

    async def ask(self, browser: str = "b1") -> int:
        """Step 1 of signing in; how many letters went out for it."""
        before = len(self.postman.letters)
        await self.door.ask_code(
            LoginCodeRequest(email=EMAIL, password=PASSWORD, browser=browser, address=HERE), "gateway"
        )
        await self.errands.settled()
        return len(self.postman.letters) - before

    async def enter(self, code: str, password: str = PASSWORD, known: str = "") -> LoginAnswer:
        """Step 2."""
        wanted = LoginRequest(email=EMAIL, password=password, code=code, browser="b1", address=HERE, known=known)
        try:
            return await self.door.enter(wanted, "gateway")
        finally:
            await self.errands.settled()

    async def refuses(self, code: str, password: str = PASSWORD, known: str = "") -> bool:
        """Whether step 2 fails, alike whatever was wrong."""
        try:
            await self.enter(code, password, known)
        except HomeError as error:
            return error.document("x") == HomeError("sign-in-failed").document("x")
        return False


@pytest.fixture
async def home(store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User) -> AsyncIterator[Home]:
    sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        owners = Owners(sessions, current, limits=LIMITS, now=clock)
        own = OwnFactors(store, passwords, proof, owners, now=clock)

        async def send(letter: object) -> None:
            await made.postman(letter)  # type: ignore[arg-type]  # a Letter

        door = SignIn(store, passwords, proof, errands, send=send, limits=LIMITS, now=clock)
        made = Home(store, ada, clock, own, door, errands)
        await made.sit()
        yield made


def told(spool: Spool, what: str) -> list[dict[str, str]]:
    """The details of such events."""
    return [event.detail for event in spool.pending(500) if event.what == what]


async def test_the_app_signs_in_and_mail_does_not_any_more(home: Home, spool: Spool) -> None:
    assert await home.ask() == 1
    mailed = home.postman.code
    app, codes = await home.add()
    assert len(codes) == 10
    assert await home.refuses(mailed), "a letter that was on its way is of no use"
    assert await home.ask() == 0
    home.clock.forward(seconds=30)
    assert (await home.enter(home.shown(app))).session.user == home.ada
    assert told(spool, "account:factor-added") == [{"user": "Ada Lovelace", "factor": "authenticator app"}]
    assert told(spool, "session:started")[-1]["factor"] == "authenticator app"


async def test_each_code_signs_in_once_however_many_try(home: Home) -> None:
    app, codes = await home.add()
    assert await home.refuses(home.shown(app)), "the one that confirmed it is used"
    home.clock.forward(seconds=30)
    for code in (home.shown(app), codes[0]):
        answers = await asyncio.gather(*(home.enter(code) for _ in range(5)), return_exceptions=True)
        assert len([one for one in answers if isinstance(one, LoginAnswer)]) == 1
        assert await home.refuses(code)
    home.clock.forward(seconds=-30)
    assert await home.refuses(home.shown(app)), "an earlier one is none after a later one"


async def test_a_recovery_code_needs_the_password_too(home: Home, spool: Spool) -> None:
    _, codes = await home.add()
    assert await home.refuses(codes[3], password="not the password")
    await home.enter(codes[3].lower().replace("-", ""))
    assert (await home.own.of(home.token)).recovery_left == 9
    assert told(spool, "session:started")[-1]["factor"] == "recovery code"
    (used,) = [event for event in spool.pending(1000) if event.what == "account:recovery-used"]
    assert (used.severity, used.detail) == (Severity.SECURITY, {"user": "Ada Lovelace", "left": "9"})
    assert used.who.user is not None


async def test_nobody_guesses_a_code_and_known_browsers_are_counted_apart(home: Home) -> None:
    app, _ = await home.add()
    home.clock.forward(seconds=30)
    good = home.shown(app)
    bad = f"{(int(good) + 1) % 1_000_000:06}"
    for _ in range(10):
        assert await home.refuses(bad)
    assert await home.refuses(good), "past ten none is right"
    await home.enter(good, known="k1")
    home.clock.forward(minutes=10)
    await home.enter(home.shown(app))


async def test_who_has_not_the_password_keeps_nobody_out(home: Home) -> None:
    app, codes = await home.add()
    home.clock.forward(seconds=30)
    for _ in range(12):
        assert await home.refuses("000000", password="not the password")
    await home.enter(home.shown(app))
    for _ in range(12):
        assert await home.refuses("nonsense")
    await home.enter(codes[0])  # who has the password may guess: what cannot be guessed is heard still


async def test_what_was_begun_counts_for_nothing(home: Home) -> None:
    begun = await home.own.begin(FactorBegin(token=home.token, current=PASSWORD, address=HERE), "gateway")
    assert await home.ask() == 1
    assert await home.refuses(home.shown(pyotp.TOTP(begun.secret)))
    await home.enter(home.postman.code)
    home.clock.forward(minutes=10)
    late = FactorConfirm(token=home.token, id=begun.id, code=home.shown(pyotp.TOTP(begun.secret)), address=HERE)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.own.confirm(late, "gateway")
    assert (await home.own.of(home.token)).factors == ()


async def test_it_is_confirmed_once_and_by_its_owner(home: Home, accounts: Accounts) -> None:
    begun = await home.own.begin(FactorBegin(token=home.token, current=PASSWORD, address=HERE), "gateway")
    good = FactorConfirm(token=home.token, id=begun.id, code=home.shown(pyotp.TOTP(begun.secret)), address=HERE)
    ada, mine = home.ada, home.token
    home.ada = await accounts.create_user(
        email="b@example.org", name="B", password="lanterns over quiet harbours", role=ada.role
    )
    await home.sit()
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.own.confirm(FactorConfirm(token=home.token, id=begun.id, code=good.code, address=HERE), "gateway")
    home.ada, home.token = ada, mine
    answers = await asyncio.gather(*(home.own.confirm(good, "gateway") for _ in range(3)), return_exceptions=True)
    assert [isinstance(one, HomeError) for one in answers].count(True) == 2


async def test_with_the_last_app_go_the_recovery_codes_and_mail_works_again(home: Home, spool: Spool) -> None:
    _, codes = await home.add("Phone")
    home.clock.forward(seconds=1)
    _, none = await home.add("Tablet", codes[8])
    assert none == (), "codes come with the first one"
    phone, tablet = (await home.own.of(home.token)).factors
    assert (phone.name, tablet.name) == ("Phone", "Tablet")
    for factor, code, left in ((phone, codes[9], 8), (tablet, codes[7], 0)):
        with pytest.raises(HomeError, match="wrong-password"):
            await home.own.remove(FactorRemove(token=home.token, id=factor.id, current="no", address=HERE), "gateway")
        without = FactorRemove(token=home.token, id=factor.id, current=PASSWORD, address=HERE)
        for wrong in ("", "000000", codes[8]):
            with pytest.raises(HomeError, match="confirmation-failed") as caught:
                await home.own.remove(msgspec.structs.replace(without, code=wrong), "gateway")
            assert caught.value.facts["field"] == "code"
        asked = msgspec.structs.replace(without, code=code)
        await home.own.remove(asked, "gateway")
        assert (await home.own.of(home.token)).recovery_left == left
        with pytest.raises(HomeError, match="confirmation-failed" if left else "not-found"):
            await home.own.remove(asked, "gateway")
    assert await home.refuses(codes[0])
    assert await home.ask() == 1
    await home.enter(home.postman.code)
    assert len(told(spool, "account:factor-removed")) == 2


async def test_other_recovery_codes_make_the_former_void(home: Home) -> None:
    asked = RecoveryAsked(token=home.token, current=PASSWORD, address=HERE)
    with pytest.raises(HomeError, match="invalid-value"):
        await home.own.renew_recovery(asked, "gateway")
    _, former = await home.add()
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.own.renew_recovery(asked, "gateway")
    codes = (await home.own.renew_recovery(msgspec.structs.replace(asked, code=former[5]), "gateway")).codes
    assert not set(codes) & set(former)
    assert await home.refuses(former[0])
    await home.enter(codes[0])


async def test_without_proof_no_factor_is_added_or_removed(home: Home, tmp_path: Path) -> None:
    _, codes = await home.add()
    (factor,) = (await home.own.of(home.token)).factors
    begun = await home.own.begin(
        FactorBegin(token=home.token, current=PASSWORD, code=codes[0], address=HERE), "gateway"
    )
    fill(tmp_path / "spool.sqlite3")
    code = home.shown(pyotp.TOTP(begun.secret))
    with pytest.raises(HomeError, match="no-proof"):
        await home.own.confirm(FactorConfirm(token=home.token, id=begun.id, code=code, address=HERE), "gateway")
    with pytest.raises(HomeError, match="no-proof"):
        await home.own.remove(
            FactorRemove(token=home.token, id=factor.id, current=PASSWORD, code=codes[1], address=HERE), "gateway"
        )
    assert (await home.own.of(home.token)).factors == (factor,)


async def test_who_lost_everything_is_helped_at_the_hub_alone(home: Home, accounts: Accounts, spool: Spool) -> None:
    _, codes = await home.add()
    assert await accounts.remove_factors(EMAIL) == 1
    assert await accounts.remove_factors(EMAIL) == 0, "a second time changes nothing"
    assert [detail["factor"] for detail in told(spool, "account:factor-removed")] == ["all"]
    assert await home.refuses(codes[0])
    assert await home.ask() == 1
    await home.enter(home.postman.code)


async def test_a_new_password_from_the_hub_leaves_the_factor(home: Home, accounts: Accounts) -> None:
    app, _ = await home.add()
    await accounts.set_password(EMAIL, "lanterns over quiet harbours")
    home.clock.forward(seconds=30)
    assert await home.refuses("ABCD-2345", "lanterns over quiet harbours")
    await home.enter(home.shown(app), "lanterns over quiet harbours")
