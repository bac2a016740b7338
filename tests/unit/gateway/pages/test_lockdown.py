"""The lockdown's pages without JavaScript: who is offered what, both steps, and the banner that everyone sees."""

import pytest

from shared.words.attempts import name_of
from shared.words.internal import Grant, LockdownState, MailPath
from shared.words.internal_factors import Factor
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import APP_CODE, CODE, HEADERS, PASSWORD, House, open_house

LAMP_ONLY = Grant(room="hall", device="lamp")
BEGUN = LockdownState(active=True, at=parts.NOW)
BANNER = "The home is locked down. Only Off, Lock and Stop work."


def banner(page: Page) -> bool:
    """Whether the page shows the banner; it is there, hidden, on every page of who is signed in."""
    return page.has("div", id="lockdown") and not page.has("div", id="lockdown", hidden="")


async def second_step(house: House) -> Page:
    """Ask for a code, and open the page that takes it."""
    page = await house.get("/lockdown")
    sent = await house.send(page.form("/lockdown/code"))
    assert (sent.status, sent.location) == (303, "/lockdown/code")
    return await house.follow(sent)


async def test_home_page_offers_it_to_those_who_may() -> None:
    for role, grants, offered in ((Role.MASTER, (), True), (Role.MEMBER, (), True), (Role.GUEST, (LAMP_ONLY,), False)):
        async with open_house() as house:
            await house.sign_in(role, *grants)
            page = await house.get("/")
            assert page.has("a", href="/lockdown", id="lock-down") is offered
            assert not banner(page)
            assert (await house.get("/lockdown")).status == (200 if offered else 403)
            assert (await house.get("/lockdown/code")).status == (200 if offered else 403)


@pytest.mark.parametrize("role", [Role.MASTER, Role.MEMBER])
async def test_two_forms_lock_the_home_down_and_sign_out(role: Role) -> None:
    async with open_house() as house:
        info = await house.sign_in(role)
        first = await house.get("/lockdown")
        assert "Everyone is signed out everywhere, you too." in first.text
        assert "whoever asks" in first.text
        assert house.auth.lockdown_codes == [], "looking mails nothing"
        page = await second_step(house)
        assert [asked.token for asked in house.auth.lockdown_codes] == [f"token-{role}"]
        assert f"on its way to {info.user.email}" in page.text
        assert not page.has("input", name="password")
        sent = await house.send(page.form("/lockdown"), code=f" {CODE.lower()} ")
        assert (sent.status, sent.location) == (303, "/login")
        (wanted,) = house.registrar.lockdowns
        assert (wanted.active, wanted.code, wanted.token) == (True, CODE.lower(), f"token-{role}")
        after = await house.follow(sent)
        assert "The home is locked down Everyone is signed out, you too." in after.text
        assert house.hub.ended == [info.id]
        assert (await house.get("/")).location == "/login"


async def test_everyone_sees_the_banner_and_the_master_user_the_way_out() -> None:
    for role, grants in ((Role.MASTER, ()), (Role.MEMBER, ()), (Role.GUEST, (LAMP_ONLY,))):
        async with open_house() as house:
            house.home.set_lockdown(BEGUN)
            await house.sign_in(role, *grants)
            for path in ("/", "/rooms/hall", "/account", "/history", "/nothing"):
                page = await house.get(path)
                assert banner(page), path
                assert BANNER in page.text
                assert ("End it…" in page.text) is (role is Role.MASTER)
            page = await house.get("/lockdown")
            assert banner(page)
            offered = [form.action for form in page.forms if form.action.startswith("/lockdown")]
            assert offered == (["/lockdown/code"] if role is Role.MASTER else [])
            assert ("Only the master user ends it" in page.text) is (role is not Role.MASTER)


async def test_strangers_are_not_told() -> None:
    async with open_house() as house:
        house.home.set_lockdown(BEGUN)
        page = await house.get("/login")
        assert not banner(page)
        assert "locked down" not in page.text
        assert (await house.get("/lockdown")).location == "/login?next=/lockdown"


async def test_master_user_ends_it_with_password_and_code() -> None:
    async with open_house() as house:
        house.home.set_lockdown(BEGUN)
        await house.sign_in(Role.MASTER)
        page = await second_step(house)
        assert page.has("input", name="password", type="password")
        sent = await house.send(page.form("/lockdown"), code=CODE, password=PASSWORD)
        assert (sent.status, sent.location) == (303, "/")
        (wanted,) = house.registrar.lockdowns
        assert (wanted.active, wanted.code, wanted.password) == (False, CODE, PASSWORD)
        after = await house.follow(sent)
        assert "The lockdown is over" in after.text
        assert not banner(after)
        assert after.has("a", href="/lockdown", id="lock-down")


async def test_members_and_guests_end_nothing_whatever_they_send() -> None:
    async with open_house() as house:
        house.home.set_lockdown(BEGUN)
        for role, grants in ((Role.MEMBER, ()), (Role.GUEST, (LAMP_ONLY,))):
            await house.sign_in(role, *grants)
            form = (await house.get("/rooms/hall")).form("/rooms/hall/lamp", "off")
            form.action = "/lockdown"
            sent = await house.send(form, active="false", code=CODE, password=PASSWORD)
            assert sent.status == 403
            form.action = "/lockdown/code"
            assert (await house.send(form)).status == 403
        form.action = "/lockdown"
        assert (await house.send(form, active="true", code=CODE)).status == 403, "a guest begins none either"
        assert house.registrar.lockdowns == []
        assert house.auth.lockdown_codes == []


@pytest.mark.parametrize("slug", ["confirmation-failed", "auth-unreachable", "no-proof"])
async def test_what_went_wrong_is_said_beside_the_form_and_nothing_typed_comes_back(slug: str) -> None:
    async with open_house() as house:
        house.home.set_lockdown(BEGUN)
        await house.sign_in(Role.MASTER)
        page = await second_step(house)
        house.registrar.answer = HomeError(slug)
        again = await house.send(page.form("/lockdown"), code=CODE, password=PASSWORD)
        assert again.status == HomeError(slug).status
        assert HomeError(slug).title in again.text
        assert PASSWORD not in again.body
        assert CODE not in again.body
        house.registrar.answer = None
        assert (await house.send(again.form("/lockdown"), code=CODE, password=PASSWORD)).status == 303


async def test_too_many_tries_and_too_many_codes_are_told_with_the_time_to_wait() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        page = await second_step(house)
        house.registrar.answer = HomeError("confirmation-failed")
        statuses = [(await house.send(page.form("/lockdown"), code="AAAA-AAAA")).status for _ in range(21)]
        assert statuses == [403] * 20 + [429]
        last = await house.send(page.form("/lockdown"), code="AAAA-AAAA")
        assert "Too many tries for now. Try again in" in last.text
        assert int(last.headers["Retry-After"]) > 0
        first = await house.get("/lockdown")
        codes = [(await house.send(first.form("/lockdown/code"))).status for _ in range(5)]
        assert codes == [303] * 4 + [429]


async def test_without_the_token_from_elsewhere_or_without_a_wish_nothing_changes() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        form = (await second_step(house)).form("/lockdown")
        assert (await house.send(form, code=CODE, csrf_token="x")).status == 403
        for wanted in ("", "True", "1"):
            assert (await house.send(form, code=CODE, active=wanted)).status == 400
        elsewhere = HEADERS | {"Origin": "https://evil.example"}
        for address in ("/lockdown", "/lockdown/code"):
            async with house.browser.post(address, data=form.fields | {"code": CODE}, headers=elsewhere) as answer:
                assert answer.status == 403
        assert house.registrar.lockdowns == []
        assert len(house.auth.lockdown_codes) == 1


async def test_who_signed_in_during_a_lockdown_stays_so_where_it_is_begun_again() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await second_step(house)).form("/lockdown")
        house.home.set_lockdown(BEGUN)

        async def stands_already(_wanted: object) -> LockdownState:
            return BEGUN

        house.registrar.lock_down = stands_already  # type: ignore[method-assign,assignment]  # as auth answers then
        await house.send(form, code=CODE)
        assert banner(await house.get("/"))
        assert house.hub.ended == []


async def test_a_command_is_refused_with_the_reason_and_asks_no_confirmation() -> None:
    async with open_house() as house:
        house.home.set_lockdown(BEGUN)
        await house.sign_in(Role.MEMBER)
        house.commands.answer = HomeError("lockdown")
        page = await house.get("/")
        after = await house.follow(await house.send(page.form("/rooms/hall/front-door", "unlock"), "unlock"))
        assert "The home is locked down Off, lock and stop still work" in after.text


@pytest.mark.parametrize("role", [Role.MASTER, Role.MEMBER])
async def test_the_password_alone_begins_it_on_the_first_page(role: Role) -> None:
    async with open_house() as house:
        await house.sign_in(role)
        page = await house.get("/lockdown")
        house.registrar.answer = HomeError("confirmation-failed")
        again = await house.send(page.form("/lockdown"), password="wrong")
        assert (again.status, "The confirmation failed" in again.text) == (403, True)
        house.registrar.answer = None
        sent = await house.send(again.form("/lockdown"), password=PASSWORD)
        assert (sent.status, sent.location) == (303, "/login")
        assert [(w.active, w.code, w.password) for w in house.registrar.lockdowns[1:]] == [(True, "", PASSWORD)]
        assert house.auth.lockdown_codes == []


async def test_mail_that_is_away_is_said_with_the_ways_that_are_left() -> None:
    async with open_house() as house:
        house.auth.mail = MailPath(mail="away")
        info = await house.sign_in(Role.MASTER)
        page = await second_step(house)
        assert "Mail cannot be delivered just now." in page.text
        assert "on its way" not in page.text
        assert "your password is enough" in page.text
        assert f"homesystem code {name_of(info.id)}" in page.text
        house.home.set_lockdown(BEGUN)
        page = await second_step(house)
        assert "homesystem lockdown end" in page.text
        assert f"homesystem code {name_of(info.id)}" in page.text


async def test_who_has_a_strong_factor_ends_it_in_one_form_without_a_letter() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.home.set_lockdown(BEGUN)
        house.auth.apps = [Factor(id="f1", name="Phone", created_at=parts.NOW)]
        page = await house.get("/lockdown")
        assert not [form for form in page.forms if form.action == "/lockdown/code"]
        sent = await house.send(page.form("/lockdown"), password=PASSWORD, code=f" {APP_CODE} ")
        assert (sent.status, sent.location) == (303, "/")
        (wanted,) = house.registrar.lockdowns
        assert (wanted.active, wanted.code, wanted.password) == (False, APP_CODE, PASSWORD)
