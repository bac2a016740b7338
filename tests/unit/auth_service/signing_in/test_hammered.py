"""Two hundred addresses hammer an account for a day, each as often as a gateway lets it; its owner signs in at once."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from auth_service.confirming.errands import Errands
from auth_service.hub.codes import HubCodes
from auth_service.people import passwords as passwords_module
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import networks
from auth_service.signing_in.budgets import SLIPS, Asker
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sign_in import SignIn
from gateway.config import LimitsConfig
from gateway.door.limits import Limits as Gateway
from shared.keeping.database import Store
from shared.words import attempts
from shared.words.internal import LoginAnswer, LoginCodeRequest, LoginRequest, Regulation, User
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, Postman

ADDRESSES = [f"198.51.{number}.7" for number in range(200)]
OWNER_ELSEWHERE = "203.0.113.9"
DAY = timedelta(days=1)
TABLE = Gateway(LimitsConfig())
REGULATION = Regulation(letters=TABLE.budgets("login_code_account"), wrong_passwords=TABLE.budgets("wrong_passwords"))
(A_CODE,), (A_LOGIN,) = TABLE.budgets("login_code"), TABLE.budgets("login")


class House:
    """Both steps, as a gateway asks for them."""

    def __init__(self, sign_in: SignIn, errands: Errands, postman: Postman, clock: Clock) -> None:
        self.sign_in = sign_in
        self.errands = errands
        self.postman = postman
        self.clock = clock

    async def ask(self, password: str, address: str, browser: str, known: str = "") -> None:
        """Step 1, and what goes on after its answer."""
        request = LoginCodeRequest(
            email=EMAIL, password=password, browser=browser, address=address, known=known, regulation=REGULATION
        )
        await self.sign_in.ask_code(request, "gateway")
        await self.errands.settled()

    async def enter(self, code: str, address: str, browser: str, known: str = "") -> LoginAnswer:
        """Step 2."""
        request = LoginRequest(
            email=EMAIL,
            password=PASSWORD,
            code=code,
            browser=browser,
            address=address,
            agent="Firefox",
            known=known,
            regulation=REGULATION,
        )
        return await self.sign_in.enter(request, "gateway")

    async def signs_in(self, address: str, browser: str, known: str = "") -> bool:
        """The owner, at the first try: one letter, one code."""
        before = len(self.postman.letters)
        await self.ask(PASSWORD, address, browser, known)
        if len(self.postman.letters) == before:
            return False
        return (await self.enter(self.postman.code, address, browser, known)).session.user.email == EMAIL

    def hammer(self, account: str, times: int) -> None:
        """What so many wrong passwords of each address leave behind."""
        for address in ADDRESSES:
            network = networks.network(address, ipv6_bits=networks.SITE_BITS)
            for _ in range(times):
                self.sign_in._budgets.heard_wrong(Asker(account, "", network), REGULATION, self.clock())


@pytest.fixture
async def house(store: Store, passwords: Passwords, proof: Proof, clock: Clock) -> AsyncIterator[House]:
    postman = Postman()
    async with asyncio.TaskGroup() as group:
        errands = Errands(group)
        limits = Limits(timedelta(hours=12), timedelta(days=7))
        made = SignIn(store, passwords, proof, errands, send=postman, limits=limits, now=clock)
        yield House(made, errands, postman, clock)


async def test_owner_signs_in_at_the_first_try_all_day_long(house: House, ada: User) -> None:
    """In a browser that the account knows, and in a new one from where nobody guesses; once in each window."""
    for address in ADDRESSES:
        await house.ask("blind", address, f"b-{address}")
    assert house.postman.letters == []
    begun, turn, tried = house.clock(), 0, 0
    while house.clock() < begun + DAY:
        # All that a gateway lets through in each hour's first ten minutes, by when what is counted per hour is spent.
        times = A_CODE.most + A_LOGIN.most if turn % 6 == 0 else 1
        house.hammer(ada.id, times)
        tried += times * len(ADDRESSES)
        assert await house.signs_in("198.51.7.7", "phone", known="phone"), "a known browser, even from among them"
        assert await house.signs_in(OWNER_ELSEWHERE, f"new-{turn}"), f"a new browser, at {house.clock()}"
        house.clock.forward(seconds=max(A_CODE.seconds, A_LOGIN.seconds))
        turn += 1
    print(
        f"{tried:,} wrong passwords from {len(ADDRESSES)} addresses; the owner signed in {2 * turn} times of {2 * turn}"
    )
    assert len(house.postman.letters) == 2 * turn, "and nobody else had a letter sent"


async def test_who_guesses_gets_no_letter_even_with_the_right_password_and_the_hub_has_a_code(
    house: House, ada: User, store: Store, passwords: Passwords, proof: Proof
) -> None:
    """Where the owner is among those who guess, with a new browser, mail is closed; the hub's own command is not."""
    house.hammer(ada.id, 1 + SLIPS)
    assert not await house.signs_in(ADDRESSES[3], "new")
    codes = HubCodes(store, passwords, proof, now=house.clock)
    made = await codes.make(attempts.name_of("new"))
    assert (await house.enter(made.code, ADDRESSES[3], "new")).session.user == ada


async def test_passwords_of_who_guesses_wait_behind_one_another_alone(
    house: House, ada: User, passwords: Passwords
) -> None:
    """However many wait there, and whatever accounts they name, others are heard at once."""
    house.hammer("nobody@example.org", SLIPS)
    passwords._waiting[passwords_module._LOUD] = passwords_module._WAITING_MOST
    with pytest.raises(HomeError, match="rate-limited"):
        await house.ask("blind", ADDRESSES[0], "b1")
    assert await house.signs_in(OWNER_ELSEWHERE, "new")
    house.clock.forward(hours=1)
    await house.ask("blind", ADDRESSES[0], "b1")  # quiet again
