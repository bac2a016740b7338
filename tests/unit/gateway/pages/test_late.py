"""While the auth service is away its last word goes on for a minute: for looking, and for what makes things safer."""

import pytest

from gateway.door import sessions
from shared.words.names import Role
from shared.words.problem import CATALOGUE
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import CODE, PASSWORD, House, open_house

LATE = "Sign-ins cannot be checked just now."


async def left_alone(house: House) -> None:
    """Somebody is signed in and looks, then the auth service goes."""
    await house.sign_in(Role.MASTER)
    assert LATE not in (await house.get("/")).text
    house.auth.away = True


@pytest.fixture(autouse=True)
def _nothing_is_fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sessions, "CACHE_SECONDS", -1.0)


@pytest.mark.parametrize("path", ["/", "/rooms/hall", "/history", "/account"])
async def test_one_can_look_and_is_told(path: str) -> None:
    async with open_house() as house:
        await left_alone(house)
        page = await house.get(path)
        assert (page.status, LATE in page.text) == (200, True)


async def test_who_has_just_signed_in_can_look_too() -> None:
    async with open_house() as house:
        house.auth.accounts["eve@example.org"] = parts.session(Role.MEMBER)
        page = await house.get("/login")
        page = await house.follow(await house.send(page.form("/login"), email="eve@example.org", password=PASSWORD))
        sent = await house.send(page.form("/login"), password=PASSWORD, code=CODE)
        house.auth.away = True
        page = await house.follow(sent)
        assert (page.status, LATE in page.text) == (200, True)


async def test_what_makes_things_safer_is_sent_and_nothing_else() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.put("lamp", "on")
        page = await house.get("/rooms/hall")
        house.auth.away = True
        for action, sent in (("off", ["off"]), ("on", ["off"])):
            answer = await house.send(page.form("/rooms/hall/lamp", action), action=action)
            assert answer.status == 303
            assert [wish.action for wish in house.commands.wishes] == sent
        assert CATALOGUE["auth-unreachable"].title in (await house.get("/rooms/hall")).text


async def test_a_minute_later_the_page_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async with open_house() as house:
        await left_alone(house)
        monkeypatch.setattr(sessions, "LATE_SECONDS", -1.0)
        page = await house.get("/")
        assert (page.status, CATALOGUE["auth-unreachable"].title in page.text) == (503, True)
