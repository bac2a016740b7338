"""The cookie's key, read or refused, and for how long an opened cookie is believed."""

import json
import time
from pathlib import Path
from types import SimpleNamespace

import aiohttp_session
import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gateway.door import cookie
from gateway.door.cookie import read_cookie_secret
from shared.running.config import ConfigError

DAY = 86400


def test_a_cookie_key_of_another_size_is_refused(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("c2hvcnQ")
    key.chmod(0o600)
    with pytest.raises(ConfigError, match="32 bytes"):
        read_cookie_secret(key)
    key.write_text("A" * 43 + "\n")
    assert read_cookie_secret(key) == bytes(32)


class Clock:
    """Both clocks of the module, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.passed = 0.0
        self.wall, self.steady = time.time(), time.monotonic()
        clocks = SimpleNamespace(time=lambda: self.wall + self.passed, monotonic=lambda: self.steady + self.passed)
        monkeypatch.setattr(cookie, "time", clocks)


def _asked(storage: cookie._CookieStorage, *, days_old: float, own: bool = False) -> web.Request:
    """A request with a good cookie that was given out so long ago."""
    created = int(time.time() - days_old * DAY)
    within = {"token": "secret"} | ({"own": True} if own else {})
    held = json.dumps({"created": created, "session": within})
    sealed = storage._fernet.encrypt_at_time(held.encode(), created).decode()
    request = make_mocked_request("GET", "/", headers={"Cookie": f"{cookie.COOKIE}={sealed}"})
    request[aiohttp_session.STORAGE_KEY] = storage
    return request


@pytest.fixture
def storage() -> cookie._CookieStorage:
    made = cookie.storage(bytes(range(32)))
    assert isinstance(made, cookie._CookieStorage)
    return made


async def test_a_cookie_is_opened_once_and_believed_for_a_minute(
    storage: cookie._CookieStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    request = _asked(storage, days_old=1)
    assert storage.opened(request) is None
    assert (await cookie.brought(request)).get("token") == "secret"
    clock.passed = 59.0
    again = make_mocked_request("GET", "/", headers={"Cookie": request.headers["Cookie"]})
    again[aiohttp_session.STORAGE_KEY] = storage
    assert (await cookie.brought(again)).get("token") == "secret"
    assert aiohttp_session.SESSION_KEY not in again
    clock.passed = 61.0
    assert storage.opened(again) is None


async def test_an_opened_cookie_is_believed_no_longer_than_it_may_live(
    storage: cookie._CookieStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = Clock(monkeypatch)
    request = _asked(storage, days_old=7 - 30 / DAY)
    assert (await cookie.brought(request)).get("token") == "secret"
    clock.passed = 20.0
    assert storage.opened(request) is not None
    clock.passed = 32.0
    assert storage.opened(request) is None


async def test_what_one_request_changes_no_other_finds_changed(storage: cookie._CookieStorage) -> None:
    request = _asked(storage, days_old=1)
    await cookie.brought(request)
    again = make_mocked_request("GET", "/", headers={"Cookie": request.headers["Cookie"]})
    again[aiohttp_session.STORAGE_KEY] = storage
    (await aiohttp_session.get_session(again))["token"] = "another"
    assert (await cookie.brought(request)).get("token") == "secret"


async def test_a_cookie_that_is_none_of_ours_holds_nothing(storage: cookie._CookieStorage) -> None:
    request = make_mocked_request("GET", "/", headers={"Cookie": f"{cookie.COOKIE}=forged"})
    request[aiohttp_session.STORAGE_KEY] = storage
    assert (await cookie.brought(request)).get("token") is None
    assert storage.opened(request) is None


@pytest.mark.parametrize(("days_old", "own", "held"), [(6, False, True), (8, False, False), (8, True, True)])
async def test_the_cookie_of_an_own_device_is_believed_for_longer(
    storage: cookie._CookieStorage, *, days_old: float, own: bool, held: bool
) -> None:
    request = _asked(storage, days_old=days_old, own=own)
    found = await cookie.brought(request)
    assert (found.get("token") == "secret") is held


async def test_an_own_devices_cookie_ends_too(storage: cookie._CookieStorage) -> None:
    assert (await cookie.brought(_asked(storage, days_old=401, own=True))).get("token") is None
