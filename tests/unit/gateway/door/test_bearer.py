"""API tokens at the door: instead of a cookie and never beside one, each with limits of its own, and across origins."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest
from aiohttp import web

from gateway.api.routes import add_api
from gateway.config import LimitsConfig
from gateway.door import cors, limits
from gateway.door.limits import Limits
from shared.words.names import Action, Role
from shared.words.scopes import Allowed, TokenUse
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import HEADERS, ORIGIN, TOKEN, House, open_house

BEARER = {"Host": "localhost:8443", "Authorization": f"Bearer {TOKEN}"}
PANEL = "https://panel.example.org"
LAMP = Allowed(room="hall", device="lamp", actions=(Action.ON, Action.OFF))
DOOR = Allowed(room="hall", device="front-door", actions=(Action.UNLOCK,))
ON = {"action": "on"}


@asynccontextmanager
async def opened(*scope: Allowed, few: bool = False) -> AsyncIterator[House]:
    """A house with the API, listed for PANEL, and a token of the master user's."""

    def furnish(app: web.Application) -> None:
        add_api(app)
        cors.set_up(app, (PANEL,))
        if few:
            app[limits.LIMITS] = Limits(LimitsConfig(reads="2/minute", commands="2/minute"))

    async with open_house(furnish=furnish) as house:
        give(house, *(scope or (LAMP,)))
        yield house


def give(house: House, *scope: Allowed, role: Role = Role.MASTER, number: int = 5) -> None:
    info = parts.session(role, number=number)
    house.auth.sessions[TOKEN] = msgspec.structs.replace(info, token=TokenUse(name="Panel", scope=scope))


async def call(
    house: House, path: str, method: str = "GET", headers: Mapping[str, str] = BEARER, body: object = None
) -> tuple[int, Any, Mapping[str, str]]:
    sent: dict[str, Any] = {"json": body} if body is not None else {}
    async with house.browser.request(method, path, headers=headers, allow_redirects=False, **sent) as response:
        text = await response.read()
        return response.status, msgspec.json.decode(text) if text.startswith(b"{") else text, response.headers


async def command(house: House, device: str, body: object, headers: Mapping[str, str] = BEARER) -> tuple[int, str]:
    status, answer, _ = await call(house, f"/api/v1/devices/hall/{device}/commands", "POST", headers, body)
    return status, answer.get("type", "").rpartition("/")[2]


async def test_a_program_reads_and_acts_within_its_scope_without_cookie_or_csrf_token() -> None:
    async with opened() as house:
        _, answer, headers = await call(house, "/api/v1/devices")
        assert [(one["id"], one["actions"]) for one in answer["devices"]] == [("lamp", ["on", "off"])]
        assert "Set-Cookie" not in headers
        assert await command(house, "lamp", ON) == (200, "")
        (wish,) = house.commands.wishes
        assert (wish.user.id, wish.token) == ("u-master", "Panel")
        assert await command(house, "front-door", {"action": "unlock", "confirm": True}) == (404, "unknown-device")


async def test_one_that_may_look_may_not_act() -> None:
    async with opened(Allowed(room="hall", device="lamp")) as house:
        _, answer, _ = await call(house, "/api/v1/devices/hall/lamp")
        assert answer["actions"] == []
        assert await command(house, "lamp", ON) == (403, "forbidden")
        assert await command(house, "lamp", {"action": "off"}) == (403, "forbidden")
        assert house.commands.wishes == []


async def test_what_is_critical_is_asked_by_the_word_of_this_moment() -> None:
    async with opened(DOOR) as house:
        wanted = {"action": "unlock", "confirm": True}
        assert await command(house, "front-door", wanted) == (200, "")
        asked = house.auth.asked
        assert await command(house, "front-door", wanted) == (200, "")
        assert house.auth.asked == asked + 1
        del house.auth.sessions[TOKEN]
        assert await command(house, "front-door", wanted) == (401, "sign-in-required")
        assert len(house.commands.wishes) == 2


async def test_a_guests_token_ends_with_the_guests_grants() -> None:
    async with opened() as house:
        give(house, LAMP, role=Role.GUEST)
        assert await command(house, "lamp", ON) == (404, "unknown-device")


@pytest.mark.parametrize("cookie", ["__Host-session=whatever", "other=1; __Host-session=x"])
async def test_a_token_beside_our_cookie_is_refused_whoever_both_are(cookie: str) -> None:
    async with opened() as house:
        status, answer, _ = await call(house, "/api/v1/devices", headers=BEARER | {"Cookie": cookie})
        assert (status, answer["type"]) == (400, "/problems/bad-request")
        await house.sign_in(Role.MASTER)
        assert await command(house, "lamp", ON) == (400, "bad-request")
        assert house.commands.wishes == []


async def test_another_sites_cookie_and_another_scheme_are_none_of_ours() -> None:
    async with opened() as house:
        assert (await call(house, "/api/v1/devices", headers=BEARER | {"Cookie": "theirs=1"}))[0] == 200
        await house.sign_in(Role.MASTER)
        basic = {"Host": "localhost:8443", "Authorization": "Basic YTpi"}
        assert (await call(house, "/api/v1/devices", headers=basic))[0] == 200
        assert await command(house, "lamp", ON, basic) == (403, "csrf")


@pytest.mark.parametrize(
    "sent",
    ["Bearer", "Bearer ", "bearer hs_short", "Bearer token-master", f"Bearer {TOKEN}x", f"Bearer {'hs_' + 'b' * 43}"],
)
async def test_what_is_no_live_token_opens_nothing(sent: str) -> None:
    async with opened() as house:
        house.auth.sessions["token-master"] = parts.session(Role.MASTER)
        headers = {"Host": "localhost:8443", "Authorization": sent}
        status, answer, _ = await call(house, "/api/v1/devices", headers=headers)
        assert (status, answer["type"]) == (401, "/problems/sign-in-required")
        assert "token" in answer["detail"]
        assert await command(house, "lamp", ON, headers) == (401, "sign-in-required")


async def test_the_scheme_is_read_as_rfc_9110_writes_it_and_one_token_is_enough() -> None:
    async with opened() as house:
        assert (await call(house, "/api/v1/devices", headers=BEARER | {"Authorization": f"bEARER  {TOKEN}"}))[0] == 200
        async with house.browser.get(
            "/api/v1/devices", headers=[("Host", "localhost:8443"), *[("Authorization", f"Bearer {TOKEN}")] * 2]
        ) as response:
            assert response.status == 400


async def test_a_program_that_runs_wild_uses_up_nothing_of_its_owners() -> None:
    async with opened(few=True) as house:
        statuses = [(await call(house, "/api/v1/devices"))[0] for _ in range(3)]
        assert statuses == [200, 200, 429]
        commands = [await command(house, "lamp", ON) for _ in range(3)]
        assert commands == [(200, ""), (200, ""), (429, "rate-limited")]
        assert await command(house, "lamp", {"action": "off"}) == (200, "")
        await house.sign_in(Role.MASTER)
        assert (await call(house, "/api/v1/devices", headers={"Host": "localhost:8443"}))[0] == 200
        house.browser.session.cookie_jar.clear()
        other = "hs_" + "c" * 43
        house.auth.sessions[other] = msgspec.structs.replace(house.auth.sessions[TOKEN], id="another-token")
        assert (await call(house, "/api/v1/devices", headers=BEARER | {"Authorization": f"Bearer {other}"}))[0] == 200


async def test_a_listed_origin_calls_by_token_and_is_given_no_cookies() -> None:
    async with opened() as house:
        asked = {
            "Host": "localhost:8443",
            "Origin": PANEL,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        status, _, headers = await call(house, "/api/v1/devices/hall/lamp/commands", "OPTIONS", asked)
        assert (status, headers["Access-Control-Allow-Origin"]) == (200, PANEL)
        assert "AUTHORIZATION" in headers["Access-Control-Allow-Headers"].upper()
        assert "Access-Control-Allow-Credentials" not in headers
        for path in ("/api/v1/devices", "/api/v1/devices/hall/nowhere"):
            _, _, headers = await call(house, path, headers=BEARER | {"Origin": PANEL})
            assert headers["Access-Control-Allow-Origin"] == PANEL
            assert "Access-Control-Allow-Credentials" not in headers
        assert await command(house, "lamp", ON, BEARER | {"Origin": PANEL}) == (200, "")


async def test_a_listed_origin_gets_nothing_by_cookie() -> None:
    async with opened() as house:
        await house.sign_in(Role.MASTER)
        async with house.browser.get("/api/v1/csrf", headers=HEADERS | {"Origin": PANEL}) as response:
            token = (await response.json())["csrf_token"]
            assert "Access-Control-Allow-Origin" not in response.headers
        theirs = {"Host": "localhost:8443", "Origin": PANEL, "X-CSRF-Token": token}
        assert await command(house, "lamp", ON, theirs) == (403, "csrf")
        _, _, headers = await call(house, "/api/v1/devices", headers=theirs)
        assert "Access-Control-Allow-Credentials" not in headers
        assert await command(house, "lamp", ON, theirs | {"Origin": ORIGIN}) == (200, "")


@pytest.mark.parametrize("path", ["/api/v1/me", "/api/v1/tokens", "/api/v1/sessions", "/api/v1/csrf", "/"])
async def test_what_no_token_opens_no_other_origin_is_told_of(path: str) -> None:
    async with opened() as house:
        for origin in (PANEL, "https://elsewhere.example.org"):
            asked = {"Host": "localhost:8443", "Origin": origin, "Access-Control-Request-Method": "GET"}
            _, _, headers = await call(house, path, "OPTIONS", asked)
            assert "Access-Control-Allow-Origin" not in headers
            _, _, headers = await call(house, path, headers=BEARER | {"Origin": origin})
            assert "Access-Control-Allow-Origin" not in headers


async def test_an_origin_that_is_not_listed_reads_nothing() -> None:
    async with opened() as house:
        _, _, headers = await call(
            house, "/api/v1/devices", headers=BEARER | {"Origin": "https://elsewhere.example.org"}
        )
        assert "Access-Control-Allow-Origin" not in headers
