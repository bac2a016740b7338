"""Authenticator apps by form: set up, refused, removed; what is shown once is in one answer and nowhere else."""

from shared.words.internal_factors import Factor
from shared.words.names import Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import PASSWORD, RECOVERY_CODES, SECRET_KEY, House, open_house

PATH = "/account/factors"


async def begun(house: House, current: str = PASSWORD, name: str = "Phone") -> Page:
    """The page with the picture, or what was wrong."""
    return await house.send((await house.get(PATH)).form(PATH), current=current, name=name)


async def test_an_app_is_set_up_with_the_password_and_its_first_code() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST)
        account = await house.get("/account")
        assert "This is a basic factor" in account.text
        assert account.has("a", href=PATH)
        page = await begun(house)
        assert page.has("svg")
        assert "GEZD GNBV GY3T QOJQ GEZD GNBV GY3T QOJQ" in page.text
        wrong = await house.send(page.form(f"{PATH}/confirm"), code="654321")
        assert wrong.status == 403
        assert "not the code that the app shows" in wrong.text
        assert wrong.has("svg"), "the same picture, to try once more"
        done = await house.send(wrong.form(f"{PATH}/confirm"), code="123456")
        assert all(code in done.text for code in RECOVERY_CODES)
        after = await house.get(PATH)
        assert "Phone" in after.text
        assert "10 of 10 are left" in after.text
        for later in (after, await house.get("/account"), await house.get("/")):
            assert SECRET_KEY not in later.body
            assert not any(code in later.body for code in RECOVERY_CODES)
        second = await house.send((await begun(house, name="")).form(f"{PATH}/confirm"), code="123456")
        assert (await house.follow(second)).status == 200
        assert len(house.auth.apps) == 2


async def test_a_wrong_password_is_said_beside_its_field_and_the_name_is_kept() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await begun(house, current="a guess")
        assert page.status == 403
        assert page.has("input", id="current-begin", **{"aria-invalid": "true"})
        assert page.form(PATH).fields["name"] == "Phone"
        assert "The password is wrong" in page.text
        assert house.auth.begun == []


async def test_it_is_removed_and_codes_are_made_anew_with_the_password() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.auth.apps = [Factor(id="f9", name="<b>Phone</b>", created_at=parts.NOW)]
        page = await house.get(PATH)
        assert "<b>Phone</b>" in page.text
        assert "<b>Phone" not in page.body
        wrong = await house.send(page.form(f"{PATH}/recovery"), current="a guess")
        assert wrong.has("input", id="current-recovery", **{"aria-invalid": "true"})
        made = await house.send(page.form(f"{PATH}/recovery"), current=PASSWORD)
        assert RECOVERY_CODES[0] in made.text
        wrong = await house.send(page.form(f"{PATH}/remove"), current="a guess")
        assert wrong.has("details", open=""), "the form that was wrong stays open"
        assert len(house.auth.apps) == 1
        after = await house.follow(await house.send(page.form(f"{PATH}/remove"), current=PASSWORD))
        assert "Removed" in after.text
        assert house.auth.apps == []


async def test_a_form_that_is_none_of_ours_draws_nothing() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await begun(house)).form(f"{PATH}/confirm")
        for field, value in (("uri", "javascript:alert(1)"), ("secret", "<script>")):
            page = await house.send(form, code="123456", **{field: value})
            assert (page.status, page.location) == (303, PATH)
        assert house.auth.apps == []
