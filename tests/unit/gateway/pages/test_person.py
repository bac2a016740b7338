"""The page of one account, the master user's, and that of one's own name and language."""

from typing import Any

import pytest

from shared.words.internal import UserRow
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import PASSWORD, House, open_house

PATH = "/users/u-guest"


def everybody(house: House) -> None:
    house.auth.people = [
        UserRow(user=parts.session(role).user, grants=(), created_at=parts.NOW, signed_in_at=None) for role in Role
    ]


async def sent(house: House, **fields: str) -> Page:
    """What comes of one of the page's forms, chosen by `do`."""
    page = await house.get(PATH)
    form = next(one for one in page.forms if one.fields.get("do") == fields["do"])
    return await house.send(form, **{"current": PASSWORD} | fields)


@pytest.mark.parametrize(
    ("fields", "said", "wanted"),
    [
        ({"do": "save", "name": "Gerd", "role": "member"}, "The account is changed", ("Gerd", Role.MEMBER, None)),
        ({"do": "disable"}, "may not sign in any more", (None, None, True)),
    ],
)
async def test_the_master_user_changes_an_account(fields: dict[str, str], said: str, wanted: tuple[Any, ...]) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        everybody(house)
        assert (await house.get("/users")).has("a", href=PATH)
        assert said in (await house.follow(await sent(house, **fields))).text
        (change,) = house.auth.user_changes
        assert (change.token, change.name, change.role, change.disabled) == ("token-master", *wanted)


async def test_erasing_wants_to_be_meant() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        everybody(house)
        page = await sent(house, do="erase")
        assert (page.status, page.has("input", name="sure", **{"aria-invalid": "true"})) == (422, True)
        assert house.auth.erased == []
        assert "The account is erased" in (await house.follow(await sent(house, do="erase", sure="yes"))).text
        assert house.auth.erased == ["u-guest"]


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"do": "save", "name": " ", "role": "guest"}, "name", 422),
        ({"do": "save", "name": "Gerd", "role": "owner"}, "role", 422),
        ({"do": "disable", "current": ""}, "current", 422),
        ({"do": "disable", "current": "a guess"}, "current", 403),
    ],
)
async def test_what_was_wrong_stands_beside_its_field(fields: dict[str, str], field: str, status: int) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        everybody(house)
        page = await sent(house, **fields)
        assert page.status == status
        assert page.has("select" if field == "role" else "input", name=field, **{"aria-invalid": "true"})
        assert PASSWORD not in page.body
        assert house.auth.user_changes == []


async def test_that_nobody_would_be_left_is_said_on_the_page() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        everybody(house)
        house.auth.refuses = HomeError("last-master")
        page = await sent(house, do="disable")
        assert page.status == 409
        assert "A home needs a master user" in page.text


async def test_who_is_not_there_is_not_found() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        everybody(house)
        assert (await house.get("/users/nobody")).status == 404


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_says_how_they_are_called_and_spoken_to(role: Role) -> None:
    async with open_house() as house:
        await house.sign_in(role)
        assert (await house.get("/account")).has("a", href="/account/profile")
        form = (await house.get("/account/profile")).form("/account/profile")
        for wrong in ({"name": " ", "language": ""}, {"name": "Kim", "language": "tlh"}):
            assert (await house.send(form, **wrong)).status == 422
        after = await house.send(form, name="Kim", language="de")
        assert (after.status, after.location) == (303, "/account")
        (change,) = house.auth.profiles
        assert (change.token, change.name, change.language) == (f"token-{role}", "Kim", "de")
