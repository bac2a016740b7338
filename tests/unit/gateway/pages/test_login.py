"""Signing in by form, in two steps; the password is in no page and the e-mail in no address."""

import pytest

from shared.words.attempts import name_of
from shared.words.internal import MailPath
from shared.words.names import Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import CODE, PASSWORD, House, open_house

EMAIL = "member@example.org"


async def first_step(house: House, email: str = EMAIL, path: str = "/login") -> Page:
    house.auth.accounts[EMAIL] = parts.session(Role.MEMBER)
    form = (await house.get(path)).form("/login")
    return await house.send(form, email=email, password=PASSWORD)


async def test_the_two_steps_lead_home() -> None:
    async with open_house() as house:
        sent = await first_step(house)
        assert (sent.status, sent.location) == (303, "/login/code")
        assert house.auth.code_requests[0].email == EMAIL
        page = await house.follow(sent)
        form = page.form("/login")
        assert form.fields["email"] == EMAIL
        assert form.fields["password"] == ""
        signed_in = await house.send(form, password=PASSWORD, code=CODE.lower())
        assert (signed_in.status, signed_in.location) == (303, "/")
        assert any("__Host-browser" in cookie for cookie in signed_in.headers.getall("Set-Cookie"))
        assert "Hall" in (await house.get("/")).text


async def test_the_wanted_page_is_shown_after_signing_in() -> None:
    async with open_house() as house:
        page = await house.follow(await first_step(house, path="/login?next=/history"))
        signed_in = await house.send(page.form("/login"), password=PASSWORD, code=CODE)
        assert signed_in.location == "/history"


async def test_step_one_says_the_same_whether_or_not_there_is_such_an_account() -> None:
    async with open_house() as house:
        known, unknown = await first_step(house), await first_step(house, "nobody@example.org")
        assert (known.status, known.location) == (unknown.status, unknown.location)


async def test_a_wrong_code_keeps_the_email_and_nothing_else() -> None:
    async with open_house() as house:
        page = await house.follow(await first_step(house))
        again = await house.send(page.form("/login"), password=PASSWORD, code="WRNG-CODE")
        assert again.status == 401
        assert "The sign-in failed" in again.text
        form = again.form("/login")
        assert (form.fields["email"], form.fields["password"], form.fields["code"]) == (EMAIL, "", "")
        assert PASSWORD not in again.body


async def test_what_is_no_email_is_refused_without_asking() -> None:
    async with open_house() as house:
        again = await first_step(house, "<script>alert(1)</script>")
        assert again.status == 422
        assert "<script>alert" not in again.body
        assert house.auth.code_requests == []


async def test_too_many_tries_are_told_how_long_to_wait() -> None:
    async with open_house() as house:
        page = await house.get("/login")
        for _ in range(10):
            await first_step(house)
        again = await first_step(house)
        assert again.status == 429
        assert int(again.headers["Retry-After"]) > 0
        assert "Try again in" in again.text
        assert page.status == 200


async def test_an_absent_auth_service_is_said_and_the_email_kept() -> None:
    async with open_house() as house:
        house.auth.away = True
        again = await first_step(house)
        assert again.status == 503
        assert again.form("/login").fields["email"] == EMAIL


async def test_the_page_says_that_a_mailed_code_is_a_basic_factor() -> None:
    async with open_house() as house:
        assert "A mailed code is a basic second factor" in (await house.get("/login")).text


async def test_password_managers_and_phones_know_the_fields() -> None:
    async with open_house() as house:
        page = await house.follow(await first_step(house))
        assert page.has("input", name="email", autocomplete="username")
        assert page.has("input", name="password", autocomplete="current-password", type="password")
        assert page.has("input", name="code", autocomplete="one-time-code")


async def test_who_is_signed_in_is_not_asked_again() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        assert (await house.get("/login")).location == "/"
        assert (await house.get("/login/code")).location == "/"


async def test_signing_out_ends_the_session_and_says_so() -> None:
    async with open_house() as house:
        info = await house.sign_in(Role.MEMBER)
        left = await house.send((await house.get("/")).form("/logout"))
        assert left.location == "/login"
        assert house.auth.sessions == {}
        assert house.hub.ended == [info.id]
        assert "You are signed out" in (await house.follow(left)).text
        assert (await house.get("/")).location == "/login"


async def test_the_second_step_names_the_attempt_and_says_when_no_letter_comes() -> None:
    async with open_house() as house:
        page = await house.follow(await first_step(house))
        (asked,) = house.auth.code_requests
        name = name_of(asked.browser)
        assert f"This attempt is called {name}" in page.text
        assert page.has("div", id="mail-away", hidden="")
        house.auth.mail = MailPath(mail="away")
        page = await house.get("/login/code")
        assert page.has("div", id="mail-away")
        assert not page.has("div", id="mail-away", hidden="")
        assert f"homesystem code {name}" in page.text
        house.auth.away = True
        assert (await house.get("/login/code")).has("div", id="mail-away", hidden=""), "what is not known is not said"


async def test_it_is_the_same_for_an_account_that_does_not_exist() -> None:
    async with open_house() as house:
        house.auth.mail = MailPath(mail="away")
        pages = [await house.follow(await first_step(house, email)) for email in (EMAIL, "nobody@example.org")]
        assert pages[0].text == pages[1].text


@pytest.mark.parametrize("own", [False, True])
async def test_ones_own_device_is_kept_signed_in_where_it_is_ticked(*, own: bool) -> None:
    async with open_house() as house:
        page = await house.follow(await first_step(house))
        assert page.has("input", name="own", type="checkbox")
        filled = {"own": "yes"} if own else {}
        wrong = await house.send(page.form("/login"), password=PASSWORD, code="WRNG-CODE", **filled)
        assert wrong.has("input", name="own", checked="") is own, "what was ticked stays so"
        signed_in = await house.send(wrong.form("/login"), password=PASSWORD, code=CODE)
        assert [asked.own for asked in house.auth.entered] == [own]
        (kept,) = [one for one in signed_in.headers.getall("Set-Cookie") if one.startswith("__Host-session=")]
        assert f"Max-Age={(400 if own else 7) * 86400};" in kept


async def test_whoever_was_signed_out_reads_why_and_once() -> None:
    for reason, said in (
        ("unused", "Nobody used this browser for a while"),
        ("password-changed", "Your password was changed"),
        ("lockdown", "The home was locked down"),
        ("ended", "From another browser of yours"),
        ("crowded", "You were signed in at more than 50 places"),
    ):
        async with open_house() as house:
            await house.sign_in(Role.MEMBER)
            house.auth.sessions.clear()
            house.auth.why_ended = reason
            page = await house.get("/account")
            assert (page.status, page.location) == (303, "/login?next=/account")
            assert said in (await house.follow(page)).text
            assert said not in (await house.get("/login")).text


async def test_who_signed_out_or_was_never_in_reads_nothing() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.auth.sessions.clear()
        house.auth.why_ended = "signed-out"
        assert "signed out" not in (await house.get("/login")).text
