"""The page on which one changes one's e-mail address: two letters, two codes, and what is said beside which field."""

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.door import browsers
from gateway.door.browsers import Browsers
from shared.words.internal_factors import Factor
from shared.words.names import Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import CODE, PASSWORD, SECRET, House, open_house

NEW = "me@elsewhere.example"


async def begun(house: House, email: str = NEW, current: str = PASSWORD) -> Page:
    """What comes of wanting another address."""
    form = (await house.get("/account/email")).form("/account/email")
    return await house.send(form, email=email, current=current)


async def typed(house: House, old: str = CODE, new: str = CODE) -> Page:
    """What comes of typing the codes."""
    form = (await house.get("/account/email")).form("/account/email/confirm")
    return await house.send(form, old_code=old, new_code=new)


@pytest.mark.parametrize("role", list(Role))
async def test_everybody_changes_their_own_by_two_letters_and_stays_signed_in(role: Role) -> None:
    async with open_house() as house:
        info = await house.sign_in(role)
        assert (await house.get("/account")).has("a", href="/account/email")
        page = await house.follow(await begun(house))
        assert "Two letters are on their way" in page.text
        assert f"Code from the letter to {info.user.email}" in page.text
        assert f"Code from the letter to {NEW}" in page.text
        after = await house.follow(await typed(house))
        assert "Your e-mail address is another one now" in after.text
        assert f"You sign in with {NEW}" in after.text
        (wish,), (confirmed,) = house.auth.wishes, house.auth.addresses_typed
        assert (wish.token, wish.email, wish.current) == (f"token-{role}", NEW, PASSWORD)
        assert (confirmed.old_code, confirmed.new_code, confirmed.code) == (CODE, CODE, "")
        assert house.hub.ended == [info.id]


@pytest.mark.parametrize(
    ("fields", "field", "said", "status"),
    [
        ({"current": "not mine"}, "current", "Type the password that you have now", 403),
        ({"current": ""}, "current", "1 to 1024 characters", 422),
        ({"email": "me at home"}, "email", "name@example.org", 422),
        ({"email": ""}, "email", "name@example.org", 422),
        ({"email": "x" * 255}, "email", "name@example.org", 422),
    ],
)
async def test_what_was_wrong_stands_beside_its_field_and_no_password_is_written_back(
    fields: dict[str, str], field: str, said: str, status: int
) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await begun(house, **fields)
        assert page.status == status
        assert page.has("input", name=field, **{"aria-invalid": "true", "autofocus": ""})
        assert said in page.text
        assert PASSWORD not in page.body
        assert page.form("/account/email").fields["email"] == fields.get("email", NEW)
        assert house.auth.wishes == []
        assert len([1 for tag, of in page.elements if tag == "input" and "aria-invalid" in of]) == 1


@pytest.mark.parametrize(
    ("old", "new", "field"), [("ABCD-2346", CODE, "old_code"), (CODE, "ABCD-2346", "new_code"), (CODE, "", "new_code")]
)
async def test_a_wrong_code_stands_beside_its_field_and_the_other_is_kept(old: str, new: str, field: str) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        await begun(house)
        page = await typed(house, old, new)
        assert page.status in {403, 422}
        assert page.has("input", name=field, **{"aria-invalid": "true", "autofocus": ""})
        fields = page.form("/account/email/confirm").fields
        assert (fields["old_code"], fields["new_code"]) == (old, new)
        assert house.auth.addresses_typed == []


async def test_one_may_start_over_beside_the_codes() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        await begun(house)
        page = await house.get("/account/email")
        assert "Start over" in page.text
        assert not page.has("details", open="")
        wrong = await begun(house, "me at home")
        assert wrong.has("details", open=""), "what was wrong is not folded away"
        await house.follow(await begun(house, "other@elsewhere.example"))
        assert [one.email for one in house.auth.wishes] == [NEW, "other@elsewhere.example"]


async def test_who_lost_the_mailbox_may_leave_its_code_out_where_a_strong_factor_does() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.auth.apps = [Factor(id="f1", name="Phone", created_at=parts.NOW)]
        await begun(house)
        page = await house.get("/account/email")
        assert page.has("input", name="old_code", required="")
        assert "You cannot read letters there any more?" not in page.text
        house.auth.instead = True
        page = await house.get("/account/email")
        assert not page.has("input", name="old_code", required="")
        assert "You cannot read letters there any more?" in page.text
        form = page.form("/account/email/confirm")
        await house.follow(await house.send(form, old_code="", new_code=CODE, code="123456"))
        (confirmed,) = house.auth.addresses_typed
        assert (confirmed.old_code, confirmed.code) == ("", "123456")


async def test_that_the_auth_service_is_away_is_said_and_what_was_typed_is_kept() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/email")).form("/account/email")
        house.auth.away = True
        page = await house.send(form, email=NEW, current=PASSWORD)
        assert page.status == 503
        assert page.form("/account/email").fields["email"] == NEW


async def test_who_is_not_signed_in_is_asked_to() -> None:
    async with open_house() as house:
        page = await house.get("/account/email")
        assert (page.status, page.location) == (303, "/login?next=/account/email")


@pytest.mark.parametrize("known", [True, False])
async def test_a_browser_that_was_known_is_known_by_the_new_address_and_no_other_becomes_known(known: bool) -> None:
    async with open_house() as house:
        info = await house.sign_in(Role.MEMBER)
        kept = Browsers(SECRET)
        if known:
            answer = web.Response()
            kept.remember(make_mocked_request("GET", "/"), answer, info.user.email)
            value = answer.cookies[browsers.COOKIE].value
            house.browser.session.cookie_jar.update_cookies({browsers.COOKIE: value}, house.browser.make_url("/"))
        await begun(house)
        page = await typed(house)
        found = [line for line in page.headers.getall("Set-Cookie") if line.startswith(browsers.COOKIE)]
        assert len(found) == known
        for line in found:
            sent = make_mocked_request("GET", "/", headers={"Cookie": line.partition(";")[0]})
            assert kept.known(sent, NEW) is not None
            assert kept.known(sent, NEW) == kept.known(sent, info.user.email), "it is one browser still"
