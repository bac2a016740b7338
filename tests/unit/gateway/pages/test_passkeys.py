"""Passkeys at the gateway: under which names they are offered and taken, and the session that one opens."""

from pathlib import Path

import pytest

from gateway.api.routes import add_api
from gateway.config import HttpsConfig
from gateway.door.passkey_site import PasskeySite
from shared.words.names import Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import PASSKEY, PASSWORD, House, open_house

HERE = "localhost:8443"
CREDENTIAL = {"id": PASSKEY, "rawId": PASSKEY, "type": "public-key", "response": {"clientDataJSON": "aa"}}
PATH = "/api/v1/login/passkey"


async def post(house: House, path: str, body: dict[str, object], host: str = HERE) -> tuple[int, dict[str, object]]:
    async with house.browser.get("/api/v1/csrf", headers={"Host": host}) as response:
        token = (await response.json())["csrf_token"]
    headers = {"Host": host, "Origin": f"https://{host}", "X-CSRF-Token": token}
    async with house.browser.post(path, json=body, headers=headers) as response:
        return response.status, await response.json()


async def shown(house: House, path: str, host: str = HERE) -> str:
    async with house.browser.get(path, headers={"Host": host}) as response:
        assert response.status == 200
        return await response.text()


async def test_the_door_offers_one_under_the_hubs_name_alone() -> None:
    async with open_house(furnish=add_api) as house:
        assert 'id="passkey"' in await shown(house, "/login")
        for other in ("127.0.0.1:8443", "localhost", "localhost:9443", "other.local:8443"):
            assert 'id="passkey"' not in await shown(house, "/login", other), other


async def test_the_page_of_factors_shows_the_way_to_where_it_works() -> None:
    async with open_house(furnish=add_api) as house:
        await house.sign_in(Role.MEMBER)
        assert 'id="passkey"' in await shown(house, "/account/factors")
        elsewhere = await shown(house, "/account/factors", "127.0.0.1:8443")
        assert 'id="passkey"' not in elsewhere
        assert "https://localhost:8443/account/factors" in elsewhere


async def test_a_passkey_signs_in_and_its_browser_is_told_nothing_else() -> None:
    async with open_house(furnish=add_api) as house:
        house.auth.accounts["member@example.org"] = parts.session(Role.MEMBER)
        status, asked = await post(house, f"{PATH}/challenge", {})
        assert (status, asked) == (200, {"options": {"challenge": "AAAA", "rpId": "localhost"}})
        status, entered = await post(house, PATH, {"credential": CREDENTIAL})
        assert status == 200
        assert entered.keys() == {"user", "csrf_token"}
        (challenged,), (answered,) = house.auth.challenged, house.auth.passkeys_shown
        assert challenged.browser == answered.browser, "the same browser answers"
        assert answered.site.origins == ("https://localhost:8443",)
        assert "Account" in await shown(house, "/account")


async def test_what_is_no_passkey_is_refused() -> None:
    async with open_house(furnish=add_api) as house:
        status, problem = await post(house, PATH, {"credential": CREDENTIAL | {"id": "other"}})
        assert (status, problem["type"]) == (401, "/problems/sign-in-failed")
        wrong: tuple[dict[str, object], ...] = (
            {},
            {"credential": "aa"},
            {"credential": CREDENTIAL | {"type": "password"}},
            {"credential": CREDENTIAL, "more": 1},
            {"credential": CREDENTIAL | {"id": "a" * 1401}},
        )
        for body in wrong:
            status, _ = await post(house, PATH, body)
            assert status in {400, 422}, body
        assert len(house.auth.passkeys_shown) == 1


async def test_one_is_made_with_the_password() -> None:
    async with open_house(furnish=add_api) as house:
        await house.sign_in(Role.MEMBER)
        made = "/api/v1/factors/passkey"
        assert (await post(house, made, {"current": "a guess"}))[0] == 403
        status, begun = await post(house, made, {"current": PASSWORD, "name": "Laptop"})
        assert (status, begun["id"]) == (201, "p1")
        status, done = await post(house, f"{made}/p1", {"credential": CREDENTIAL})
        codes = done["recovery_codes"]
        assert isinstance(codes, list)
        assert (status, len(codes)) == (200, 10)
        assert "passkey, since" in await shown(house, "/account/factors")


@pytest.mark.parametrize(
    ("origins", "taken"),
    [
        (("https://panel.hub.local", "https://hub.local", "https://nothub.local"), 3),
        ((), 1),
    ],
)
def test_origins_are_those_under_the_name(origins: tuple[str, ...], taken: int) -> None:
    https = HttpsConfig(certificate=Path("crt"), key=Path("key"), passkey_name="HUB.local", origins=origins)
    site = PasskeySite(https).site()
    assert site is not None
    assert site.name == "hub.local"
    assert len(site.origins) == taken
    assert "https://nothub.local" not in site.origins
