"""Every page of the gateway in each state that people meet: for the test of all pages and `python -m tests.pictures`.

A page that is on the route table and not here fails tests/unit/test_visits.py.
"""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any, Final, NamedTuple

import pyotp
from playwright.sync_api import Page, expect

from tests.e2e.actions import WAIT, wait_for_look, wait_until_live
from tests.visited_home import VisitedHome

Steps = Callable[[Page, VisitedHome], None]


class Visit(NamedTuple):
    """One state of one page.

    `path` names ids in braces ("/users/{guest}"), and `who` comes: nobody, or as VisitedHome.cookies knows them; where
    it ends in "-", somebody for each language. `steps` lead on from there, by a browser's own means.
    """

    name: str
    route: str
    path: str
    who: str | None = None
    status: int = 200
    steps: Steps | None = None

    def visitor(self, language: str) -> str | None:
        """Who comes, in this language."""
        return f"{self.who}{language}" if self.who and self.who.endswith("-") else self.who

    def address(self, home: VisitedHome) -> str:
        """Where it is in this home."""
        return self.path.format(**home.ids)


class Phase(NamedTuple):
    """What is seen while the home is in one state."""

    name: str
    during: Callable[[VisitedHome], AbstractContextManager[Any]]
    visits: tuple[Visit, ...]


UNVISITED: Final[Mapping[str, str]] = {}
"""Pages of the route table that nobody looks at, and why."""


def sends(form: str, **fields: str) -> Steps:
    """Fill this form's fields in and send it, whatever the browser itself would say of them."""

    def steps(page: Page, home: VisitedHome) -> None:
        within = page.locator(form).last
        within.evaluate("(it) => { it.noValidate = true; const at = it.closest('details'); if (at) at.open = true; }")
        for name, value in fields.items():
            within.locator(f'[name="{name}"]').first.fill(home.password("master") if value == "MASTER" else value)
        with page.expect_navigation():
            within.evaluate("(it) => it.requestSubmit(it.querySelector('button:not([type=button])'))")

    return steps


def then(*several: Steps) -> Steps:
    """One after the other."""

    def steps(page: Page, home: VisitedHome) -> None:
        for one in several:
            one(page, home)

    return steps


def opens(page: Page, _: VisitedHome) -> None:
    """Everything that folds."""
    page.evaluate("for (const one of document.querySelectorAll('details')) one.open = true")


_WANTS_AN_ADDRESS = sends('form[action="/account/email"]', email="me@elsewhere.example", current="MASTER")


def _asked_for_a_code(page: Page, _: VisitedHome) -> None:
    page.locator("#email").fill("nobody@home.example")
    page.locator("#password").fill("nobody's own words")
    page.locator("#submit").click()
    page.locator("#code").wait_for()


def _asked_in_vain(page: Page, _: VisitedHome) -> None:
    page.locator("#email").fill("nobody@home.example")
    page.locator("#password").fill("nobody's own words")
    page.locator("#submit").click()
    page.locator("#problem .said").wait_for()


def _typed_a_wrong_code(page: Page, home: VisitedHome) -> None:
    _asked_for_a_code(page, home)
    page.locator("#code").fill("AAAA-AAAA")
    page.locator("#submit").click()
    page.locator("#problem .said").wait_for()


def _is_asked(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    page.locator('[id="hall.front-door"] button.asks').first.click()
    expect(page.locator("#confirmation")).to_be_visible(timeout=WAIT)


def _switched_the_lamp(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    page.locator('[id="hall.lamp"] button[value=off]').click()
    page.locator(".told").wait_for()


def _without_a_connection(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    page.context.set_offline(True)
    page.locator("body[data-link=lost]").wait_for(timeout=WAIT)


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


def _made_a_token(page: Page, home: VisitedHome) -> None:
    page.locator("[name=name]").fill("Panel")
    page.locator('[name="hall/lamp on"]').check()
    page.locator("[name=current]").fill(home.password("master"))
    page.locator("button.strong").click()
    page.locator("#token").wait_for()


def _lost_its_token_of_the_form(page: Page, home: VisitedHome) -> None:
    page.locator("form.fields [name=csrf_token]").evaluate("(it) => (it.value = '')")
    sends("form.fields")(page, home)


def _room_away(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    page.locator("[data-room=garage][data-status=offline]").first.wait_for(timeout=WAIT)


def _room_there(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    wait_for_look(page, "hall/lamp", "on", "off")


@contextmanager
def _without(home: VisitedHome, process: str) -> Iterator[None]:
    home.demo.supervise("stop", process)
    try:
        yield
    finally:
        home.demo.supervise("start", process)


@contextmanager
def _locked_down(home: VisitedHome) -> Iterator[None]:
    begun = home.demo.command("lockdown", "begin")
    assert begun.returncode == 0, begun.stderr
    home.sign_everybody_out()
    try:
        yield
    finally:
        assert home.demo.command("lockdown", "end").returncode == 0


_DOOR: Final = (
    Visit("login", "/login", "/login"),
    Visit("login-asked", "/login", "/login", steps=_asked_for_a_code),
    Visit("login-wrong", "/login", "/login", steps=_typed_a_wrong_code),
    Visit("login-code", "/login/code", "/login/code"),
    Visit("invitation", "/invitations/{id}", "/invitations/{invitation}"),
    Visit(
        "invitation-wrong",
        "/invitations/{id}",
        "/invitations/00000000",
        steps=sends("main form", code="AAAA-AAAA", new="seven slow trains", again="seven slow ships"),
        status=200,
    ),
    Visit("authority", "/authority", "/authority"),
    Visit("offline", "/offline", "/offline"),
    Visit("problem", "/problems/{slug}", "/problems/rate-limited"),
)
_HOME: Final = (
    Visit("home", "/", "/", "master", steps=_room_there),
    Visit("home-asks", "/", "/", "master", steps=_is_asked),
    Visit("home-said", "/", "/", "member", steps=_switched_the_lamp),
    Visit("home-lost", "/", "/", "member", steps=_without_a_connection),
    Visit("home-member", "/", "/", "member", steps=_room_there),
    Visit("home-guest", "/", "/", "guest", steps=_room_there),
    Visit("home-nothing", "/", "/nowhere", "master", 404),
    Visit("room", "/rooms/{room}", "/rooms/hall", "master", steps=_room_there),
    Visit("room-open", "/rooms/{room}", "/rooms/hall", "master", steps=then(_room_there, opens)),
    Visit("room-kitchen", "/rooms/{room}", "/rooms/kitchen", "master", steps=opens),
    Visit("room-guest", "/rooms/{room}", "/rooms/hall", "guest", steps=_room_there),
    Visit("room-unknown", "/rooms/{room}", "/rooms/nowhere", "master", 404),
    Visit("room-hidden", "/rooms/{room}", "/rooms/kitchen", "guest", 404),
    Visit(
        "confirm",
        "/rooms/{room}/{device}/confirm",
        "/rooms/hall/front-door/confirm?action=unlock",
        "member",
    ),
    Visit(
        "confirm-step-up",
        "/rooms/{room}/{device}/confirm",
        "/rooms/garage/door/confirm?action=press",
        "alex",
    ),
    Visit(
        "confirm-step-up-wrong",
        "/rooms/{room}/{device}/confirm",
        "/rooms/garage/door/confirm?action=press",
        "alex",
        steps=sends("main form", code="AAAA-AAAA"),
    ),
    Visit(
        "confirm-step-up-none",
        "/rooms/{room}/{device}/confirm",
        "/rooms/garage/door/confirm?action=press",
        "member",
    ),
    Visit("lockout", "/rooms/{room}/{device}/lockout", "/rooms/kitchen/kettle/lockout", "master"),
    Visit("confirm-by", "/rooms/{room}/{device}/confirm-by", "/rooms/hall/lamp/confirm-by", "master"),
    Visit("confirm-by-door", "/rooms/{room}/{device}/confirm-by", "/rooms/garage/door/confirm-by", "alex"),
    Visit(
        "confirm-by-wrong",
        "/rooms/{room}/{device}/confirm-by",
        "/rooms/garage/door/confirm-by",
        "alex",
        steps=sends("main form", code="AAAA-AAAA"),
    ),
)
_ARRANGING: Final = (
    Visit("arrange", "/arrange", "/arrange", "member"),
    Visit("arrange-room", "/arrange/{room}", "/arrange/hall", "guest"),
    Visit("arrange-kitchen", "/arrange/{room}", "/arrange/kitchen", "member", steps=opens),
    Visit("arrange-home", "/house/arrange", "/house/arrange", "master"),
    Visit("arrange-homes-room", "/house/arrange/{room}", "/house/arrange/kitchen", "master", steps=opens),
    Visit("name-room", "/house/names/{room}", "/house/names/hall", "master"),
    Visit("name-device", "/house/names/{room}/{device}", "/house/names/hall/lamp", "master"),
    Visit(
        "name-wrong",
        "/house/names/{room}/{device}",
        "/house/names/hall/lamp",
        "master",
        steps=sends("main form", name="Front door"),
    ),
    Visit("name-forbidden", "/house/names/{room}", "/house/names/hall", "member", 403),
)
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
    Visit("factor", "/account/factors", "/account/factors", "new-", steps=_sets_an_app_up),
    Visit("factor-wrong", "/account/factors", "/account/factors", "new-", steps=_typed_what_the_app_does_not_show),
    Visit("recovery", "/account/factors", "/account/factors", "new-", steps=_has_an_app),
)
_PEOPLE: Final = (
    Visit("users", "/users", "/users", "master"),
    Visit("users-forbidden", "/users", "/users", "member", 403),
    Visit("demand", "/users/factors", "/users/factors", "alex"),
    Visit("demand-none", "/users/factors", "/users/factors", "master"),
    Visit("demand-wrong", "/users/factors", "/users/factors", "alex", steps=sends("main form", code="AAAA-AAAA")),
    Visit("grants", "/users/{user}/grants", "/users/{guest}/grants", "master", steps=opens),
    Visit(
        "grant",
        "/users/{user}/grants/edit",
        "/users/{guest}/grants/edit?device=hall/front-door",
        "master",
    ),
    Visit("grant-old", "/users/{user}/grants/edit", "/users/{guest}/grants/edit?grant=1", "master"),
    Visit(
        "grant-wrong",
        "/users/{user}/grants/edit",
        "/users/{guest}/grants/edit?device=hall/front-door",
        "master",
        steps=sends("main form", begin="08:00", end="08:00"),
    ),
    Visit("invite", "/users/invite", "/users/invite", "master"),
    Visit("invite-proof", "/users/invite", "/users/invite", "alex"),
    Visit(
        "invite-wrong",
        "/users/invite",
        "/users/invite",
        "master",
        steps=sends("main form", email="nobody", name="Ben", current="not the password"),
    ),
    Visit(
        "invite-known",
        "/users/invite",
        "/users/invite",
        "master",
        steps=sends("main form", email="member@home.example", name="Ben", current="MASTER"),
    ),
    Visit("person", "/users/{user}", "/users/{member}", "master", steps=opens),
    Visit("person-proof", "/users/{user}", "/users/{guest}", "alex", steps=opens),
    Visit("person-disabled", "/users/{user}", "/users/{bo}", "master", steps=opens),
    Visit(
        "person-wrong",
        "/users/{user}",
        "/users/{member}",
        "master",
        steps=sends("main form >> nth=0", name="Member", current="not the password"),
    ),
    Visit("person-unknown", "/users/{user}", "/users/00000000", "master", 404),
    Visit("house", "/house", "/house", "master", steps=opens),
    Visit("waiting", "/waiting", "/waiting", "master"),
    Visit("lockdown", "/lockdown", "/lockdown", "member"),
    Visit("lockdown-wrong", "/lockdown", "/lockdown", "member", steps=sends("form.fields", password="not it")),
    Visit("lockdown-forbidden", "/lockdown", "/lockdown", "guest", 403),
    Visit("lockdown-code", "/lockdown/code", "/lockdown/code", "member"),
    Visit("csrf", "/account/profile", "/account/profile", "member", steps=_lost_its_token_of_the_form),
)
_ROOM_AWAY: Final = (
    Visit("home-room-away", "/", "/", "master", steps=_room_away),
    Visit("room-away", "/rooms/{room}", "/rooms/garage", "master", steps=then(_room_away, opens)),
    Visit("house-room-away", "/house", "/house", "master", steps=opens),
)
_DOWN: Final = (
    Visit("home-down", "/", "/", "master", steps=_room_there),
    Visit("lockdown-end", "/lockdown", "/lockdown", "master"),
    Visit("lockdown-end-code", "/lockdown/code", "/lockdown/code", "master"),
    Visit("lockdown-stands", "/lockdown", "/lockdown", "member"),
    Visit("lockdown-guest", "/lockdown", "/lockdown", "guest"),
    Visit("lockdown-over-wrong", "/lockdown/code", "/lockdown/code", "master", steps=sends("form.fields", code="A")),
)
_AUTH_AWAY: Final = (
    Visit("late-home", "/", "/", "master", steps=_room_there),
    Visit("late-account", "/account", "/account", "master"),
    Visit("late-users", "/users", "/users", "master", 503),
    Visit("late-tokens", "/account/tokens", "/account/tokens", "master"),
    Visit("late-login", "/login", "/login", steps=_asked_in_vain),
)
_ALERTS_AWAY: Final = (
    Visit("no-history", "/history", "/history", "master", 503),
    Visit("no-readings", "/readings/{room}/{device}", "/readings/hall/lamp", "master"),
    Visit("house-no-alerts", "/house", "/house", "master", steps=opens),
)
PHASES: Final = (
    Phase("door", nullcontext, _DOOR),
    Phase("home", nullcontext, _HOME),
    Phase("arranging", nullcontext, _ARRANGING),
    Phase("account", nullcontext, _ACCOUNT),
    Phase("people", nullcontext, _PEOPLE),
    Phase("a room away", lambda home: _without(home, "agent-garage"), _ROOM_AWAY),
    Phase("alerts away", lambda home: _without(home, "alerts"), _ALERTS_AWAY),
    Phase("auth away", lambda home: _without(home, "auth"), _AUTH_AWAY),
    Phase("locked down", _locked_down, _DOWN),
)
