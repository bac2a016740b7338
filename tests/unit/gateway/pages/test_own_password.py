"""The page on which one changes one's password: beside which field it is said, and what goes on afterwards."""

import pytest

from shared.words.names import Role
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import PASSWORD, House, open_house

NEW = "lanterns over quiet harbours"


async def typed(house: House, current: str = PASSWORD, new: str = NEW, again: str = NEW) -> Page:
    """What comes of it."""
    form = (await house.get("/account/password")).form("/account/password")
    return await house.send(form, current=current, new=new, again=again)


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_changes_their_own_and_stays_signed_in(role: Role) -> None:
    async with open_house() as house:
        info = await house.sign_in(role)
        assert (await house.get("/account")).has("a", href="/account/password")
        after = await house.follow(await typed(house))
        assert "Your password is another one now" in after.text
        (change,) = house.auth.password_changes
        assert (change.token, change.new) == (f"token-{role}", NEW)
        assert house.hub.ended == [info.id]


async def test_that_programs_go_on_is_said_before_it_is_changed() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        assert "API tokens go on: revoke those that you do not know" in (await house.get("/account/password")).text


@pytest.mark.parametrize(
    ("fields", "field", "said", "status"),
    [
        ({"current": "not mine"}, "current", "Type the password that you have now", 403),
        ({"current": ""}, "current", "1 to 1024 characters", 422),
        ({"new": "short", "again": "short"}, "new", "The password is too short.", 422),
        ({"new": "", "again": ""}, "new", "1 to 1024 characters", 422),
        ({"again": "lanterns over quiet harbors"}, "again", "not the same as the new password", 422),
    ],
)
async def test_what_was_wrong_stands_beside_its_field_and_no_password_is_written_back(
    fields: dict[str, str], field: str, said: str, status: int
) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await typed(house, **fields)
        assert page.status == status
        assert page.has("input", name=field, **{"aria-invalid": "true", "autofocus": ""})
        assert said in page.text
        assert NEW not in page.body
        assert PASSWORD not in page.body
        assert house.auth.password_changes == []
        assert len([1 for tag, of in page.elements if tag == "input" and "aria-invalid" in of]) == 1


async def test_the_former_session_is_over_on_the_way_back() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        stale = (await house.get("/account/password")).form("/account/password")
        await typed(house)
        page = await house.send(stale, current=NEW, new=PASSWORD, again=PASSWORD)
        assert page.status == 403, "its token was the former session's"


async def test_who_is_not_signed_in_is_asked_to() -> None:
    async with open_house() as house:
        page = await house.get("/account/password")
        assert (page.status, page.location) == (303, "/login?next=/account/password")


async def test_too_many_tries_are_told_when_to_come_back() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        for _ in range(20):
            await typed(house, current="a guess")
        page = await typed(house)
        assert page.status == 429
        assert int(page.headers["Retry-After"]) > 0
        assert "Try again in" in page.text
        assert house.auth.password_changes == []


async def test_while_the_auth_service_is_away_nothing_is_lost() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/password")).form("/account/password")
        house.auth.away = True
        page = await house.send(form, current=PASSWORD, new=NEW, again=NEW)
        assert page.status == 503
        assert "The auth service cannot be reached" in page.text
