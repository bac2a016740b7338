"""Sessions over a real database: how long they live, and how they end."""

import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path

import msgspec
import pytest
import sqlalchemy as sa

from auth_service.hub.accounts import Accounts
from auth_service.proof import Proof
from auth_service.signing_in import crowding, session_rows
from auth_service.signing_in.session_rows import Limits
from auth_service.signing_in.sessions import AT_HOME, Sessions
from shared.keeping.database import Store
from shared.proof.spool import Spool
from shared.words.internal import Grant, LoginAnswer, User
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.auth_service.parts import EMAIL, PASSWORD, Clock, fill

LIMITS = Limits(timedelta(hours=12), timedelta(days=7))


class Bell:
    """Counts how often the announcer was woken."""

    def __init__(self) -> None:
        self.rung = 0

    def __call__(self) -> None:
        self.rung += 1


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def sessions(store: Store, proof: Proof, clock: Clock, bell: Bell) -> Sessions:
    return Sessions(store, proof, limits=LIMITS, now=clock, wake=bell)


async def signed_in(
    store: Store, user: User, clock: Clock, agent: str = "Firefox", *, own: bool = False
) -> LoginAnswer:
    """A session of `user`."""
    async with store.write() as connection:
        return await session_rows.start(
            connection, user, address="192.0.2.7", agent=agent, limits=LIMITS, now=clock(), own=own
        )


async def lives(sessions: Sessions, answer: LoginAnswer) -> bool:
    """Whether the session is still one; any other problem than its end is raised."""
    try:
        info = await sessions.verify(answer.token)
    except HomeError as error:
        if error.slug != "sign-in-required":
            raise
        return False
    assert info.id == answer.session.id
    return True


async def untold(store: Store) -> set[str]:
    """Sessions that gateways have not been told of."""
    async with store.read() as connection:
        return set(await session_rows.untold(connection))


async def test_session_is_verified_with_the_user_and_the_grants(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    lamp = Grant(room="hall", device="lamp", weekdays=(0, 6), until=clock() + timedelta(days=1))
    guest = await accounts.create_user(
        email="g@example.org", name="Guest", password=PASSWORD, role=Role.GUEST, grants=(lamp,)
    )
    answer = await signed_in(store, guest, clock)
    info = await sessions.verify(answer.token)
    assert info == answer.session
    assert (info.user, info.grants) == (guest, (lamp,))


async def test_unknown_token_is_no_session(sessions: Sessions) -> None:
    with pytest.raises(HomeError, match="sign-in-required"):
        await sessions.verify("")


async def test_session_ends_when_it_is_not_used(sessions: Sessions, store: Store, ada: User, clock: Clock) -> None:
    answer = await signed_in(store, ada, clock)
    clock.forward(hours=11, minutes=59)
    assert await lives(sessions, answer)
    clock.forward(hours=11, minutes=59)
    assert await lives(sessions, answer)
    clock.forward(hours=12)
    assert not await lives(sessions, answer)


async def test_session_ends_after_a_week_however_much_it_is_used(
    sessions: Sessions, store: Store, ada: User, clock: Clock
) -> None:
    answer = await signed_in(store, ada, clock)
    for _ in range(7 * 24 - 1):
        clock.forward(hours=1)
        assert await lives(sessions, answer)
    clock.forward(hours=1)
    assert not await lives(sessions, answer)


async def test_an_own_device_stays_for_sixty_days_unused_and_a_year_at_the_most(
    sessions: Sessions, store: Store, ada: User, clock: Clock
) -> None:
    own, other = await signed_in(store, ada, clock, own=True), await signed_in(store, ada, clock)
    assert own.session.expires_at == clock() + timedelta(days=60)
    for _ in range(6):
        clock.forward(days=59)
        assert await lives(sessions, own)
        await sessions.drop_expired()
        assert [row.own for row in (await sessions.of(ada.id)).sessions] == [True]
    assert not await lives(sessions, other)
    clock.forward(days=11)
    assert not await lives(sessions, own)
    again = await signed_in(store, ada, clock, own=True)
    clock.forward(days=60)
    assert not await lives(sessions, again)


async def why(sessions: Sessions, answer: LoginAnswer) -> str | None:
    """What whoever comes with the session's token is told."""
    with pytest.raises(HomeError, match="sign-in-required") as caught:
        await sessions.verify(answer.token)
    reason: str | None = caught.value.facts.get("reason")
    return reason


@pytest.mark.parametrize("swept", [False, True])
async def test_whoever_was_signed_out_is_told_why(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock, *, swept: bool
) -> None:
    other = await accounts.create_user(email="b@example.org", name="B", password=PASSWORD, role=Role.MEMBER)
    for user, own, wait, expected in (
        (ada, False, timedelta(hours=12), "unused"),
        (ada, True, timedelta(days=60), "unused"),
        (ada, True, timedelta(days=365), "over"),
    ):
        answer = await signed_in(store, user, clock, own=own)
        clock.time += wait
        if swept:
            await sessions.drop_expired()
        assert await why(sessions, answer) == expected
    out, listed, changed, off = [await signed_in(store, who, clock) for who in (ada, ada, ada, other)]
    await sessions.end_token(out.token, "gateway")
    await sessions.end_id(listed.session.id, owner=None, by=ada.id, issuer="gateway", address="")
    await accounts.set_password(EMAIL, "lanterns over quiet harbours")
    await accounts.disable_user("b@example.org")
    told = [await why(sessions, one) for one in (out, listed, changed, off)]
    assert told == ["signed-out", "ended", "password-changed", "disabled"]
    assert await why(sessions, msgspec.structs.replace(out, token="never given out")) is None
    clock.forward(days=90)
    await sessions.drop_expired()
    assert await why(sessions, out) is None


async def test_use_is_written_down_at_most_once_a_minute(
    sessions: Sessions, store: Store, ada: User, clock: Clock
) -> None:
    start = clock()
    answer = await signed_in(store, ada, clock)
    clock.forward(seconds=59)
    await sessions.verify(answer.token)
    assert (await sessions.of(ada.id)).sessions[0].seen_at == start
    clock.forward(seconds=1)
    await sessions.verify(answer.token)
    assert (await sessions.of(ada.id)).sessions[0].seen_at == start + timedelta(minutes=1)


async def test_full_disk_ends_no_session_and_holds_no_sign_out_up(
    sessions: Sessions, store: Store, ada: User, clock: Clock, tmp_path: Path
) -> None:
    answer = await signed_in(store, ada, clock)
    fill(tmp_path / "spool.sqlite3")
    with contextlib.closing(sqlite3.connect(tmp_path / "auth.sqlite3")) as direct:
        direct.execute(
            "CREATE TRIGGER full BEFORE UPDATE ON sessions BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
        )
    clock.forward(minutes=5)
    assert await lives(sessions, answer)
    await sessions.end_token(answer.token, "gateway")
    assert not await lives(sessions, answer)


async def test_list_holds_the_users_own_live_sessions_newest_first(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    other = await accounts.create_user(email="b@example.org", name="B", password=PASSWORD, role=Role.MEMBER)
    await signed_in(store, ada, clock, "too old")
    clock.forward(hours=12)
    await signed_in(store, ada, clock, "first")
    clock.forward(minutes=1)
    await signed_in(store, ada, clock, "second")
    await signed_in(store, other, clock, "not hers")
    rows = (await sessions.of(ada.id)).sessions
    assert [row.agent for row in rows] == ["second", "first"]
    assert rows[0].address == "192.0.2.7"


async def test_of_too_many_the_one_that_was_unused_for_the_longest_makes_room(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    other = await accounts.create_user(email="b@example.org", name="B", password=PASSWORD, role=Role.MEMBER)
    hers = [await signed_in(store, ada, clock, own=True) for _ in range(crowding.MOST)]
    theirs = await signed_in(store, other, clock)
    clock.forward(minutes=5)
    for one in hers[1:]:  # the first one made is not used any more
        await sessions.verify(one.token)
    async with store.write() as connection:
        assert await crowding.make_room(connection, other.id, clock()) == ()
        assert await crowding.make_room(connection, ada.id, clock()) == (hers[0].session.id,)
        assert await crowding.make_room(connection, ada.id, clock()) == ()
    assert [await lives(sessions, one) for one in (*hers[:3], theirs)] == [False, True, True, True]
    assert await untold(store) == {hers[0].session.id}
    async with store.read() as connection:
        assert await session_rows.why_ended(connection, hers[0].token, clock()) == "crowded"


async def test_signing_out_ends_the_session_and_gateways_are_to_hear_it(
    sessions: Sessions, store: Store, ada: User, clock: Clock, bell: Bell, spool: Spool
) -> None:
    answer = await signed_in(store, ada, clock)
    await sessions.end_token(answer.token, "gateway")
    await sessions.end_token(answer.token, "gateway")
    assert not await lives(sessions, answer)
    assert await untold(store) == {answer.session.id}
    assert bell.rung == 1
    ended = [event for event in spool.pending(10) if event.what == "session:ended"]
    assert [(event.where, event.who.issuer) for event in ended] == [(f"session/{answer.session.id}", "gateway")]


async def test_one_session_of_a_user_is_ended_by_its_public_id(
    sessions: Sessions, store: Store, ada: User, clock: Clock, spool: Spool
) -> None:
    first, second = await signed_in(store, ada, clock), await signed_in(store, ada, clock)
    await sessions.end_id(first.session.id, owner=ada.id, by=ada.id, issuer="gateway", address="192.0.2.9")
    assert not await lives(sessions, first)
    assert await lives(sessions, second)
    who = spool.pending(10)[-1].who
    assert who.user is not None
    assert (who.user.name, who.address) == ("Ada Lovelace", "192.0.2.9")


async def test_a_session_that_another_ends_says_whose_it_was_so_that_erasing_them_finds_it(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock, spool: Spool
) -> None:
    bea = await accounts.create_user(email="b@example.org", name="Bea", password=PASSWORD, role=Role.MEMBER)
    hers = await signed_in(store, bea, clock)
    await sessions.end_id(hers.session.id, owner=None, by=ada.id, issuer="gateway", address="192.0.2.9")
    assert spool.pending(10)[-1].detail == {"user": "Bea", "partner": bea.id}


async def test_nobody_ends_anothers_session_but_the_master(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    member = await accounts.create_user(email="b@example.org", name="B", password=PASSWORD, role=Role.MEMBER)
    answer = await signed_in(store, ada, clock)
    with pytest.raises(HomeError, match="not-found"):
        await sessions.end_id(answer.session.id, owner=member.id, by=member.id, issuer="gateway", address="")
    assert await lives(sessions, answer)
    await sessions.end_id(answer.session.id, owner=None, by=ada.id, issuer="gateway", address="")
    assert not await lives(sessions, answer)


async def test_disabling_a_user_ends_every_session(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    await accounts.create_user(email="b@example.org", name="B", password=PASSWORD, role=Role.MASTER)
    answers = [await signed_in(store, ada, clock) for _ in range(3)]
    await accounts.disable_user(EMAIL)
    assert [await lives(sessions, answer) for answer in answers] == [False] * 3
    assert await untold(store) == {answer.session.id for answer in answers}


async def test_new_password_ends_every_session(
    sessions: Sessions, store: Store, accounts: Accounts, ada: User, clock: Clock
) -> None:
    answer = await signed_in(store, ada, clock)
    await accounts.set_password(EMAIL, "another violet engine")
    assert not await lives(sessions, answer)


async def test_expired_sessions_are_forgotten(sessions: Sessions, store: Store, ada: User, clock: Clock) -> None:
    await signed_in(store, ada, clock)
    clock.forward(hours=12)
    await signed_in(store, ada, clock)
    await sessions.drop_expired()
    async with store.read() as connection:
        assert (await connection.execute(sa.text("SELECT count(*) FROM sessions"))).scalar() == 1
    assert await untold(store) == set()


async def test_whoever_used_the_pages_from_home_of_late_is_at_home(
    sessions: Sessions, store: Store, clock: Clock, ada: User
) -> None:
    answer = await signed_in(store, ada, clock)
    assert not await sessions.somebody_at_home()
    await sessions.verify(answer.token, "192.168.1.20")
    assert await sessions.somebody_at_home()
    await sessions.verify(answer.token)  # a gateway that says nothing changes nothing
    assert await sessions.somebody_at_home()
    await sessions.verify(answer.token, "198.51.100.7")  # out of the door, by another network
    assert not await sessions.somebody_at_home()
    await sessions.verify(answer.token, "fd00::7")
    clock.time += AT_HOME
    assert await sessions.somebody_at_home()
    clock.time += timedelta(seconds=1)
    assert not await sessions.somebody_at_home()


async def test_a_session_that_ended_is_nobody(sessions: Sessions, store: Store, clock: Clock, ada: User) -> None:
    answer = await signed_in(store, ada, clock)
    await sessions.verify(answer.token, "10.0.0.3")
    await sessions.end_token(answer.token, "gateway")
    assert not await sessions.somebody_at_home()
