"""Proving once more who one is: what counts as a proof, for how long, in which session, and what it opens."""

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta
from typing import Any

import msgspec
import pyotp
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.ext.asyncio import AsyncConnection
from webauthn.helpers import bytes_to_base64url

from auth_service.account.confirm_ways import ConfirmWays
from auth_service.account.current_password import CurrentPassword
from auth_service.account.factor_demand import FactorDemand
from auth_service.account.own_factors import OwnFactors
from auth_service.account.own_passkeys import OwnPasskeys
from auth_service.account.own_password import OwnPassword
from auth_service.account.owners import Owners
from auth_service.account.step_up import StepUp
from auth_service.account.tokens import Tokens
from auth_service.confirming.errands import Errands
from auth_service.factors import factor_rows
from auth_service.home.rooms import Rooms
from auth_service.hub.accounts import Accounts
from auth_service.people import changed_rights
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.passkey_sign_in import PasskeySignIn
from auth_service.signing_in.session_rows import PROOF, Limits, is_proved
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import LoginAnswer, LoginRequest, RoomSeen, SessionInfo, User
from shared.words.internal_account import PasswordChange
from shared.words.internal_factors import FactorBegin, FactorConfirm, FactorRemove, RecoveryAsked
from shared.words.internal_passkeys import ChallengeAsked, PasskeyBegin, PasskeyFinish, PasskeyLogin, Site
from shared.words.internal_proofs import ConfirmByChange, DemandChange, DemandState, ProofChallengeAsked, ProofShown
from shared.words.internal_tokens import TokenWish
from shared.words.names import Action, ConfirmBy, Kind, Role, strictest
from shared.words.problem import HomeError
from shared.words.scopes import Allowed
from tests.unit.auth_service.factors.authenticator import Authenticator
from tests.unit.auth_service.parts import EMAIL, PASSWORD, START, Clock, Given, described

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
HERE = "192.0.2.7"
SITE = Site(name="hub.local", origins=("https://hub.local:8443",))
OTHER_PASSWORD = "lanterns over quiet harbours"


class Home:
    """Ada with a session, what she proves herself with, and what asks for it."""

    def __init__(
        self, store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User, errands: Errands
    ) -> None:
        self.store, self.clock, self.ada = store, clock, ada
        self.token, self.rung = "", 0
        self.sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=self._ring)
        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        owners = Owners(self.sessions, current, limits=LIMITS, now=clock)
        self.step_up = StepUp(
            store, self.sessions, passwords, proof, current, limits=LIMITS, now=clock, wake=self._ring
        )
        self.factors = OwnFactors(store, passwords, proof, owners, now=clock)
        self.passkeys = OwnPasskeys(store, passwords, proof, owners, now=clock)
        self.passkey_door = PasskeySignIn(store, passwords, proof, errands, limits=LIMITS, now=clock)
        self.door = SignIn(store, passwords, proof, errands, send=self._lose, limits=LIMITS, now=clock)
        self.password = OwnPassword(store, passwords, proof, owners, wake=self._ring)
        self.tokens = Tokens(store, self.sessions, proof, current, limits=LIMITS, now=clock, wake=self._ring)
        self.demand = FactorDemand(store, self.sessions, proof, now=clock, wake=self._ring)
        self.ways = ConfirmWays(store, self.sessions, proof, now=clock, wake=self._ring)

    async def sit(self, user: User | None = None) -> str:
        """A session that was begun without a strong factor."""
        async with self.store.write() as connection:
            answer = await session_rows.start(
                connection, user or self.ada, address=HERE, agent="Firefox", limits=LIMITS, now=self.clock()
            )
        return answer.token

    async def app(self) -> tuple[pyotp.TOTP, tuple[str, ...]]:
        """An authenticator app, and the recovery codes that came with it."""
        begun = await self.factors.begin(FactorBegin(token=self.token, current=PASSWORD, address=HERE), "gateway")
        app = pyotp.TOTP(begun.secret)
        confirm = FactorConfirm(token=self.token, id=begun.id, code=self.shown(app), address=HERE)
        codes = (await self.factors.confirm(confirm, "gateway")).codes
        self.clock.forward(seconds=30)
        return app, codes

    async def passkey(self) -> Authenticator:
        """A device with a passkey."""
        begun = await self.passkeys.begin(
            PasskeyBegin(token=self.token, current=PASSWORD, site=SITE, address=HERE), "gateway"
        )
        device = Authenticator(SITE.origins[0])
        made = device.make(begun.options)
        await self.passkeys.finish(
            PasskeyFinish(token=self.token, id=begun.id, credential=made, site=SITE, address=HERE), "gateway"
        )
        return device

    def shown(self, app: pyotp.TOTP) -> str:
        """What the app shows now."""
        return app.at(int(self.clock().timestamp()))

    async def prove(self, code: str) -> SessionInfo:
        """By a code; the session goes on under its new token."""
        return self.gone_on(await self.step_up.prove(ProofShown(token=self.token, code=code, address=HERE), "gateway"))

    async def show(self, device: Authenticator) -> ProofShown:
        """A passkey's answer to a challenge of this session."""
        asked = await self.step_up.ask(ProofChallengeAsked(token=self.token, site=SITE))
        return ProofShown(token=self.token, credential=device.show(asked.options), site=SITE, address=HERE)

    def gone_on(self, answer: LoginAnswer) -> SessionInfo:
        """The session under its new token."""
        self.token = answer.token
        return answer.session

    async def proved(self) -> bool:
        """Whether the session is, now."""
        return is_proved(await self.sessions.verify(self.token), self.clock())

    def _ring(self) -> None:
        self.rung += 1

    async def _lose(self, _letter: object) -> None:
        """No letter is looked at here."""


@pytest.fixture
async def home(store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User) -> AsyncIterator[Home]:
    async with asyncio.TaskGroup() as group:
        made = Home(store, proof, passwords, clock, ada, Errands(group))
        made.token = await made.sit()
        yield made


async def test_a_proof_counts_for_five_minutes_in_its_session_alone(home: Home, spool: Spool) -> None:
    app, _ = await home.app()
    other = await home.sit()
    assert not await home.proved()
    assert (await home.prove(home.shown(app))).proved_until == home.clock() + PROOF
    assert await home.proved()
    assert not is_proved(await home.sessions.verify(other), home.clock())
    home.clock.forward(seconds=PROOF.total_seconds() - 1)
    assert await home.proved()
    home.clock.forward(seconds=1)
    assert not await home.proved()
    (told,) = [event for event in spool.pending(100) if event.what == "session:proved"]
    assert told.detail == {"factor": "authenticator app"}
    assert told.who.user is not None
    assert told.who.user.id == home.ada.id


async def test_the_session_goes_on_under_another_token_and_the_former_is_void_everywhere(home: Home) -> None:
    app, _ = await home.app()
    before, former, rung = await home.sessions.verify(home.token), home.token, home.rung
    after = await home.prove(home.shown(app))
    assert (after.id, after.user, after.expires_at) == (before.id, before.user, home.clock() + LIMITS.idle)
    with pytest.raises(HomeError, match="sign-in-required") as caught:
        await home.sessions.verify(former)
    assert caught.value.facts == {"reason": "renewed"}
    assert home.rung == rung + 1, "the gateways are told at once"
    async with home.store.read() as connection:
        assert (await changed_rights.untold(connection))[-1].user_id == home.ada.id


async def test_a_factor_that_is_taken_away_proves_nothing_any_more_in_whatever_session(
    home: Home, accounts: Accounts
) -> None:
    """Whoever has the lost phone showed it a moment ago, in a session of theirs."""
    app, codes = await home.app()
    mine, home.token = home.token, await home.sit()
    await home.prove(home.shown(app))
    (factor,) = (await home.factors.of(mine)).factors
    asked = FactorRemove(token=mine, id=factor.id, current=PASSWORD, code=codes[0], address=HERE)
    await home.factors.remove(asked, "gateway")
    assert not await home.proved()
    async with home.store.read() as connection:
        assert (await changed_rights.untold(connection))[-1].user_id == home.ada.id, "the gateways are told"
    app, _ = await home.app()
    await home.prove(home.shown(app))
    assert await accounts.remove_factors(EMAIL) == 1
    assert not await home.proved(), "nor where the hub took it away"


async def test_a_factor_of_somebody_else_that_is_taken_away_leaves_a_proof(home: Home, accounts: Accounts) -> None:
    app, _ = await home.app()
    await home.prove(home.shown(app))
    await accounts.create_user(email="bob@example.org", name="Bob", password=OTHER_PASSWORD, role=Role.MEMBER)
    assert await accounts.remove_factors("bob@example.org") == 0
    assert await home.proved()


async def test_of_two_requests_with_one_code_one_wins(home: Home) -> None:
    app, codes = await home.app()
    device_token = home.token
    for code in (home.shown(app), codes[0]):
        asked = ProofShown(token=home.token, code=code, address=HERE)
        answers = await asyncio.gather(
            *(home.step_up.prove(asked, "gateway") for _ in range(4)), return_exceptions=True
        )
        (won,) = [one for one in answers if isinstance(one, LoginAnswer)]
        home.gone_on(won)
        with pytest.raises(HomeError, match="confirmation-failed"):
            await home.prove(code)
    assert home.token != device_token


async def test_a_passkey_proves_it_once_for_each_challenge(home: Home) -> None:
    device = await home.passkey()
    asked = await home.step_up.ask(ProofChallengeAsked(token=home.token, site=SITE))
    assert [one["id"] for one in asked.options["allowCredentials"]] == [bytes_to_base64url(device.id)]
    shown = await home.show(device)
    answers = await asyncio.gather(*(home.step_up.prove(shown, "gateway") for _ in range(3)), return_exceptions=True)
    (won,) = [one for one in answers if isinstance(one, LoginAnswer)]
    home.gone_on(won)
    assert await home.proved()
    again = msgspec.structs.replace(shown, token=home.token)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.step_up.prove(again, "gateway")


async def test_a_passkeys_answer_is_good_in_its_session_and_for_its_person(home: Home, accounts: Accounts) -> None:
    device = await home.passkey()
    mine, shown = home.token, await home.show(device)
    home.token = await home.sit()
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.step_up.prove(msgspec.structs.replace(shown, token=home.token), "gateway")
    bea = await accounts.create_user(email="b@example.org", name="B", password=OTHER_PASSWORD, role=Role.MASTER)
    home.token = await home.sit(bea)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.step_up.prove(await home.show(device), "gateway")
    home.token = mine
    sign_in = (await home.passkey_door.ask(ChallengeAsked(browser="b1", site=SITE))).options
    with pytest.raises(HomeError, match="confirmation-failed"):  # asked for by the sign-in page, not here
        await home.step_up.prove(
            ProofShown(token=home.token, credential=device.show(sign_in), site=SITE, address=HERE), "gateway"
        )
    assert not await home.proved()


async def test_who_has_no_strong_factor_is_told_to_add_one(home: Home) -> None:
    with pytest.raises(HomeError, match="step-up-required: You have no passkey"):
        await home.prove("123456")


async def test_nobody_guesses_a_code(home: Home) -> None:
    app, codes = await home.app()
    good = home.shown(app)
    for _ in range(10):
        with pytest.raises(HomeError, match="confirmation-failed"):
            await home.prove(f"{(int(good) + 1) % 1_000_000:06}")
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.prove(good)
    await home.prove(codes[0])  # what cannot be guessed is heard still
    home.token = await home.sit()
    await home.prove(good)  # and whoever guesses in one session keeps the owner out of none


async def test_signing_in_by_a_strong_factor_is_a_proof_and_by_mail_it_is_none(home: Home) -> None:
    app, _ = await home.app()
    wanted = LoginRequest(email=EMAIL, password=PASSWORD, code=home.shown(app), browser="b1", address=HERE)
    assert (await home.door.enter(wanted, "gateway")).session.proved_until == home.clock() + PROOF
    home.clock.forward(seconds=60)
    await home.prove(home.shown(app))
    device = await home.passkey()
    options = (await home.passkey_door.ask(ChallengeAsked(browser="b1", site=SITE))).options
    answer = await home.passkey_door.enter(
        PasskeyLogin(credential=device.show(options), browser="b1", site=SITE, address=HERE), "gateway"
    )
    assert answer.session.proved_until == home.clock() + PROOF
    assert (await home.sessions.verify(await home.sit())).proved_until is None


async def test_a_letter_tells_of_each_recovery_code_wherever_it_was_typed(home: Home, spool: Spool) -> None:
    _, codes = await home.app()
    (factor,) = (await home.factors.of(home.token)).factors
    wish = TokenWish(
        session=home.token,
        current=PASSWORD,
        code=codes[0],
        name="Panel",
        scope=(Allowed(room="hall", device="lamp", actions=(Action.ON,)),),
        expires_at=home.clock() + timedelta(days=1),
        address=HERE,
    )
    await home.tokens.make(wish, "gateway")
    change = PasswordChange(token=home.token, current=PASSWORD, new=OTHER_PASSWORD, code=codes[1], address=HERE)
    token = (await home.password.change(change, "gateway")).token
    gone = FactorRemove(token=token, id="none", current=OTHER_PASSWORD, code=codes[2], address=HERE)
    with pytest.raises(HomeError, match="not-found"):  # it is used up all the same
        await home.factors.remove(gone, "gateway")
    home.token = token
    await home.prove(codes[3])
    used = [event for event in spool.pending(1000) if event.what == "account:recovery-used"]
    assert [event.detail["left"] for event in used] == ["9", "8", "7", "6"]
    assert {event.severity.value for event in used} == {"security"}
    assert {event.who.address for event in used} == {HERE}
    await home.factors.remove(
        FactorRemove(token=home.token, id=factor.id, current=OTHER_PASSWORD, address=HERE), "gateway"
    )


async def test_what_a_recovery_code_proved_ends_in_every_session_as_others_take_its_place(home: Home) -> None:
    _, codes = await home.app()
    mine, home.token = home.token, await home.sit()
    await home.prove(codes[0])  # whoever found the list
    asked = RecoveryAsked(token=mine, current=PASSWORD, code=codes[1], address=HERE)
    await home.factors.renew_recovery(asked, "gateway")
    assert not await home.proved()
    async with home.store.read() as connection:
        assert home.ada.id in [one.user_id for one in await changed_rights.untold(connection)], "gateways hear of it"


@pytest.mark.parametrize("step", range(3))
@pytest.mark.parametrize("by", ["app", "recovery code", "passkey"])
async def test_what_is_taken_away_while_it_is_shown_proves_nothing(
    home: Home, monkeypatch: pytest.MonkeyPatch, by: str, step: int
) -> None:
    app, codes = await home.app()
    shown = ProofShown(token=home.token, code=home.shown(app) if by == "app" else codes[1], address=HERE)
    if by == "passkey":
        await home.prove(codes[0])
        shown = await home.show(await home.passkey())
    held = (await home.factors.of(home.token)).factors
    write, steps = home.store.write, itertools.count()

    async def take_away() -> None:
        async with write() as connection:
            if by == "recovery code":
                await factor_rows.put_recovery(connection, home.ada.id, ["another"])
            else:
                await factor_rows.remove(connection, home.ada.id, held[-1].id)

    @contextlib.asynccontextmanager
    async def interrupted() -> AsyncIterator[AsyncConnection]:
        async with write() as connection:
            yield connection
        if next(steps) == step:
            await take_away()

    monkeypatch.setattr(home.store, "write", interrupted)
    with contextlib.suppress(HomeError):
        home.gone_on(await home.step_up.prove(shown, "gateway"))
    if next(steps) <= step:
        await take_away()  # it took fewer steps than that
    assert not await home.proved()


@pytest.mark.parametrize("what", ["begin", "confirm", "remove", "renew", "passkey", "finish"])
async def test_a_session_that_ends_while_the_password_is_looked_at_changes_no_factor(
    home: Home, monkeypatch: pytest.MonkeyPatch, spool: Spool, what: str
) -> None:
    _, codes = await home.app()
    (factor,) = (await home.factors.of(home.token)).factors
    said = {"token": home.token, "current": PASSWORD, "code": codes[0], "address": HERE}
    begun = await home.factors.begin(FactorBegin(**said), "gateway")
    said["code"] = codes[1]
    made = await home.passkeys.begin(PasskeyBegin(site=SITE, **said), "gateway")
    code, credential = home.shown(pyotp.TOTP(begun.secret)), Authenticator(SITE.origins[0]).make(made.options)
    said["code"] = codes[2]
    asking: dict[str, Callable[[], Awaitable[object]]] = {
        "begin": lambda: home.factors.begin(FactorBegin(**said), "gateway"),
        "confirm": lambda: home.factors.confirm(
            FactorConfirm(token=home.token, id=begun.id, code=code, address=HERE), "gateway"
        ),
        "remove": lambda: home.factors.remove(FactorRemove(id=factor.id, **said), "gateway"),
        "renew": lambda: home.factors.renew_recovery(RecoveryAsked(**said), "gateway"),
        "passkey": lambda: home.passkeys.begin(PasskeyBegin(site=SITE, **said), "gateway"),
        "finish": lambda: home.passkeys.finish(
            PasskeyFinish(token=home.token, id=made.id, credential=credential, site=SITE, address=HERE), "gateway"
        ),
    }
    before, verify = len(spool.pending(500)), home.sessions.verify

    async def ending(token: str, address: str = "") -> SessionInfo:
        found = await verify(token, address)
        async with home.store.write() as connection:
            await session_rows.end_all(connection, home.ada.id, "password-changed", home.clock())
        return found

    monkeypatch.setattr(home.sessions, "verify", ending)
    with pytest.raises(HomeError, match="sign-in-required"):
        await asking[what]()
    told = {event.what for event in spool.pending(500)[before:]}
    assert told <= {"account:recovery-used"}, "which is used up all the same"


async def test_a_recovery_code_is_told_of_before_it_is_gone(home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    _, codes = await home.app()
    left: list[int] = []
    tell = Proof.write_or_owe

    async def looking(proof: Proof, *what: Any, **more: Any) -> None:
        async with home.store.read() as connection:  # beside the transaction, as after a kill in it
            left.append(await factor_rows.recovery_left(connection, home.ada.id))
        await tell(proof, *what, **more)

    monkeypatch.setattr(Proof, "write_or_owe", looking)
    await home.prove(codes[0])
    assert left == [10]
    async with home.store.read() as connection:
        assert await factor_rows.recovery_left(connection, home.ada.id) == 9


async def test_password_and_tokens_ask_for_the_factor_too(home: Home) -> None:
    app, codes = await home.app()
    change = PasswordChange(token=home.token, current=PASSWORD, new=OTHER_PASSWORD, address=HERE)
    wish = TokenWish(
        session=home.token,
        current=PASSWORD,
        name="Panel",
        scope=(Allowed(room="hall", device="lamp", actions=(Action.ON,)),),
        expires_at=home.clock() + timedelta(days=1),
        address=HERE,
    )
    for asking in (home.password.change(change, "gateway"), home.tokens.make(wish, "gateway")):
        with pytest.raises(HomeError, match="confirmation-failed") as caught:
            await asking
        assert caught.value.facts["field"] == "code"
    await home.tokens.make(msgspec.structs.replace(wish, code=codes[0]), "gateway")
    with pytest.raises(HomeError, match="invalid-value"):  # and a code is not used up for what cannot be
        await home.password.change(msgspec.structs.replace(change, new="short", code=codes[1]), "gateway")
    await home.prove(codes[1])
    await home.tokens.make(msgspec.structs.replace(wish, session=home.token), "gateway")
    answer = await home.password.change(msgspec.structs.replace(change, token=home.token), "gateway")
    assert home.gone_on(answer).proved_until == home.clock() + PROOF, "the proof goes on with the session"
    assert await home.proved()
    (factor,) = (await home.factors.of(home.token)).factors
    home.clock.forward(minutes=5)
    removal = FactorRemove(token=home.token, id=factor.id, current=OTHER_PASSWORD, address=HERE)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.factors.remove(removal, "gateway")
    await home.prove(home.shown(app))
    await home.factors.remove(msgspec.structs.replace(removal, token=home.token), "gateway")


# how a device is confirmed


SEEN = RoomSeen(
    name="Hall",
    devices=(
        described("door", Kind.LOCK, critical=True),
        described("lamp", Kind.SWITCH, critical=False),
        described("bell", Kind.BUTTON, critical=False),
    ),
)


@pytest.fixture
async def rooms(home: Home, proof: Proof, accounts: Accounts, clock: Clock) -> Rooms:
    await accounts.enrol_identity("hall", "room")
    made = Rooms(home.store, proof, Given(), now=clock)
    await made.seen("hall", SEEN, "gateway")
    return made


async def ways_of(rooms: Rooms) -> dict[str, ConfirmBy]:
    (room,) = (await rooms.registry()).rooms
    return {device.id: device.confirm_by for device in room.devices}


async def decide(home: Home, device: str, way: ConfirmBy) -> None:
    wanted = ConfirmByChange(token=home.token, confirm_by=way, address=HERE)
    await home.ways.change("hall", device, wanted, "gateway")


async def test_the_master_user_has_a_device_confirmed_and_takes_that_back_when_proved(
    home: Home, rooms: Rooms, spool: Spool
) -> None:
    app, _ = await home.app()
    await decide(home, "door", ConfirmBy.STEP_UP)
    await decide(home, "door", ConfirmBy.STEP_UP)
    assert (await ways_of(rooms))["door"] is ConfirmBy.STEP_UP
    for way in (ConfirmBy.DIALOG, ConfirmBy.NONE):
        with pytest.raises(HomeError, match="step-up-required"):
            await decide(home, "door", way)
    await home.prove(home.shown(app))
    await decide(home, "door", ConfirmBy.DIALOG)
    home.clock.forward(minutes=6)
    await decide(home, "door", ConfirmBy.NONE)
    told = [(event.what, event.detail) for event in spool.pending(100) if event.what.startswith("device:confirm")]
    assert told == [
        ("device:confirm-tightened", {"stands": "step-up", "before": "none"}),
        ("device:confirm-loosened", {"stands": "dialog", "before": "step-up"}),
        ("device:confirm-loosened", {"stands": "none", "before": "dialog"}),
    ]
    async with home.store.read() as connection:
        noted = [one.user_id for one in await changed_rights.untold(connection)]
    assert noted.count(changed_rights.REGISTRY) == 3, "every gateway reads the registry anew"


async def test_what_is_not_for_that_is_refused_and_a_description_changes_nothing_of_it(
    home: Home, rooms: Rooms, accounts: Accounts
) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        await decide(home, "lamp", ConfirmBy.STEP_UP)
    with pytest.raises(HomeError, match="invalid-value"):
        await decide(home, "bell", ConfirmBy.DIALOG)
    with pytest.raises(HomeError, match="unknown-device"):
        await decide(home, "attic", ConfirmBy.DIALOG)
    await decide(home, "lamp", ConfirmBy.DIALOG)
    await decide(home, "door", ConfirmBy.STEP_UP)
    renamed = msgspec.structs.replace(SEEN, name="Entrance", devices=tuple(reversed(SEEN.devices)))
    await rooms.seen("hall", renamed, "gateway")
    assert await ways_of(rooms) == {"door": ConfirmBy.STEP_UP, "lamp": ConfirmBy.DIALOG, "bell": ConfirmBy.NONE}
    member = await accounts.create_user(email="m@example.org", name="M", password=OTHER_PASSWORD, role=Role.MEMBER)
    home.token = await home.sit(member)
    with pytest.raises(HomeError, match="forbidden"):
        await decide(home, "door", ConfirmBy.DIALOG)


async def test_a_strong_factor_is_demanded_of_everyone_and_nobody_is_shut_out(
    home: Home, accounts: Accounts, spool: Spool
) -> None:
    app, _ = await home.app()
    bea = await accounts.create_user(email="b@example.org", name="B", password=OTHER_PASSWORD, role=Role.MEMBER)
    theirs = await home.sit(bea)
    wanted = DemandChange(token=home.token, demanded=True, address=HERE)
    with pytest.raises(HomeError, match="step-up-required"):
        await home.demand.change(wanted, "gateway")
    with pytest.raises(HomeError, match="forbidden"):
        await home.demand.change(msgspec.structs.replace(wanted, token=theirs), "gateway")
    await home.prove(home.shown(app))
    wanted = msgspec.structs.replace(wanted, token=home.token)
    for _ in range(2):
        assert await home.demand.change(wanted, "gateway") == DemandState(demanded=True, without=(bea.id,))
    assert not (await home.sessions.verify(home.token)).owes_factor
    assert (await home.sessions.verify(theirs)).owes_factor
    async with home.store.read() as connection:
        assert bea.id in {one.user_id for one in await changed_rights.untold(connection)}
    (factor,) = (await home.factors.of(home.token)).factors
    with pytest.raises(HomeError, match="factor-required"):
        await home.factors.remove(
            FactorRemove(token=home.token, id=factor.id, current=PASSWORD, address=HERE), "gateway"
        )
    mine, home.token = home.token, theirs
    begun = await home.factors.begin(FactorBegin(token=theirs, current=OTHER_PASSWORD, address=HERE), "gateway")
    code = home.shown(pyotp.TOTP(begun.secret))
    await home.factors.confirm(FactorConfirm(token=theirs, id=begun.id, code=code, address=HERE), "gateway")
    assert not (await home.sessions.verify(theirs)).owes_factor
    home.token = mine
    await home.demand.change(msgspec.structs.replace(wanted, demanded=False), "gateway")
    await home.factors.remove(FactorRemove(token=home.token, id=factor.id, current=PASSWORD, address=HERE), "gateway")
    assert not (await home.sessions.verify(home.token)).owes_factor
    told = [event.what for event in spool.pending(100) if event.where == "home"]
    assert told == ["home:factor-demanded", "home:factor-not-demanded"]


@given(st.lists(st.sampled_from(ConfirmBy), min_size=1))
def test_the_strictest_stands(ways: list[ConfirmBy]) -> None:
    rising = (ConfirmBy.NONE, ConfirmBy.DIALOG, ConfirmBy.APPOINTMENT, ConfirmBy.STEP_UP, ConfirmBy.TWO_PERSONS)
    ranks = {way: rank for rank, way in enumerate(rising)}
    assert ranks[strictest(*ways)] == max(ranks[way] for way in ways)


def test_a_proof_ends_to_the_second() -> None:
    person = User(id="u1", name="Ada", email=EMAIL, role=Role.MASTER)
    info = SessionInfo(id="s", user=person, grants=(), expires_at=START, proved_until=START)
    assert is_proved(info, START - timedelta(microseconds=1))
    assert not is_proved(info, START)
