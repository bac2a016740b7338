"""A browser is known for the accounts that it opened, and nobody can pretend to be one."""

import time

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.door import browsers
from gateway.door.browsers import Browsers

SECRET = b"k" * 32


def visit(cookie: str | None = None) -> web.Request:
    headers = {"Cookie": f"{browsers.COOKIE}={cookie}"} if cookie else {}
    return make_mocked_request("POST", "/login", headers=headers)


def remembered(known: Browsers, email: str, cookie: str | None = None) -> str:
    response = web.Response()
    known.remember(visit(cookie), response, email)
    morsel = response.cookies[browsers.COOKIE]
    assert (morsel["secure"], morsel["httponly"], morsel["samesite"], morsel["path"]) == (True, True, "Lax", "/")
    assert not morsel["domain"]
    return morsel.value


def test_a_browser_is_known_for_what_it_opened() -> None:
    known = Browsers(SECRET)
    cookie = remembered(known, "Ada@Example.org ")
    assert known.known(visit(cookie), "ada@example.org") is not None
    assert known.known(visit(cookie), "ben@example.org") is None
    assert known.known(visit(), "ada@example.org") is None


def test_a_household_tablet_knows_several_accounts_under_one_id() -> None:
    known = Browsers(SECRET)
    cookie = remembered(known, "ben@example.org", remembered(known, "ada@example.org"))
    assert known.known(visit(cookie), "ada@example.org") == known.known(visit(cookie), "ben@example.org")


@pytest.mark.parametrize("spoil", ["", "x", ".", "äöü", "e30.e30", "a.b.c"])
def test_what_we_did_not_sign_is_nothing(spoil: str) -> None:
    assert Browsers(SECRET).known(visit(spoil), "ada@example.org") is None


def test_another_homes_signature_is_nothing() -> None:
    cookie = remembered(Browsers(b"o" * 32), "ada@example.org")
    assert Browsers(SECRET).known(visit(cookie), "ada@example.org") is None


def test_the_cookie_tells_no_address() -> None:
    assert "ada" not in remembered(Browsers(SECRET), "ada@example.org")


def test_it_is_forgotten_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    known = Browsers(SECRET)
    cookie = remembered(known, "ada@example.org")
    later = time.time() + browsers.KEPT_SECONDS + 1
    monkeypatch.setattr(time, "time", lambda: later)
    assert known.known(visit(cookie), "ada@example.org") is None
