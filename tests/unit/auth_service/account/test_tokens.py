"""API tokens: made once, with proof, kept hashed, known while their owner may sign in, and told when they end."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from auth_service.account.current_password import CurrentPassword
from auth_service.account.tokens import LONGEST, MOST, Tokens
from auth_service.confirming.errands import Errands
from auth_service.home.lockdown import Lockdown
from auth_service.people import user_rows
from auth_service.people.passwords import Passwords
from auth_service.proof import Proof
from auth_service.signing_in import session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import Sessions
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, User
from shared.words.internal_tokens import TokenMade, TokenWish
from shared.words.messages import Who
from shared.words.names import Action, Role
from shared.words.problem import HomeError
from shared.words.scopes import Allowed, is_token
from tests.unit.auth_service.parts import PASSWORD, Clock, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))
SCOPE = (Allowed(room="hall", device="lamp", actions=(Action.ON,)),)


class Home:
    """A user who is signed in, and the tokens."""

    def __init__(
        self, store: Store, proof: Proof, clock: Clock, user: User, passwords: Passwords, errands: Errands
    ) -> None:
        self.store = store
        self.clock = clock
        self.user = user
        self.rung = 0
        self.session = ""
        sessions = Sessions(store, proof, limits=LIMITS, now=clock, wake=lambda: None)
        current = CurrentPassword(store, passwords, proof, errands, now=clock)
        self.errands = errands
        self.tokens = Tokens(store, sessions, proof, current, limits=LIMITS, now=clock, wake=self._ring)

    def _ring(self) -> None:
        self.rung += 1

    async def make(
        self, name: str = "Panel", *, ends: timedelta = timedelta(days=30), current: str = PASSWORD
    ) -> TokenMade:
        wanted = TokenWish(
            session=self.session,
            current=current,
            name=name,
            scope=SCOPE,
            expires_at=self.clock() + ends,
            address="192.0.2.7",
        )
        try:
            return await self.tokens.make(wanted, "gateway")
        finally:
            await self.errands.settled()

    async def lives(self, token: str) -> bool:
        try:
            return (await self.tokens.use(token)).user == self.user
        except HomeError as error:
            if error.slug != "sign-in-required":
                raise
            return False

    async def untold(self) -> set[str]:
        async with self.store.read() as connection:
            return set(await session_rows.untold(connection))


@pytest.fixture
async def home(store: Store, proof: Proof, clock: Clock, ada: User, passwords: Passwords) -> AsyncIterator[Home]:
    async with asyncio.TaskGroup() as group:
        made = Home(store, proof, clock, ada, passwords, Errands(group))
        async with store.write() as connection:
            answer = await session_rows.start(
                connection, ada, address="192.0.2.7", agent="Firefox", limits=LIMITS, now=clock()
            )
        made.session = answer.token
        yield made


def told(spool: Spool) -> list[tuple[str, str, str, dict[str, str]]]:
    return [
        (event.what, event.outcome.value, event.severity.value, event.detail)
        for event in spool.pending(100)
        if event.what.startswith("account:token")
    ]


async def test_a_token_is_shown_once_and_kept_as_a_hash(home: Home) -> None:
    made = await home.make()
    assert is_token(made.token)
    assert (await home.tokens.of(home.user.id)).tokens == (made.row,)
    async with home.store.read() as connection:
        kept = str((await connection.execute(sa.text("SELECT * FROM tokens"))).all())
    assert made.token not in kept
    assert made.token.removeprefix("hs_") not in kept
    assert made.token not in msgspec.json.encode(await home.tokens.of(home.user.id)).decode()


async def test_making_and_revoking_is_critical_and_never_tells_the_secret(home: Home, spool: Spool) -> None:
    made = await home.make()
    await home.tokens.revoke(made.row.id, owner=home.user.id, issuer="gateway", address="192.0.2.7")
    (one, other) = told(spool)
    assert one[:3] == ("account:token-made", "executed", "critical")
    assert one[3]["token"] == "Panel"
    assert one[3]["may"] == "hall/lamp: on"
    assert other[:3] == ("account:token-revoked", "executed", "critical")
    assert made.token not in str(told(spool))


async def test_its_bearer_is_who_made_it_within_its_scope_and_by_the_rights_of_now(home: Home) -> None:
    made = await home.make()
    info = await home.tokens.use(made.token)
    assert info.user == home.user
    assert info.id == made.row.id
    assert info.token is not None
    assert info.token.scope == SCOPE
    assert info.expires_at == made.row.expires_at
    async with home.store.write() as connection:
        await connection.execute(sa.text("UPDATE users SET role = 'guest'"))
        await user_rows.replace_grants(connection, home.user.id, (Grant(room="hall", device="lamp"),))
    info = await home.tokens.use(made.token)
    assert info.user.role is Role.GUEST
    assert [grant.device for grant in info.grants] == ["lamp"]


async def test_last_use_is_written_down_to_the_minute_and_when_the_network_changes(home: Home) -> None:
    made = await home.make()
    await home.tokens.use(made.token, "192.0.2.8")
    first = home.clock()
    home.clock.forward(seconds=30)
    await home.tokens.use(made.token, "192.0.2.9")
    (row,) = (await home.tokens.of(home.user.id)).tokens
    assert (row.used_at, row.used_from) == (first, "192.0.2.8")
    await home.tokens.use(made.token, "198.51.100.1")
    (row,) = (await home.tokens.of(home.user.id)).tokens
    assert (row.used_at, row.used_from) == (home.clock(), "198.51.100.1")


async def test_a_revoked_one_is_dead_and_told_and_nobody_revokes_anothers(home: Home) -> None:
    made, kept = await home.make(), await home.make("Other")
    with pytest.raises(HomeError, match="not-found"):
        await home.tokens.revoke(made.row.id, owner="somebody-else", issuer="gateway", address="")
    assert await home.lives(made.token)
    await home.tokens.revoke(made.row.id, owner=home.user.id, issuer="gateway", address="")
    assert not await home.lives(made.token)
    assert await home.lives(kept.token)
    assert await home.untold() == {made.row.id}
    assert home.rung == 1
    with pytest.raises(HomeError, match="not-found"):
        await home.tokens.revoke(made.row.id, owner=home.user.id, issuer="gateway", address="")


async def test_it_ends_by_itself(home: Home) -> None:
    made = await home.make(ends=timedelta(days=2))
    home.clock.forward(days=1, hours=23)
    assert await home.lives(made.token)
    home.clock.forward(hours=1)
    assert not await home.lives(made.token)
    assert (await home.tokens.of(home.user.id)).tokens == ()
    await home.tokens.sweep()
    async with home.store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM tokens"))).scalar() == 0


async def test_it_ends_with_its_account_and_every_gateway_is_told(home: Home) -> None:
    made = await home.make()
    async with home.store.write() as connection:
        await user_rows.disable(connection, home.user.id, home.clock())
    assert not await home.lives(made.token)
    async with home.store.write() as connection:
        await session_rows.end_all(connection, home.user.id, "disabled", home.clock())
    assert made.row.id in await home.untold()
    assert (await home.tokens.of(home.user.id)).tokens == ()


async def test_another_password_leaves_programs_alone(home: Home) -> None:
    made = await home.make()
    async with home.store.write() as connection:
        await session_rows.end_all(connection, home.user.id, "password-changed", home.clock())
    assert await home.lives(made.token)


async def test_a_lockdown_ends_every_token(home: Home, proof: Proof) -> None:
    made = await home.make()
    await Lockdown(home.store, proof, now=home.clock).begin(Who(issuer="admin"))
    assert not await home.lives(made.token)
    assert made.row.id in await home.untold()


@pytest.mark.parametrize("ends", [timedelta(0), timedelta(seconds=-1), LONGEST + timedelta(seconds=1)])
async def test_one_that_has_ended_or_would_live_longer_than_a_year_is_not_made(home: Home, ends: timedelta) -> None:
    with pytest.raises(HomeError, match="invalid-value") as refused:
        await home.make(ends=ends)
    assert refused.value.facts["field"] == "expires_at"


async def test_whoever_sits_in_a_stolen_session_makes_none(home: Home) -> None:
    with pytest.raises(HomeError, match="wrong-password"):
        await home.make(current="a guess of somebody's")
    assert (await home.tokens.of(home.user.id)).tokens == ()


async def test_names_are_names_and_devices_are_named_once(home: Home) -> None:
    for name in ("   ", "a\nb\x00", "n" * 65):
        with pytest.raises(HomeError, match="invalid-value") as refused:
            await home.make(name)
        assert refused.value.facts["field"] == "name"
    with pytest.raises(HomeError, match="invalid-value"):
        await home.tokens.make(
            TokenWish(
                session=home.session,
                current=PASSWORD,
                name="Panel",
                scope=SCOPE * 2,
                expires_at=home.clock() + timedelta(days=1),
                address="",
            ),
            "gateway",
        )


async def test_nobody_has_more_than_can_be_looked_through(home: Home) -> None:
    for number in range(MOST):
        await home.make(f"Panel {number}")
    with pytest.raises(HomeError, match="invalid-value"):
        await home.make("One more")


async def test_only_a_session_makes_one_and_only_with_proof(home: Home, tmp_path: Path) -> None:
    made = await home.make()
    home.session, session = made.token, home.session
    with pytest.raises(HomeError, match="sign-in-required"):
        await home.make()
    home.session = session
    fill(tmp_path / "spool.sqlite3")
    with pytest.raises(HomeError, match="no-proof"):
        await home.make("Unproven")
    assert [row.name for row in (await home.tokens.of(home.user.id)).tokens] == ["Panel"]
    await home.tokens.revoke(made.row.id, owner=home.user.id, issuer="gateway", address="")
    assert not await home.lives(made.token)


def test_a_sessions_token_is_never_taken_for_one() -> None:
    assert not is_token("hs_" + "a" * 40)
    assert not is_token("a" * 43)
    assert not is_token("hs_" + "a" * 43 + "\n")
