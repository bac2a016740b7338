"""Who is signed in: believed for seconds, dropped at once when it ends."""

import asyncio
from datetime import UTC, datetime, timedelta
from typing import cast

import msgspec
import pytest

from gateway.door.sessions import CACHE_SECONDS, LATE_SECONDS, Sessions
from gateway.inside.auth_client import AuthClient
from shared.words.internal import LoginRequest
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.house import DEADLINE
from tests.unit.gateway.parts import FakeAuth, session

INFO = session(Role.MEMBER)
LOGIN = LoginRequest(email="eve@example.org", password="a long password", code="ABCD-2345", browser="b", address="::1")


class House:
    def __init__(self) -> None:
        self.auth = FakeAuth()
        self.auth.sessions["t"] = INFO
        self.now = 100.0
        self.link = True
        self.sessions = Sessions(cast("AuthClient", self.auth), link_up=lambda: self.link, clock=lambda: self.now)


@pytest.fixture
def house() -> House:
    return House()


async def test_a_session_is_believed_for_seconds(house: House) -> None:
    assert await house.sessions.verify("t") == INFO
    house.now += CACHE_SECONDS
    await house.sessions.verify("t")
    assert house.auth.asked == 1
    house.now += 0.1
    await house.sessions.verify("t")
    assert house.auth.asked == 2


async def test_the_answer_to_a_sign_in_is_the_first_word(house: House) -> None:
    assert (await house.sessions.begin(house.auth.sign_in(LOGIN))).session == INFO
    house.auth.away = True
    house.now += LATE_SECONDS
    late = await house.sessions.last_word("signed-in")
    assert (late.info, late.late and late.late.slug) == (INFO, "auth-unreachable")
    house.now += 0.1
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.sessions.last_word("signed-in")


@pytest.mark.parametrize("lost", ["ended", "forgotten", "unheard"])
async def test_a_sign_in_whose_end_may_have_been_said_meanwhile_is_asked_about(house: House, lost: str) -> None:
    house.auth.hangs = asyncio.Event()
    begun = asyncio.create_task(house.sessions.begin(house.auth.sign_in(LOGIN)))
    await asyncio.sleep(0)
    match lost:
        case "ended":
            house.sessions.forget((INFO.id,))
        case "forgotten":
            house.sessions.forget_all()
        case _:
            house.link = False
    house.auth.hangs.set()
    await begun
    house.auth.away, house.link = True, True
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.sessions.last_word("signed-in")


async def test_what_is_critical_asks_afresh(house: House) -> None:
    await house.sessions.verify("t")
    await house.sessions.verify("t", fresh=True)
    assert house.auth.asked == 2
    del house.auth.sessions["t"]
    with pytest.raises(HomeError, match="sign-in-required"):
        await house.sessions.verify("t", fresh=True)
    with pytest.raises(HomeError, match="sign-in-required"):
        await house.sessions.verify("t")


async def test_whose_rights_changed_is_asked_about_at_once_and_nobody_else(house: House) -> None:
    other = house.auth.sessions["other"] = session(Role.GUEST)
    await house.sessions.verify("t")
    await house.sessions.verify("other")
    house.sessions.outdate((other.user.id,))
    now_master = house.auth.sessions["other"] = msgspec.structs.replace(other, user=session(Role.MASTER).user)
    assert await house.sessions.verify("t") == INFO
    assert await house.sessions.verify("other") == now_master
    assert house.auth.asked == 3


async def test_an_answer_that_is_older_than_the_change_of_rights_is_not_remembered(house: House) -> None:
    house.auth.hangs = asyncio.Event()
    asking = asyncio.create_task(house.sessions.verify("t"))
    for _ in range(2):  # the caller's turn, and that of the question
        await asyncio.sleep(0)
    assert house.auth.asked == 1
    house.sessions.outdate((INFO.user.id,))
    house.auth.hangs.set()
    await asking
    assert house.sessions.fresh_word("t") is None


async def test_an_ended_session_is_dropped_at_once(house: House) -> None:
    await house.sessions.verify("t")
    house.sessions.forget((INFO.id,))
    with pytest.raises(HomeError, match="sign-in-required"):
        await house.sessions.verify("t")


async def test_an_answer_from_before_the_end_is_not_believed(house: House) -> None:
    asked = asyncio.create_task(house.sessions.verify("t"))
    house.sessions.forget((INFO.id,))
    with pytest.raises(HomeError, match="sign-in-required"):
        await asked


async def test_nothing_is_remembered_while_the_link_is_down(house: House) -> None:
    await house.sessions.verify("t")
    house.link = False
    await house.sessions.verify("t")
    await house.sessions.verify("t")
    assert house.auth.asked == 3
    house.link = True
    await house.sessions.verify("t")
    assert house.auth.asked == 4


async def test_a_lost_link_forgets_everything(house: House) -> None:
    await house.sessions.verify("t")
    house.sessions.forget_all()
    await house.sessions.verify("t")
    assert house.auth.asked == 2


async def test_an_answer_from_before_the_link_was_lost_is_not_remembered(house: House) -> None:
    house.auth.hangs = asyncio.Event()
    before = asyncio.create_task(house.sessions.verify("t"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert house.auth.asked == 1
    house.sessions.forget_all()
    house.auth.hangs.set()
    assert await before == INFO
    house.auth.hangs = asyncio.Event()
    later = asyncio.create_task(house.sessions.verify("t"))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not later.done(), "it asks for itself"
    house.auth.hangs.set()
    await later


async def test_who_comes_after_the_link_was_lost_does_not_join_a_question_from_before(house: House) -> None:
    house.auth.hangs = asyncio.Event()
    asked = []
    for _ in range(2):
        asked.append(asyncio.create_task(house.sessions.verify("t")))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        house.sessions.forget_all()
    house.auth.hangs.set()
    assert await asyncio.gather(*asked) == [INFO, INFO]
    assert house.auth.asked == 2


async def test_an_expired_session_is_not_believed(house: House) -> None:
    house.auth.sessions["t"] = msgspec.structs.replace(INFO, expires_at=datetime.now(UTC) - timedelta(seconds=1))
    await house.sessions.verify("t")
    await house.sessions.verify("t")
    assert house.auth.asked == 2


async def test_many_who_wait_ask_once(house: House) -> None:
    assert await asyncio.gather(*(house.sessions.verify("t") for _ in range(5))) == [INFO] * 5
    assert house.auth.asked == 1


async def test_one_who_leaves_does_not_spoil_it_for_the_others(house: House) -> None:
    first = asyncio.create_task(house.sessions.verify("t"))
    second = asyncio.create_task(house.sessions.verify("t"))
    await asyncio.sleep(0)
    first.cancel()
    _, answer = await asyncio.gather(first, second, return_exceptions=True)
    assert answer == INFO


async def test_an_auth_service_that_is_away_is_told(house: House) -> None:
    house.auth.away = True
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.sessions.verify("t")


async def test_the_last_word_goes_on_for_a_minute_without_the_auth_service(house: House) -> None:
    assert await house.sessions.last_word("t") == (INFO, None)
    house.auth.away = True
    house.now += LATE_SECONDS
    word = await house.sessions.last_word("t")
    assert word.info == INFO
    assert word.late is not None
    assert word.late.slug == "auth-unreachable"
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.sessions.verify("t")
    house.now += 0.1
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.sessions.last_word("t")
    house.auth.away = False
    assert await house.sessions.last_word("t") == (INFO, None)


@pytest.mark.parametrize("end", ["told", "expired", "link lost", "link down"])
async def test_no_last_word_outlives_the_end_of_its_session(house: House, end: str) -> None:
    if end == "expired":
        house.auth.sessions["t"] = msgspec.structs.replace(INFO, expires_at=datetime.now(UTC))
    await house.sessions.verify("t")
    house.auth.away = True
    house.now += CACHE_SECONDS + 1
    if end == "told":
        house.sessions.forget((INFO.id,))
    elif end == "link lost":
        house.sessions.forget_all()
    house.link = end != "link down"
    with pytest.raises(HomeError, match="auth-unreachable"):
        await house.sessions.last_word("t")


async def test_an_answer_that_it_has_ended_is_believed_before_any_earlier_word(house: House) -> None:
    await house.sessions.verify("t")
    del house.auth.sessions["t"]
    house.now += CACHE_SECONDS + 1
    with pytest.raises(HomeError, match="sign-in-required"):
        await house.sessions.last_word("t")


async def test_an_auth_service_that_hangs_holds_nobody_up_who_was_known(house: House) -> None:
    await house.sessions.verify("t")
    house.now += CACHE_SECONDS + 1
    house.auth.hangs = asyncio.Event()
    word = await house.sessions.last_word("t", patience=0.0)
    assert (word.info, word.late is not None) == (INFO, True)
    house.now += 1
    async with asyncio.timeout(DEADLINE):
        for _ in range(1000):  # as many events of a stream, none of which waits anew
            assert (await house.sessions.last_word("t", patience=1.0)).late is not None
    house.auth.hangs.set()
    assert await house.sessions.last_word("t", patience=20.0) == (INFO, None)
