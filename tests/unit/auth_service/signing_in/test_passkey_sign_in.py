"""A passkey from making it to losing it: it signs in alone, a challenge is answered once, and copies are found out."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest

from auth_service.account.current_password import CurrentPassword
from auth_service.account.own_factors import OwnFactors
from auth_service.account.own_passkeys import OwnPasskeys
from auth_service.account.owners import Owners
from auth_service.confirming.errands import Errands
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.passkey_sign_in import PasskeySignIn
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from auth_service.signing_in.sign_in import SignIn
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import LoginAnswer, LoginCodeRequest, LoginRequest, User
from shared.words.internal_factors import FactorRemove
from shared.words.internal_passkeys import ChallengeAsked, Credential, PasskeyBegin, PasskeyFinish, PasskeyLogin, Site
from shared.words.problem import HomeError
from tests.unit.auth_service.factors.authenticator import Authenticator
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Postman, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
HERE = "192.0.2.7"
SITE = Site(name="hub.local", origins=("https://hub.local:8443",))


class Home:
    """Ada with a session, and what makes and takes passkeys."""

    def __init__(self, own: OwnPasskeys, factors: OwnFactors, door: PasskeySignIn, errands: Errands) -> None:
        self.own = own
        self.factors = factors
        self.door = door
        self.errands = errands
        self.token = ""

    async def begin(self, current: str = PASSWORD, code: str = "") -> tuple[str, dict[str, Any]]:
        """What a browser is to make, and its id here."""
        asked = PasskeyBegin(token=self.token, current=current, code=code, name="Laptop", site=SITE, address=HERE)
        begun = await self.own.begin(asked, "gateway")
        return begun.id, begun.options

    async def finish(self, factor_id: str, made: Credential, site: Site = SITE) -> tuple[str, ...]:
        """The recovery codes that came with it."""
        asked = PasskeyFinish(token=self.token, id=factor_id, credential=made, site=site, address=HERE)
        return (await self.own.finish(asked, "gateway")).codes

    async def made(self, *, counts: bool = True, code: str = "") -> tuple[Authenticator, tuple[str, ...]]:
        """A device with a passkey, and the recovery codes."""
        device = Authenticator(SITE.origins[0], counts=counts)
        factor_id, options = await self.begin(code=code)
        return device, await self.finish(factor_id, device.make(options))

    async def ask(self, browser: str = "b1") -> dict[str, Any]:
        """What a passkey must answer."""
        return (await self.door.ask(ChallengeAsked(browser=browser, site=SITE))).options

    async def enter(self, shown: Credential, browser: str = "b1", site: Site = SITE) -> LoginAnswer:
        """The session that it opens."""
        wanted = PasskeyLogin(credential=shown, browser=browser, site=site, address=HERE, agent="Firefox")
        try:
            return await self.door.enter(wanted, "gateway")
        finally:
            await self.errands.settled()

    async def refuses(self, shown: Credential, browser: str = "b1", site: Site = SITE) -> bool:
        """Whether it opens nothing, alike whatever was wrong."""
        try:
            await self.enter(shown, browser, site)
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
        made = Home(
            OwnPasskeys(store, passwords, proof, owners, now=clock),
            OwnFactors(store, passwords, proof, owners, now=clock),
            PasskeySignIn(store, passwords, proof, errands, limits=LIMITS, now=clock),
            errands,
        )
        async with store.write() as connection:
            answer = await session_rows.start(
                connection, ada, address=HERE, agent="Firefox", limits=LIMITS, now=clock()
            )
        made.token = answer.token
        yield made


def told(spool: Spool, what: str) -> list[dict[str, str]]:
    """The details of such events."""
    return [event.detail for event in spool.pending(500) if event.what == what]


async def test_it_is_made_and_signs_in_alone(home: Home, ada: User, spool: Spool, clock: Clock) -> None:
    device, codes = await home.made()
    assert len(codes) == 10
    clock.forward(minutes=1)
    answer = await home.enter(device.show(await home.ask()))
    assert answer.session.user == ada
    (row,) = (await home.factors.of(home.token)).factors
    assert (row.kind, row.name, row.used_at) == ("passkey", "Laptop", clock())
    assert told(spool, "account:factor-added") == [{"user": ada.name, "factor": "passkey"}]
    assert told(spool, "session:started") == [{"browser": "Firefox", "factor": "passkey"}]
    assert len(told(spool, "session:new-place")) == 1


async def test_what_is_asked_for_is_named(home: Home) -> None:
    _, options = await home.begin()
    chosen = options["authenticatorSelection"]
    assert (chosen["residentKey"], chosen["userVerification"]) == ("required", "required")
    assert options["rp"]["id"] == "hub.local"
    asked = await home.ask()
    assert (asked["userVerification"], asked["rpId"]) == ("required", "hub.local")
    assert not asked.get("allowCredentials"), "nothing tells whose passkeys there are"


async def test_a_device_that_has_one_is_named_so_that_it_makes_no_second(home: Home) -> None:
    device, codes = await home.made()
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.begin()
    _, options = await home.begin(code=codes[0])
    assert [one["id"] for one in options["excludeCredentials"]] == [device.make(options).id]


async def test_of_two_requests_with_one_challenge_one_wins(home: Home) -> None:
    device = Authenticator(SITE.origins[0], counts=False)
    factor_id, options = await home.begin()
    made = device.make(options)
    finished = await asyncio.gather(*(home.finish(factor_id, made) for _ in range(4)), return_exceptions=True)
    assert len([one for one in finished if isinstance(one, tuple)]) == 1
    shown = device.show(await home.ask())
    entered = await asyncio.gather(*(home.enter(shown) for _ in range(4)), return_exceptions=True)
    assert len([one for one in entered if isinstance(one, LoginAnswer)]) == 1
    assert await home.refuses(shown)


async def test_a_challenge_is_for_one_browser_and_ends(home: Home, clock: Clock) -> None:
    device, _ = await home.made()
    options = await home.ask("b1")
    await home.ask("b2")
    assert await home.refuses(device.show(options), "b2"), "another browser's"
    clock.forward(minutes=5)
    assert await home.refuses(device.show(options), "b1"), "too late"
    former = await home.ask("b1")
    await home.ask("b1")
    assert await home.refuses(device.show(former), "b1"), "a newer one was asked for"


async def test_a_copy_that_counts_behind_is_refused_and_one_that_never_counts_is_not(home: Home) -> None:
    device, codes = await home.made()
    for _ in range(3):
        await home.enter(device.show(await home.ask()))
    device.count = 1
    assert await home.refuses(device.show(await home.ask()))
    silent, _ = await home.made(counts=False, code=codes[0])
    for _ in range(2):
        await home.enter(silent.show(await home.ask()))


async def test_what_does_not_fit_is_refused_alike(home: Home) -> None:
    device, _ = await home.made()
    device.verifies = False
    assert await home.refuses(device.show(await home.ask())), "nobody's finger"
    device.verifies = True
    device.origin = "https://hub.local.example:8443"
    assert await home.refuses(device.show(await home.ask())), "another page"
    device.origin = "https://hub.local"
    assert await home.refuses(device.show(await home.ask())), "another port"
    device.origin = SITE.origins[0]
    own, device.user_handle = device.user_handle, "YW5vdGhlcg"
    assert await home.refuses(device.show(await home.ask())), "another person's"
    device.user_handle = own
    shown = device.show(await home.ask())
    for part in ("authenticator_data", "client_data_json", "signature"):
        spoilt = msgspec.structs.replace(shown.response, **{part: "!!!"})
        await home.ask()
        assert await home.refuses(msgspec.structs.replace(shown, response=spoilt)), part
    stranger = Authenticator(SITE.origins[0])
    stranger.user_handle = own
    assert await home.refuses(stranger.show(await home.ask()))
    await home.enter(device.show(await home.ask()))


async def test_making_one_asks_for_the_password_and_for_a_finger(home: Home, clock: Clock) -> None:
    with pytest.raises(HomeError, match="wrong-password"):
        await home.begin(current="a guess at it")
    await home.errands.settled()
    device = Authenticator(SITE.origins[0])
    device.verifies = False
    factor_id, options = await home.begin()
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.finish(factor_id, device.make(options))
    device.verifies = True
    clock.forward(minutes=10)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.finish(factor_id, device.make(options))
    assert (await home.factors.of(home.token)).factors == ()
    assert await home.refuses(device.show(await home.ask())), "what was begun counts for nothing"


async def test_with_a_passkey_no_letter_goes_out_and_a_recovery_code_stands_in(
    home: Home, store: Store, proof: Proof, passwords: Passwords, clock: Clock
) -> None:
    _, codes = await home.made()
    postman = Postman()
    door = SignIn(store, passwords, proof, home.errands, send=postman, limits=LIMITS, now=clock)
    await door.ask_code(LoginCodeRequest(email=EMAIL, password=PASSWORD, browser="b1", address=HERE), "gateway")
    await home.errands.settled()
    assert postman.letters == []
    wanted = LoginRequest(email=EMAIL, password=PASSWORD, code=codes[0], browser="b1", address=HERE)
    await door.enter(wanted, "gateway")


async def test_removed_it_opens_nothing_and_is_recorded_as_what_it_was(home: Home, spool: Spool) -> None:
    device, codes = await home.made()
    (row,) = (await home.factors.of(home.token)).factors
    removal = FactorRemove(token=home.token, id=row.id, current=PASSWORD, code=codes[0], address=HERE)
    await home.factors.remove(removal, "gateway")
    assert await home.refuses(device.show(await home.ask()))
    assert (await home.factors.of(home.token)).recovery_left == 0
    (removed,) = [event for event in spool.pending(500) if event.what == "account:factor-removed"]
    assert removed.detail["factor"] == "passkey"


async def test_without_proof_none_is_made(home: Home, tmp_path: Path) -> None:
    device = Authenticator(SITE.origins[0])
    factor_id, options = await home.begin()
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await home.finish(factor_id, device.make(options))
    assert (await home.factors.of(home.token)).factors == ()
