"""The page that lets a room join, and the routes for machines: whose it is, what is asked first, what is told once."""

from collections.abc import AsyncIterator

import pytest

from gateway.api.routes import add_api
from shared.words.internal import Registry
from shared.words.internal_factors import Factor
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import APP_CODE, House, open_house
from tests.unit.gateway.pages.test_step_up import call

PAGE, TOKEN = "/house/join", "0" * 32
WISH = {"token": TOKEN, "room": "attic", "csr": "a request"}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(Registry(rooms=(parts.HALL_ENTRY,)), furnish=add_api) as made:
        made.auth.apps = [Factor(id="totp", kind="totp", name="totp", created_at=parts.NOW)]
        yield made


async def test_the_line_is_shown_to_the_master_user_once_a_code_was_right(house: House) -> None:
    await house.sign_in(Role.MASTER)
    page = await house.get(PAGE)
    refused = await house.send(page.form(PAGE), name="attic", code="000000")
    assert (refused.status, house.auth.windows) == (403, [])
    assert TOKEN not in refused.text
    shown = await house.send(refused.form(PAGE), name="attic", code=APP_CODE)
    assert shown.status == 200
    assert f"printf %s {TOKEN} | sudo sh join.sh attic" in shown.text
    assert "Debian 12 arm64" in shown.text
    assert [(wish.kind, wish.name, wish.may) for wish in house.auth.windows] == [("room", "attic", ())]
    assert TOKEN not in (await house.get(PAGE)).text


async def test_a_hub_without_packages_says_so(house: House) -> None:
    house.offer.offered = []
    await house.sign_in(Role.MASTER)
    shown = await house.send((await house.get(PAGE)).form(PAGE), name="attic", code=APP_CODE)
    assert "the Pi must have it already" in shown.text


@pytest.mark.parametrize("slug", ["already-exists", "invalid-value"])
async def test_a_name_that_cannot_be_is_told_beside_it(house: House, slug: str) -> None:
    await house.sign_in(Role.MASTER)
    page = await house.get(PAGE)
    house.auth.refuses = HomeError(slug, "Choose another one.", field="name")
    refused = await house.send(page.form(PAGE), name="hall", code="")
    assert refused.status == house.auth.refuses.status
    assert refused.form(PAGE).fields["name"] == "hall"
    assert "Choose another one." in refused.text


async def test_a_member_is_shown_no_form_and_opens_nothing(house: House) -> None:
    await house.sign_in(Role.MEMBER)
    assert (await house.get(PAGE)).status == 403
    assert (await call(house, "POST", "/api/v1/rooms", {"name": "attic"}))[0] == 403
    assert house.auth.windows == []


async def test_programs_get_the_line_as_json(house: House) -> None:
    await house.sign_in(Role.MASTER)
    status, answer = await call(house, "POST", "/api/v1/rooms", {"name": "attic"})
    assert (status, answer["room"], answer["packages"]) == (201, "attic", ["Debian 12 arm64"])
    assert TOKEN in answer["line"]


async def test_a_machine_needs_no_session_and_is_told_where_the_broker_is(house: House) -> None:
    status, answer = await call(house, "POST", "/api/v1/join", WISH)
    assert (status, answer["room"], answer["broker"]) == (200, "attic", {"host": "hub.home.arpa", "port": 8883})
    (wish,) = house.auth.machines
    assert (wish.token, wish.csr, wish.address) == (TOKEN, "a request", "127.0.0.1")


async def test_a_client_is_told_besides_what_it_may(house: House) -> None:
    wish = {"token": TOKEN, "client": "phone", "csr": "a request"}
    status, answer = await call(house, "POST", "/api/v1/join", wish)
    assert (status, answer["client"], answer["may"]) == (200, "phone", ["hall/lamp"])
    assert answer["broker"] == {"host": "hub.home.arpa", "port": 8883}
    (asked,) = house.auth.machines
    assert (asked.kind, asked.name, asked.token) == ("client", "phone", TOKEN)


@pytest.mark.parametrize("named", [{}, {"room": "attic", "client": "attic"}])
async def test_a_machine_is_one_thing(house: House, named: dict[str, str]) -> None:
    status, answer = await call(house, "POST", "/api/v1/join", {"token": TOKEN, "csr": "a request"} | named)
    assert (status, "one of them" in answer["detail"], house.auth.machines) == (400, True, [])


async def test_why_it_is_refused_is_passed_on(house: House) -> None:
    house.auth.refuses = HomeError("join-refused", "This line is over.", reason="over")
    status, answer = await call(house, "POST", "/api/v1/join", WISH)
    assert (status, answer["reason"], answer["detail"]) == (403, "over", "This line is over.")


async def test_what_a_machine_fetches_is_there_for_everybody_and_nothing_beside_it(house: House) -> None:
    async with house.browser.get("/join/ca.crt") as response:
        assert await response.read() == house.offer.anchor()
    for script in ("join.sh", "client.sh"):
        async with house.browser.get(f"/join/{script}") as response:
            assert (await response.read()).startswith(b"#!/bin/sh\n")
    async with house.browser.get("/join/agent/12/arm64") as response:
        assert response.content_type == "application/vnd.debian.binary-package"
    for path in ("/join/agent/12/..%2f", "/join/agent/%2e%2e/arm64", "/join/agent/1_2/arm64"):
        async with house.browser.get(path) as response:
            assert response.status == 404
