"""Inviting from the page of people, and the page where the letter's link leads."""

import pytest

from shared.words.internal_people import InvitationTaken
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import CODE, ORIGIN, PASSWORD, House, open_house

CHOSEN = "lanterns over quiet harbours"


async def invited(house: House, **fields: str) -> Page:
    """What comes of the form."""
    typed = {"email": "ben@example.org", "name": "Ben", "role": "guest", "language": "de", "current": PASSWORD}
    return await house.send((await house.get("/users/invite")).form("/users/invite"), **typed | fields)


async def taken(house: House, code: str = CODE, new: str = CHOSEN, again: str = CHOSEN) -> Page:
    """What comes of the letter's page."""
    form = (await house.get("/invitations/i1")).form("/invitations/i1")
    return await house.send(form, code=code, new=new, again=again)


async def test_the_master_user_invites_lists_and_withdraws() -> None:
    async with open_house() as house:
        info = await house.sign_in(Role.MASTER)
        assert (await house.get("/users")).has("a", href="/users/invite")
        after = await house.follow(await invited(house))
        assert "Ben is invited" in after.text
        assert "The letter is not sent yet" in after.text
        (asked,) = house.auth.invited
        assert (asked.token, asked.role, asked.language, asked.home) == ("token-master", "guest", "de", ORIGIN)
        form = after.form("/users/invitations/withdraw")
        assert "The invitation is withdrawn" in (await house.follow(await house.send(form))).text
        assert house.auth.withdrawn == [("i1", info.user.id)]


@pytest.mark.parametrize(
    ("fields", "field", "said", "status"),
    [
        ({"email": "ben"}, "email", "Type an e-mail address.", 422),
        ({"name": " "}, "name", "Type a name", 422),
        ({"role": "owner"}, "role", "Choose what they may do.", 422),
        ({"language": "tlh"}, "language", "Choose a language.", 422),
        ({"current": ""}, "current", "Type the password that you have.", 422),
        ({"current": "a guess"}, "current", "Type the password that you have now", 403),
    ],
)
async def test_what_was_wrong_stands_beside_its_field_and_what_was_typed_is_kept(
    fields: dict[str, str], field: str, said: str, status: int
) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        page = await invited(house, **fields)
        assert page.status == status
        name = "select" if field in ("role", "language") else "input"
        assert page.has(name, name=field, **{"aria-invalid": "true"})
        assert said in page.text
        assert field == "email" or page.has("input", name="email", value="ben@example.org")
        assert PASSWORD not in page.body
        assert house.auth.invited == []


async def test_an_address_that_has_an_account_is_said_to_the_master_user() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.auth.refuses = HomeError("already-exists", "Somebody has it.", field="email")
        page = await invited(house)
        assert (page.status, page.has("input", name="email", **{"aria-invalid": "true"})) == (409, True)


async def test_the_link_asks_nobody_anything_however_often_it_is_opened() -> None:
    async with open_house() as house:
        house.auth.away = True
        pages = [await house.get(path) for path in ("/invitations/i1", "/invitations/i1", "/invitations/no-such")]
        assert [page.status for page in pages] == [200] * 3
        assert len({page.text for page in pages}) == 1, "it looks the same whether there is one or not"


async def test_who_has_the_code_joins_and_is_led_to_signing_in() -> None:
    async with open_house() as house:
        page = await taken(house)
        assert (page.status, page.location) == (303, "/login")
        assert "The account is made" in (await house.follow(page)).text
        assert house.auth.joined == [InvitationTaken(id="i1", code=CODE, new=CHOSEN, address="127.0.0.1")]


@pytest.mark.parametrize(
    ("fields", "field", "status"),
    [
        ({"code": "WRNG-CODE"}, "code", 403),
        ({"code": ""}, "code", 422),
        ({"new": "short", "again": "short"}, "new", 422),
        ({"again": "lanterns over quiet harbors"}, "again", 422),
    ],
)
async def test_neither_code_nor_password_is_written_back(fields: dict[str, str], field: str, status: int) -> None:
    async with open_house() as house:
        page = await taken(house, **fields)
        assert page.status == status
        assert page.has("input", name=field, **{"aria-invalid": "true", "autofocus": ""})
        assert not any(one in page.body for one in (CODE, CHOSEN, "WRNG-CODE"))
        assert house.auth.joined == []


async def test_guessing_is_bounded_by_address() -> None:
    async with open_house() as house:
        form = (await house.get("/invitations/i1")).form("/invitations/i1")
        typed = {"new": CHOSEN, "again": CHOSEN}
        for _ in range(20):
            await house.send(form, code="WRNG-CODE", **typed)
        page = await house.send(form, code=CODE, **typed)
        assert (page.status, house.auth.joined) == (429, [])
        assert int(page.headers["Retry-After"]) > 0
