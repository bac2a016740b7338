"""The visits to what one sees and changes of one's own: the history, the account, its factors and tokens."""

from contextlib import nullcontext
from typing import Final

import pyotp
from playwright.sync_api import Page

from tests.e2e.actions import plug_in
from tests.visited_home import VisitedHome
from tests.visits.visit import Phase, Visit, opens, sends, then

_WANTS_AN_ADDRESS = sends('form[action="/account/email"]', email="me@elsewhere.example", current="MASTER")


def _sets_an_app_up(page: Page, home: VisitedHome) -> None:
    form = 'form[action="/account/factors"]'
    page.locator(f"{form} [name=name]").fill("Phone")
    page.locator(f"{form} [name=current]").fill(home.password("new-en"))
    page.locator(f"{form} button.strong").click()
    page.locator("code.typed").wait_for()


def _typed_what_the_app_does_not_show(page: Page, home: VisitedHome) -> None:
    _sets_an_app_up(page, home)
    page.locator("#code").fill("000000")
    page.locator("form.fields button.strong").click()
    page.locator("#said.wrong").wait_for()


def _has_an_app(page: Page, home: VisitedHome) -> None:
    _sets_an_app_up(page, home)
    key = page.locator("code.typed").inner_text().replace(" ", "")
    page.locator("#code").fill(pyotp.TOTP(key).now())
    page.locator("form.fields button.strong").click()
    page.locator(".recovery code").first.wait_for()


def _makes_a_passkey(page: Page, home: VisitedHome) -> None:
    plug_in(page)
    page.reload()
    section = page.locator("#passkey")
    section.locator("[name=name]").fill("Phone")
    section.locator("[name=current]").fill(home.password("key-en"))
    section.locator("button.strong").click()
    page.locator(".recovery code").first.wait_for()


def _made_a_token(page: Page, home: VisitedHome) -> None:
    page.locator("[name=name]").fill("Panel")
    page.locator('[name="hall/lamp on"]').check()
    page.locator("[name=current]").fill(home.password("master"))
    page.locator("button.strong").click()
    page.locator("#token").wait_for()


_ACCOUNT: Final = (
    Visit("history", "/history", "/history", "master", steps=opens),
    Visit("history-filtered", "/history", "/history?room=hall&outcome=executed", "master"),
    Visit("history-wrong", "/history", "/history?since=nonsense", "master", 400),
    Visit("history-nothing", "/history", "/history?until=2001-01-01", "master"),
    Visit("history-guest", "/history", "/history", "guest"),
    Visit("readings", "/readings/{room}/{device}", "/readings/hall/lamp", "master", steps=opens),
    Visit("readings-week", "/readings/{room}/{device}", "/readings/kitchen/lamp?span=week", "member"),
    Visit("account", "/account", "/account", "master", steps=opens),
    Visit("account-alex", "/account", "/account", "alex", steps=opens),
    Visit("account-guest", "/account", "/account", "guest", steps=opens),
    Visit("account-granted-nothing", "/account", "/account", "nora"),
    Visit("account-said", "/account", "/account/profile", "member", steps=sends("main form", name="Member")),
    Visit("tokens", "/account/tokens", "/account/tokens", "master"),
    Visit("tokens-proof", "/account/tokens", "/account/tokens", "alex"),
    Visit(
        "tokens-wrong",
        "/account/tokens",
        "/account/tokens",
        "master",
        steps=sends("main form", name="", current="not the password"),
    ),
    Visit("tokens-made", "/account/tokens", "/account/tokens", "master", steps=_made_a_token),
    Visit("password", "/account/password", "/account/password", "master"),
    Visit(
        "password-wrong",
        "/account/password",
        "/account/password",
        "master",
        steps=sends("main form", current="not the password", new="paper boats under bridges", again="paper boats"),
    ),
    Visit("email", "/account/email", "/account/email", "member"),
    Visit(
        "email-wrong",
        "/account/email",
        "/account/email",
        "member",
        steps=sends("main form", email="me at home", current="not the password"),
    ),
    Visit("email-codes", "/account/email", "/account/email", "master", steps=then(_WANTS_AN_ADDRESS, opens)),
    Visit(
        "email-codes-wrong",
        "/account/email",
        "/account/email",
        "master",
        steps=then(_WANTS_AN_ADDRESS, sends('form[action$="/confirm"]', old_code="ABCD-2345", new_code="ABCD-2345")),
    ),
    Visit("profile", "/account/profile", "/account/profile", "member"),
    Visit("profile-wrong", "/account/profile", "/account/profile", "member", steps=sends("main form", name=" ")),
    Visit("factors", "/account/factors", "/account/factors", "member"),
    Visit("factors-alex", "/account/factors", "/account/factors", "alex", steps=opens),
    Visit(
        "factors-wrong",
        "/account/factors",
        "/account/factors",
        "master",
        steps=sends('form[action="/account/factors"]', name="Phone", current="not the password"),
    ),
    Visit("passkey", "/account/factors", "/account/factors", "key-", steps=_makes_a_passkey),
    Visit("factors-passkey", "/account/factors", "/account/factors", "key-", steps=opens),
    Visit("factor", "/account/factors", "/account/factors", "new-", steps=_sets_an_app_up),
    Visit("factor-wrong", "/account/factors", "/account/factors", "new-", steps=_typed_what_the_app_does_not_show),
    Visit("recovery", "/account/factors", "/account/factors", "new-", steps=_has_an_app),
)
PHASES: Final = (Phase("account", nullcontext, _ACCOUNT),)
