"""The visits while something of the home is away, or it is locked down."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from playwright.sync_api import Page

from tests.e2e.actions import WAIT, wait_until_live
from tests.visited_home import VisitedHome
from tests.visits.visit import Phase, Visit, hall_there, opens, sends, then


def _asked_in_vain(page: Page, _: VisitedHome) -> None:
    page.locator("#email").fill("nobody@home.example")
    page.locator("#password").fill("nobody's own words")
    page.locator("#submit").click()
    page.locator("#problem .said").wait_for()


def _room_away(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    page.locator("[data-room=garage][data-status=offline]").first.wait_for(timeout=WAIT)


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


_ROOM_AWAY: Final = (
    Visit("home-room-away", "/", "/", "master", steps=_room_away),
    Visit("room-away", "/rooms/{room}", "/rooms/garage", "master", steps=then(_room_away, opens)),
    Visit("house-room-away", "/house", "/house", "master", steps=opens),
)
_DOWN: Final = (
    Visit("home-down", "/", "/", "master", steps=hall_there),
    Visit("lockdown-end", "/lockdown", "/lockdown", "master"),
    Visit("lockdown-end-code", "/lockdown/code", "/lockdown/code", "master"),
    Visit("lockdown-stands", "/lockdown", "/lockdown", "member"),
    Visit("lockdown-guest", "/lockdown", "/lockdown", "guest"),
    Visit("lockdown-over-wrong", "/lockdown/code", "/lockdown/code", "master", steps=sends("form.fields", code="A")),
)
_AUTH_AWAY: Final = (
    Visit("late-home", "/", "/", "master", steps=hall_there),
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
    Phase("a room away", lambda home: _without(home, "agent-garage"), _ROOM_AWAY),
    Phase("alerts away", lambda home: _without(home, "alerts"), _ALERTS_AWAY),
    Phase("auth away", lambda home: _without(home, "auth"), _AUTH_AWAY),
    Phase("locked down", _locked_down, _DOWN),
)
