"""Another address of one's own: confirmed at both, once, by its owner, and nobody learns whose an address is."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from auth_service.account.own_email import SETTLED
from auth_service.confirming.errands import Errands
from auth_service.hub.accounts import Accounts
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.store import open_store
from shared.keeping.database import Store
from shared.mail import MailError
from shared.proof.spool import Spool
from shared.words.internal import LoginAnswer, User
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.auth_service.account.email_parts import NEW, Home
from tests.unit.auth_service.parts import EMAIL, MASTER, PASSWORD, Clock, fill

BEN = "ben@example.org"
WRONG = "ABCD-2345"


@pytest.fixture
async def home(store: Store, proof: Proof, passwords: Passwords, clock: Clock, ada: User) -> AsyncIterator[Home]:
    async with asyncio.TaskGroup() as group:
        yield Home(store, proof, passwords, clock, ada, Errands(group))


@pytest.fixture
async def ben(accounts: Accounts, ada: User) -> User:
    return await accounts.create_user(email=BEN, name="Ben", password=PASSWORD, role=Role.MEMBER, language="de")


def told(spool: Spool, what: str) -> list[tuple[str, str, dict[str, str]]]:
    """Outcome, severity and detail of what stands in the spool."""
    return [(e.outcome.value, e.severity.value, e.detail) for e in spool.pending(100) if e.what == what]


async def test_both_codes_make_it_the_address_and_one_session_is_left(home: Home, spool: Spool) -> None:
    mine, _other = await home.sit(), await home.sit()
    wanted = await home.begin(mine)
    assert (wanted.email, wanted.expires_at - home.clock()) == (NEW, timedelta(minutes=10))
    assert (await home.state(mine)).wanted == wanted
    assert await home.address() == EMAIL
    old, new = home.codes()
    answer = await home.confirm(mine, old.lower().replace("-", " "), new)
    assert answer.session.user.email == await home.address() == NEW
    assert await home.living() == {answer.session.id}
    assert home.rung == 1
    changed = ("executed", "critical", {"user": "Ada Lovelace", "email": NEW})
    assert told(spool, "account:email-changed") == [changed]
    assert (await home.state(answer.token)).wanted is None


async def test_the_former_address_hears_of_it_and_not_of_the_whole_new_one(home: Home) -> None:
    mine = await home.sit()
    await home.begin(mine)
    await home.confirm(mine, *home.codes())
    asked, farewell = home.letters_to(EMAIL)
    assert "changed" in farewell.subject
    assert "tell the master user of your home at once" in " ".join(farewell.text.split())
    for letter in (asked, farewell):
        assert NEW not in letter.text + (letter.html or "")
        assert "a…@elsewhere.example" in letter.text
    await home.farewells.sweep()
    assert len(home.letters_to(EMAIL)) == 2, "it is told once"


async def test_a_farewell_waits_for_the_mail_server_and_outlives_a_restart(home: Home) -> None:
    mine = await home.sit()
    await home.begin(mine)
    codes = home.codes()
    home.post.refusals.append(MailError("away", permanent=False))
    await home.confirm(mine, *codes)
    assert len(home.letters_to(EMAIL)) == 1
    await home.farewells.sweep()
    assert len(home.letters_to(EMAIL)) == 2
    again = await home.sit()
    await home.begin(again, EMAIL)
    home.post.refusals.append(MailError("no such mailbox", permanent=True))
    await home.confirm(again, home.code(NEW), home.code(EMAIL))
    await home.farewells.sweep()
    assert len(home.letters_to(NEW)) == 2, "what is refused for good is tried once"


@pytest.mark.parametrize(
    ("email", "said"),
    [
        ("ada at example.org", "name@example.org"),
        ("adä@example.org", "most mail servers carry no such letters"),
        ("ada@bücher.example", "write ada@xn--bcher-kva.example"),
        ("ada@" + "x" * 260, "name@example.org"),
        (" ADA@Example.org ", "the address that you have"),
    ],
)
async def test_an_address_that_cannot_be_is_said_beside_its_field(home: Home, email: str, said: str) -> None:
    mine = await home.sit()
    with pytest.raises(HomeError, match="invalid-value") as caught:
        await home.begin(mine, email)
    assert caught.value.facts["field"] == "email"
    assert said in caught.value.detail
    assert home.post.letters == []


async def test_a_wrong_password_begins_nothing(home: Home) -> None:
    mine = await home.sit()
    with pytest.raises(HomeError, match="wrong-password"):
        await home.begin(mine, current="a guess of somebody's")
    assert home.post.letters == []
    assert (await home.state(mine)).wanted is None


@pytest.mark.parametrize(("old", "new", "field"), [(False, True, "old_code"), (True, False, "new_code")])
async def test_a_wrong_code_is_said_beside_its_field_and_the_fifth_ends_it(
    home: Home, old: bool, new: bool, field: str, spool: Spool
) -> None:
    mine = await home.sit()
    await home.begin(mine)
    codes = home.codes()
    for _ in range(5):
        with pytest.raises(HomeError, match="confirmation-failed") as caught:
            await home.confirm(mine, codes[0] if old else WRONG, codes[1] if new else WRONG)
        assert caught.value.facts["field"] == field
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.confirm(mine, *codes)
    assert await home.address() == EMAIL
    assert ("rejected", "security") in [one[:2] for one in told(spool, "account:confirmation-failed")]


async def test_codes_do_not_stand_in_for_one_another(home: Home) -> None:
    mine, other = await home.sit(), await home.sit()
    await home.begin(mine)
    old, new = home.codes()
    for token, first, second in ((mine, new, old), (mine, old, old), (mine, new, new), (other, old, new)):
        with pytest.raises(HomeError, match="confirmation-failed"):
            await home.confirm(token, first, second)
    assert await home.address() == EMAIL


async def test_beginning_again_makes_the_former_codes_void(home: Home) -> None:
    mine = await home.sit()
    await home.begin(mine)
    first = home.codes()
    await home.begin(mine, "ada@third.example")
    second = home.codes("ada@third.example")
    for old, new in ((first[0], first[1]), (second[0], first[1]), (first[0], second[1])):
        with pytest.raises(HomeError, match="confirmation-failed"):
            await home.confirm(mine, old, new)
    await home.confirm(mine, *second)
    assert await home.address() == "ada@third.example"


async def test_letters_are_bounded(home: Home) -> None:
    mine = await home.sit()
    for _ in range(5):
        await home.begin(mine)
    with pytest.raises(HomeError, match="rate-limited"):
        await home.begin(mine)
    home.clock.forward(hours=1)
    await home.begin(mine)


async def test_codes_are_over_after_ten_minutes(home: Home) -> None:
    mine = await home.sit()
    await home.begin(mine)
    home.clock.forward(minutes=10)
    with pytest.raises(HomeError, match="confirmation-failed"):
        await home.confirm(mine, *home.codes())
    assert (await home.state(mine)).wanted is None


@pytest.mark.parametrize("what", ["lockdown", "password", "disabled", "signed out"])
async def test_what_ends_the_session_ends_the_change(home: Home, accounts: Accounts, ben: User, what: str) -> None:
    await accounts.create_user(email="bea@example.org", name="Bea", password=PASSWORD, role=MASTER)
    mine = await home.sit()
    await home.begin(mine)
    codes, goes_on = home.codes(), mine
    if what == "lockdown":
        await home.lock_down()
    elif what == "password":
        goes_on = (await home.change_password(mine, "lanterns over quiet harbours")).token
    elif what == "disabled":
        await accounts.disable_user(EMAIL)
    else:
        await home.sessions.end_token(mine, "gateway")
    with pytest.raises(HomeError, match=r"sign-in-required|confirmation-failed"):
        await home.confirm(goes_on, *codes)
    assert await home.address() == EMAIL
    if what == "password":
        assert (await home.state(goes_on)).wanted is None


async def test_enumeration_an_address_of_somebody_else_is_answered_as_any(home: Home, ben: User) -> None:
    mine = await home.sit()
    free = await home.begin(mine)
    wrong = [await refused(home, mine, home.code(EMAIL), WRONG)]
    taken = await home.begin(mine, BEN.upper())
    assert (taken.expires_at, set(taken.__struct_fields__)) == (free.expires_at, set(free.__struct_fields__))
    wrong.append(await refused(home, mine, home.code(EMAIL), WRONG))
    assert wrong[0] == wrong[1]
    to_old = [letter.text.replace(home.code(EMAIL), "") for letter in home.letters_to(EMAIL)]
    assert len(to_old) == 2
    assert to_old[0].count("\n") == to_old[1].count("\n")
    (letter,) = home.letters_to(BEN)
    assert letter.text.startswith("Hallo Ben,"), "in the language of whose it is"
    assert "Ada" not in letter.text + (letter.html or "")
    assert EMAIL not in letter.text
    assert not [line for line in letter.text.splitlines() if len(line) == 9 and line[4] == "-"], "it has no code"
    assert await home.address() == EMAIL


async def refused(home: Home, token: str, old: str, new: str) -> tuple[str, str, str]:
    """What is said to wrong codes."""
    with pytest.raises(HomeError) as caught:
        await home.confirm(token, old, new)
    return caught.value.slug, caught.value.detail, str(caught.value.facts)


async def test_enumeration_an_address_that_is_taken_meanwhile_is_a_wrong_code(home: Home, accounts: Accounts) -> None:
    mine = await home.sit()
    await home.begin(mine)
    codes = home.codes()
    wrong = await refused(home, mine, codes[0], WRONG)
    await accounts.create_user(email=NEW, name="Bea", password=PASSWORD, role=Role.MEMBER)
    assert await refused(home, mine, *codes) == wrong
    assert await home.address() == EMAIL


async def test_of_two_sessions_at_once_one_wins(home: Home) -> None:
    mine, other = await home.sit(), await home.sit()
    await home.begin(mine, "one@elsewhere.example")
    first = home.codes("one@elsewhere.example")
    await home.begin(other, "two@elsewhere.example")
    second = home.codes("two@elsewhere.example")
    answers = await asyncio.gather(home.confirm(mine, *first), home.confirm(other, *second), return_exceptions=True)
    won = [answer for answer in answers if isinstance(answer, LoginAnswer)]
    lost = [answer for answer in answers if isinstance(answer, HomeError)]
    assert len(won) == len(lost) == 1
    assert lost[0].slug in {"sign-in-required", "confirmation-failed"}
    assert await home.address() == won[0].session.user.email
    assert await home.living() == {won[0].session.id}


async def test_of_two_accounts_to_one_address_one_wins(home: Home, ben: User) -> None:
    mine, bens = await home.sit(), await home.sit(ben)
    await home.begin(mine)
    first = home.codes()
    await home.begin(bens, NEW.upper())
    second = home.code(BEN), home.code(NEW.upper())
    answers = await asyncio.gather(home.confirm(mine, *first), home.confirm(bens, *second), return_exceptions=True)
    lost = [answer for answer in answers if isinstance(answer, HomeError)]
    assert [one.slug for one in lost] == ["confirmation-failed"]
    assert len([answer for answer in answers if isinstance(answer, LoginAnswer)]) == 1


async def test_two_presses_at_once_change_it_once(home: Home, spool: Spool) -> None:
    mine = await home.sit()
    await home.begin(mine)
    codes = home.codes()
    answers = await asyncio.gather(home.confirm(mine, *codes), home.confirm(mine, *codes), return_exceptions=True)
    assert len([answer for answer in answers if isinstance(answer, LoginAnswer)]) == 1
    executed = [one for one in told(spool, "account:email-changed") if one[0] == "executed"]
    assert len(executed) == 1


async def test_codes_for_signing_in_that_went_to_the_former_address_are_void(home: Home) -> None:
    await home.ask_to_sign_in(EMAIL)
    mailed = home.code(EMAIL)
    mine = await home.sit()
    await home.begin(mine)
    await home.confirm(mine, *home.codes())
    for email in (EMAIL, NEW):
        with pytest.raises(HomeError, match="sign-in-failed"):
            await home.sign_in(email, mailed)
    await home.ask_to_sign_in(NEW)
    assert (await home.sign_in(NEW, home.code(NEW))).session.user.id == home.user.id


async def test_an_old_strong_factor_does_instead_of_a_lost_mailbox(home: Home) -> None:
    mine = await home.sit()
    app, recovery = await home.app(mine)
    with pytest.raises(HomeError, match="confirmation-failed") as caught:
        await home.begin(mine)
    assert caught.value.facts["field"] == "code", "who has one shows it to begin with"
    home.clock.forward(days=SETTLED.days)
    await home.begin(mine, code=home.shown(app))
    assert (await home.state(mine)).instead
    _, new = home.codes()
    with pytest.raises(HomeError, match="confirmation-failed") as caught:
        await home.confirm(mine, "", new, home.shown(app))
    assert caught.value.facts["field"] == "code", "each works once"
    await home.confirm(mine, "", new, recovery[0])
    assert await home.address() == NEW


async def test_a_stolen_session_with_the_password_alone_makes_no_way_past_the_mailbox(home: Home) -> None:
    stolen = await home.sit()
    await home.begin(stolen)
    _, new = home.codes()
    with pytest.raises(HomeError, match="confirmation-failed") as caught:
        await home.confirm(stolen, "", new)
    assert caught.value.facts["field"] == "old_code"
    app, recovery = await home.app(stolen)  # it adds one of its own, of which the owner gets a letter
    home.clock.forward(days=SETTLED.days, seconds=-60)
    await home.begin(stolen, code=home.shown(app))
    assert not (await home.state(stolen)).instead
    with pytest.raises(HomeError, match="confirmation-failed") as caught:
        await home.confirm(stolen, "", home.codes()[1], recovery[0])
    assert caught.value.facts["field"] == "old_code"
    assert await home.address() == EMAIL


async def test_without_proof_nothing_changes_and_the_codes_stay_good(home: Home, tmp_path: Path) -> None:
    mine = await home.sit()
    await home.begin(mine)
    codes = home.codes()
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await home.confirm(mine, *codes)
    assert await home.address() == EMAIL
    assert (await home.state(mine)).wanted is not None


async def test_an_invitation_to_the_new_address_is_void(home: Home, accounts: Accounts) -> None:
    mine = await home.sit()
    await home.begin(mine)
    await home.confirm(mine, *home.codes())
    with pytest.raises(HomeError, match="already-exists"):
        await accounts.create_user(email=NEW, name="Bea", password=PASSWORD, role=Role.MEMBER)
    await accounts.create_user(email=EMAIL, name="Bea", password=PASSWORD, role=Role.MEMBER)  # it is free again


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("begin"), st.integers(0, 1), st.sampled_from(["a@new.example", "b@new.example"])),
        st.tuples(st.just("type"), st.integers(0, 1), st.sampled_from(["right", "wrong", "old twice", "former"])),
        st.tuples(st.just("wait"), st.integers(1, 9), st.just("")),
        st.tuples(st.just("end"), st.integers(0, 1), st.sampled_from(["sign out", "lockdown"])),
    ),
    max_size=9,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_whatever_the_order_it_changes_by_both_fresh_codes_of_one_living_session_alone(
    migrated: Path, steps: list[tuple[str, int, str]]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(_play(migrated, Path(folder), steps))


async def _play(migrated: Path, folder: Path, steps: list[tuple[str, int, str]]) -> None:
    shutil.copy(migrated, folder / "auth.sqlite3")
    store, clock = await open_store(f"sqlite+aiosqlite:///{folder / 'auth.sqlite3'}"), Clock()
    spool, passwords = Spool(folder / "spool.sqlite3"), Passwords(b"a pepper for tests", rounds=4)
    proof = Proof(spool, now=clock)
    try:
        accounts = Accounts(store, proof, passwords, now=clock)
        ada = await accounts.create_user(email=EMAIL, name="Ada", password=PASSWORD, role=MASTER)
        async with asyncio.TaskGroup() as group:
            await _follow(Home(store, proof, passwords, clock, ada, Errands(group)), steps)
    finally:
        await store.close()
        spool.close()
        passwords.close()


class Pending(NamedTuple):
    """What the model knows of a change under way: its codes, the address, when it is over, and the tries left."""

    codes: tuple[str, str]
    email: str
    over: float
    tries: int = 5


class Play:
    """The home, and beside it a model of two sessions."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.tokens: list[str] = []
        self.living = [True, True]
        self.under_way: list[Pending | None] = [None, None]
        self.former = [(WRONG, WRONG), (WRONG, WRONG)]
        self.stands, self.begun, self.minutes = EMAIL, 0, 0

    async def wait(self, minutes: int, _: str) -> None:
        self.home.clock.forward(minutes=minutes)
        self.minutes += minutes

    async def end(self, which: int, how: str) -> None:
        if how == "lockdown":
            await self.home.lock_down()
            self.living = [False, False]
        else:
            await self.home.sessions.end_token(self.tokens[which], "gateway")
            self.living[which] = False

    async def begin(self, which: int, email: str) -> None:
        if self.stands != EMAIL or self.begun >= 5:
            return
        if not self.living[which]:
            with pytest.raises(HomeError, match="sign-in-required"):
                await self.home.begin(self.tokens[which], email)
            return
        if (was := self.under_way[which]) is not None:
            self.former[which] = was.codes
        await self.home.begin(self.tokens[which], email)
        self.begun += 1
        self.under_way[which] = Pending(self.home.codes(email), email, self.minutes + 10)

    async def type(self, which: int, how: str) -> None:
        pending = self.under_way[which]
        old, new = pending.codes if pending is not None else (WRONG, WRONG)
        typed = {"right": (old, new), "wrong": (old, WRONG), "old twice": (old, old), "former": self.former[which]}
        in_time = pending is not None and self.minutes < pending.over and pending.tries > 0
        if pending is not None and in_time and self.living[which] and how == "right":
            self.tokens[which] = (await self.home.confirm(self.tokens[which], old, new)).token
            self.stands, self.living[1 - which], self.under_way = pending.email, False, [None, None]
            return
        with pytest.raises(HomeError, match=r"confirmation-failed|sign-in-required"):
            await self.home.confirm(self.tokens[which], *typed[how])
        if pending is not None and self.living[which]:
            self.under_way[which] = pending._replace(tries=pending.tries - 1)


async def _follow(home: Home, steps: list[tuple[str, int, str]]) -> None:
    play = Play(home)
    play.tokens = [await home.sit(), await home.sit()]
    for what, which, how in steps:
        await getattr(play, what)(which, how)
        assert await home.address() == play.stands
