"""The visits while the home is not as usual: something is away or waited for, somebody asks too often, it is shut."""

from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from playwright.sync_api import Page, Response, expect

from tests.demo import Client
from tests.e2e.actions import WAIT, wait_until_live
from tests.house import until
from tests.loosened import loosened
from tests.visited_home import VisitedHome
from tests.visits.visit import Phase, Steps, Visit, hall_there, opens, sends, then


def _asked_in_vain(page: Page, _: VisitedHome) -> None:
    page.locator("#email").fill("nobody@home.example")
    page.locator("#password").fill("nobody's own words")
    page.locator("#submit").click()
    page.locator("#problem .said").wait_for()


def _room_away(page: Page, _: VisitedHome) -> None:
    wait_until_live(page)
    page.locator("[data-room=garage][data-status=offline]").first.wait_for(timeout=WAIT)


def _waited_for(page: Page, home: VisitedHome) -> None:
    """A member wants the front door unlocked just now, and waits for a second person, or for the time of that."""
    member = home.client("member")
    for one in member.device(_DOOR).get("pending", ()):
        member.call("DELETE", f"/api/v1/devices/{_DOOR}/pending/{one['id']}")
    asked = member.act(_DOOR, "unlock", confirm=True)
    assert asked.status == 202, asked
    if page.locator("body[data-link]").count():
        wait_until_live(page)
    else:
        page.reload()
    page.locator(f'[data-pending="{asked.body["id"]}"] .waits').wait_for(timeout=WAIT)


def _is_asked_to_agree(page: Page, _: VisitedHome) -> None:
    page.locator(".waits button.asks").click()
    expect(page.locator("#confirmation")).to_be_visible(timeout=WAIT)


def _asked_too_often(page: Page, _: VisitedHome) -> None:
    with page.expect_response(_refuses):
        page.locator("main button").last.evaluate("(it) => it.form.requestSubmit(it)")
    page.locator(".trouble").wait_for()


def _typed_too_often(page: Page, home: VisitedHome) -> None:
    with page.expect_response(_refuses):
        sends("main form", code="AAAA-AAAA", new="seven slow trains", again="seven slow trains")(page, home)


def _refuses(response: Response) -> bool:
    return response.status == HTTPStatus.TOO_MANY_REQUESTS


def _told_that_mail_is_away(page: Page, home: VisitedHome) -> None:
    page.locator("#email").fill("master@home.example")
    page.locator("#password").fill(home.password("master"))
    page.locator("#submit").click()
    page.locator("#mail-away:not([hidden])").wait_for()


def _asked_for_a_code_that_cannot_come(page: Page, home: VisitedHome) -> None:
    with page.expect_navigation():
        page.locator('form[action="/lockdown/code"] button').click()
    _comes_to_show("#mail-away")(page, home)


def _comes_to_show(what: str) -> Steps:
    """A letter has to be tried before anybody knows that mail is away, and a registry heard of."""

    def steps(page: Page, _: VisitedHome) -> None:
        def shown() -> bool:
            page.reload()
            return page.locator(what).count() > 0

        until(shown, what)

    return steps


@contextmanager
def _without(home: VisitedHome, process: str) -> Iterator[None]:
    home.demo.supervise("stop", process)
    try:
        yield
    finally:
        home.demo.supervise("start", process)


@contextmanager
def _without_auth(home: VisitedHome) -> Iterator[None]:
    """For a minute after it was heard last, the gateway goes by that."""
    master = home.client("master")
    until(lambda: master.call("GET", "/api/v1/me").status == 200, "the auth service is there")
    with _without(home, "auth"):
        yield


@contextmanager
def _without_mail(home: VisitedHome) -> Iterator[None]:
    """A letter that cannot go out tells of a device that was locked out."""
    with _without(home, "mailbox"):
        locked = home.client("master").call("PUT", "/api/v1/devices/hall/lamp/lockout", {"locked_out": True})
        assert locked.status == HTTPStatus.OK, locked
        yield


@contextmanager
def _word_waited_for(home: VisitedHome) -> Iterator[None]:
    master = home.client("master")
    with loosened(home.demo):
        until(lambda: _waits(master), "it waits")
        yield
    until(lambda: not _waits(master), "nothing waits any more")


def _waits(master: Client) -> bool:
    return b"Nobody would be asked any more" in master.call("GET", "/waiting").body


@contextmanager
def _two_persons(home: VisitedHome) -> Iterator[None]:
    """It stays so: to leave it takes a strong factor, and nothing after it minds."""
    answer = home.client("master").call("PUT", f"/api/v1/devices/{_DOOR}/confirm-by", {"confirm_by": "two-persons"})
    assert answer.status == 200, answer
    yield


@contextmanager
def _appointments(home: VisitedHome) -> Iterator[None]:
    """It stays so, too."""
    home.confirm_by(_DOOR, confirm_by="appointment", delay_minutes=60)
    yield


@contextmanager
def _asked_for_much(home: VisitedHome) -> Iterator[None]:
    """More than the limits allow of a guest who arranges, and of an address at which invitations are typed."""
    nobody = home.demo.client()
    nobody.csrf = nobody.call("GET", "/api/v1/csrf").body["csrf_token"]
    _until_refused(home.client("guest"), "PATCH", "/api/v1/me/looks/hall", {"hidden": False})
    _until_refused(nobody, "POST", "/api/v1/invitations/00000000", {"code": "AAAA-AAAA", "new": "not this one"})
    yield


def _until_refused(client: Client, method: str, path: str, body: dict[str, object]) -> None:
    for _ in range(_MANY):
        if client.call(method, path, body).status == HTTPStatus.TOO_MANY_REQUESTS:
            return
    raise AssertionError(f"{method} {path} is refused at no number")


@contextmanager
def _factor_demanded(home: VisitedHome) -> Iterator[None]:
    home.demand_a_factor(demanded=True)
    try:
        yield
    finally:
        home.demand_a_factor(demanded=False)


@contextmanager
def _locked_down(home: VisitedHome) -> Iterator[None]:
    begun = home.demo.command("lockdown", "begin")
    assert begun.returncode == 0, begun.stderr
    home.sign_everybody_out()
    try:
        yield
    finally:
        assert home.demo.command("lockdown", "end").returncode == 0


_DOOR: Final = "hall/front-door"
_MANY: Final = 200
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
    Visit("lockdown-end-strong", "/lockdown", "/lockdown", "alex"),
    Visit("lockdown-login", "/login", "/login"),
    Visit("lockdown-signed-out", "/login", "/login", "ended"),
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
_WORD_WAITED_FOR: Final = (
    Visit("home-waiting", "/", "/", "master", steps=then(_comes_to_show("#waiting"), hall_there)),
    Visit("waiting-one", "/waiting", "/waiting", "master"),
)
_TWO: Final = (
    Visit("two-asks", "/rooms/{room}/{device}/confirm", "/rooms/hall/front-door/confirm?action=unlock", "member"),
    Visit("two-waits", "/", "/", "member", steps=then(hall_there, _waited_for)),
    Visit("two-may-agree", "/", "/", "master", steps=then(hall_there, _waited_for)),
    Visit("two-room-waits", "/rooms/{room}", "/rooms/hall", "member", steps=then(hall_there, _waited_for)),
    Visit("two-room-may-agree", "/rooms/{room}", "/rooms/hall", "master", steps=then(hall_there, _waited_for)),
    Visit("two-agrees", "/", "/", "master", steps=then(hall_there, _waited_for, _is_asked_to_agree)),
    Visit("two-way", "/rooms/{room}/{device}/confirm-by", "/rooms/hall/front-door/confirm-by", "alex"),
)
_BY_APPOINTMENT: Final = (
    Visit("appointment-asks", "/rooms/{room}/{device}/confirm", f"/rooms/{_DOOR}/confirm?action=unlock", "member"),
    Visit("appointment-made", "/", "/", "member", steps=then(hall_there, _waited_for)),
    Visit("appointment-refusable", "/rooms/{room}", "/rooms/hall", "master", steps=then(hall_there, _waited_for)),
    Visit("appointment-way", "/rooms/{room}/{device}/confirm-by", f"/rooms/{_DOOR}/confirm-by", "alex"),
    Visit("appointment-history", "/history", "/history", "master"),
)
_TOO_OFTEN: Final = (
    Visit("too-often", "/arrange/{room}", "/arrange/hall", "guest", steps=_asked_too_often),
    Visit("invitation-too-often", "/invitations/{id}", "/invitations/{invitation}", steps=_typed_too_often),
)
_DEMANDED: Final = (
    Visit("owes-home", "/", "/", "member", steps=hall_there),
    Visit("owes-factors", "/account/factors", "/account/factors", "member"),
    Visit("owes-refused", "/account/profile", "/account/profile", "member", steps=sends("main form", name="Mia")),
    Visit("demand-stands", "/users/factors", "/users/factors", "alex"),
    Visit("users-demand", "/users", "/users", "alex"),
)
_MAIL_AWAY: Final = (
    Visit("mail-login", "/login", "/login", steps=_told_that_mail_is_away),
    Visit("mail-lockdown", "/lockdown", "/lockdown", "member", steps=_asked_for_a_code_that_cannot_come),
    Visit("mail-home", "/", "/", "master", steps=_comes_to_show("main .said")),
    Visit("mail-house", "/house", "/house", "master", steps=opens),
)
PHASES: Final = (
    Phase("a room away", lambda home: _without(home, "agent-garage"), _ROOM_AWAY),
    Phase("alerts away", lambda home: _without(home, "alerts"), _ALERTS_AWAY),
    *(Phase(f"auth away: {visit.name}", _without_auth, (visit,)) for visit in _AUTH_AWAY),
    Phase("a word waited for", _word_waited_for, _WORD_WAITED_FOR),
    Phase("two persons", _two_persons, _TWO),
    Phase("an appointment", _appointments, _BY_APPOINTMENT),
    Phase("too often", _asked_for_much, _TOO_OFTEN),
    Phase("a factor demanded", _factor_demanded, _DEMANDED),
    Phase("locked down", _locked_down, _DOWN),
    Phase("mail away", _without_mail, _MAIL_AWAY),
)
