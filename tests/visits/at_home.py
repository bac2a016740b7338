"""The visits at the door, and to the home and its rooms."""

from contextlib import nullcontext
from typing import Final

from playwright.sync_api import Page, expect

from tests.e2e.actions import WAIT, wait_until_live
from tests.visited_home import VisitedHome
from tests.visits.visit import Phase, Visit, hall_there, opens, sends, then


def _asked_for_a_code(page: Page, _: VisitedHome) -> None:
    page.locator("#email").fill("nobody@home.example")
    page.locator("#password").fill("nobody's own words")
    page.locator("#submit").click()
    page.locator("#code").wait_for()


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
    Visit("phone", "/join/phone", "/join/phone"),
    Visit("phone-wrong", "/join/phone", "/join/phone", steps=sends("main form", code="no code")),
    Visit("offline", "/offline", "/offline"),
    Visit("problem", "/problems/{slug}", "/problems/rate-limited"),
)
_HOME: Final = (
    Visit("home", "/", "/", "master", steps=hall_there),
    Visit("home-asks", "/", "/", "master", steps=_is_asked),
    Visit("home-said", "/", "/", "member", steps=_switched_the_lamp),
    Visit("home-lost", "/", "/", "member", steps=_without_a_connection),
    Visit("home-member", "/", "/", "member", steps=hall_there),
    Visit("home-guest", "/", "/", "guest", steps=hall_there),
    Visit("home-arranged", "/", "/", "alex", steps=then(hall_there, opens)),
    Visit("home-granted-nothing", "/", "/", "nora"),
    Visit("home-nothing", "/", "/nowhere", "master", 404),
    Visit("room", "/rooms/{room}", "/rooms/hall", "master", steps=hall_there),
    Visit("room-open", "/rooms/{room}", "/rooms/hall", "master", steps=then(hall_there, opens)),
    Visit("room-kitchen", "/rooms/{room}", "/rooms/kitchen", "master", steps=opens),
    Visit("room-guest", "/rooms/{room}", "/rooms/hall", "guest", steps=hall_there),
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
PHASES: Final = (Phase("door", nullcontext, _DOOR), Phase("home", nullcontext, _HOME))
