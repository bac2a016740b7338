"""The page and the route that let a trusted client join: whose they are, what is ticked, what is told once."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from gateway.api.routes import add_api
from gateway.pages.picking import MOST_SHOWN
from shared.words.internal import RegisteredRoom, Registry
from shared.words.internal_factors import Factor
from shared.words.messages import Description
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import APP_CODE, House, open_house
from tests.unit.gateway.pages.test_step_up import call

PAGE, API, TOKEN = "/house/join/client", "/api/v1/clients", "0" * 32
TICKED = {"name": " tablet ", "hall/lamp": "yes", "hall/front-door": "yes"}
WISH: dict[str, object] = {"name": "tablet", "may": ["hall/lamp", "hall/front-door"]}


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with open_house(Registry(rooms=(parts.HALL_ENTRY,)), furnish=add_api) as made:
        made.auth.apps = [Factor(id="totp", kind="totp", name="totp", created_at=parts.NOW)]
        yield made


def asked(house: House) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(wish.kind, wish.name, wish.may) for wish in house.auth.windows]


async def test_the_line_is_shown_once_a_code_was_right_and_what_was_ticked_is_kept_till_then(house: House) -> None:
    await house.sign_in(Role.MASTER)
    page = await house.get(PAGE)
    assert page.has("input", name="hall/lamp", type="checkbox")
    assert "critical" in page.text
    refused = await house.send(page.form(PAGE), **TICKED, code="000000")
    assert (refused.status, asked(house)) == (403, [])
    assert refused.has("input", name="hall/front-door", checked="")
    assert TOKEN not in refused.text
    shown = await house.send(refused.form(PAGE), code=APP_CODE)
    assert shown.status == 200
    assert f"printf %s {TOKEN} | sh client.sh tablet" in shown.text
    assert "It may command and hear: hall/front-door, hall/lamp." in shown.text
    assert "homesystem client revoke tablet" in shown.text
    ((kind, name, may),) = asked(house)
    assert (kind, name, set(may)) == ("client", "tablet", {"hall/lamp", "hall/front-door"})
    assert TOKEN not in (await house.get(PAGE)).text


async def test_the_house_page_leads_there(house: House) -> None:
    await house.sign_in(Role.MASTER)
    assert (await house.get("/house")).has("a", href=PAGE)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (HomeError("invalid-value", "Choose what it may command and hear: 1 to 50 devices.", field="may"), "1 to 50"),
        (HomeError("unknown-device", "There is no device hall/<b>x.", field="may"), "There is no device hall/<b>x."),
    ],
)
async def test_what_cannot_be_ticked_is_said_above_and_what_was_typed_is_kept(
    house: House, error: HomeError, said: str
) -> None:
    await house.sign_in(Role.MASTER)
    page = await house.get(PAGE)
    house.auth.refuses = error
    refused = await house.send(page.form(PAGE), **TICKED | {"hall/<b>x": "yes"}, code="")
    assert refused.status == error.status
    assert said in refused.text
    assert "<b>x" not in refused.body
    assert refused.has("input", name="hall/lamp", checked="", **{"aria-invalid": "true"})
    assert refused.form(PAGE).fields["name"] == " tablet "


@pytest.mark.parametrize("slug", ["already-exists", "invalid-value"])
async def test_a_name_that_cannot_be_is_told_beside_it(house: House, slug: str) -> None:
    await house.sign_in(Role.MASTER)
    page = await house.get(PAGE)
    house.auth.refuses = HomeError(slug, "Choose another one.", field="name")
    refused = await house.send(page.form(PAGE), **TICKED, code="")
    assert refused.status == house.auth.refuses.status
    assert refused.has("input", name="name", **{"aria-invalid": "true"})
    assert "Choose another one." in refused.text


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
async def test_nobody_else_is_shown_a_form_or_opens_anything(house: House, role: Role) -> None:
    await house.sign_in(role)
    assert (await house.get(PAGE)).status == 403
    assert (await call(house, "POST", API, WISH))[0] == 403
    assert asked(house) == []


async def test_without_a_fresh_factor_a_program_gets_nothing(house: House) -> None:
    await house.sign_in(Role.MASTER)
    house.auth.refuses = HomeError("step-up-required")
    status, answer = await call(house, "POST", API, WISH)
    assert (status, answer["type"].rpartition("/")[2]) == (403, "step-up-required")


async def test_programs_get_the_line_as_json(house: House) -> None:
    await house.sign_in(Role.MASTER)
    status, answer = await call(house, "POST", API, WISH)
    assert (status, set(answer), answer["client"]) == (201, {"client", "line", "until"}, "tablet")
    assert TOKEN in answer["line"]
    assert asked(house) == [("client", "tablet", ("hall/lamp", "hall/front-door"))]


@pytest.mark.parametrize(
    ("changed", "field"),
    [({"may": ["hall/lamp", 7]}, "may[1]"), ({"may": "hall/lamp"}, "may"), ({"name": "n" * 65}, "name")],
)
async def test_what_a_program_wrote_wrong_is_told_with_its_field(
    house: House, changed: dict[str, object], field: str
) -> None:
    await house.sign_in(Role.MASTER)
    status, answer = await call(house, "POST", API, WISH | changed)
    assert (status, answer["field"], asked(house)) == (422, field, [])


@pytest.mark.parametrize(("path", "wish"), [(API, WISH), ("/api/v1/rooms", {"name": "attic"})])
async def test_where_no_line_can_be_written_nothing_is_opened_either(
    house: House, path: str, wish: dict[str, object]
) -> None:
    """Else a letter tells of a line that nobody ever had."""
    await house.sign_in(Role.MASTER)
    house.offer.nowhere = HomeError("internal", "The hub's certificate names no host.")
    status, answer = await call(house, "POST", path, wish)
    assert (status, answer["detail"]) == (500, "The hub's certificate names no host.")
    assert asked(house) == []


async def test_what_the_registry_has_not_is_told_with_its_field(house: House) -> None:
    await house.sign_in(Role.MASTER)
    house.auth.refuses = HomeError("unknown-device", "There is no device hall/x.", field="may")
    status, answer = await call(house, "POST", API, WISH)
    assert (status, answer["field"]) == (404, "may")


@asynccontextmanager
async def large_home() -> AsyncIterator[House]:
    lamps = tuple(parts.described(f"lamp-{number}") for number in range(MOST_SHOWN))
    many = Description(room="attic", name="Attic", agent_version="1", devices=lamps)
    attic = RegisteredRoom(id="attic", name="Attic", devices=tuple(map(parts.registered, lamps)))
    async with open_house(Registry(rooms=(parts.HALL_ENTRY, attic)), parts.HALL, many) as house:
        house.auth.apps = [Factor(id="totp", kind="totp", name="totp", created_at=parts.NOW)]
        yield house


async def test_a_large_home_shows_a_room_at_a_time_and_what_was_ticked_in_others_stays() -> None:
    async with large_home() as house:
        await house.sign_in(Role.MASTER)
        page = await house.get(f"{PAGE}?room=hall")
        assert page.has("input", name="hall/lamp")
        assert not page.has("input", name="attic/lamp-1")
        attic_shown = await house.send(page.form(PAGE), **TICKED, room="attic", show="yes")
        assert (attic_shown.status, asked(house)) == (200, [])
        assert attic_shown.has("input", name="attic/lamp-1", type="checkbox")
        assert attic_shown.has("input", name="hall/front-door", checked="")
        assert "Front door in Hall" in attic_shown.text
        back = await house.send(attic_shown.form(PAGE), **{"attic/lamp-7": "yes", "room": "hall", "show": "yes"})
        assert back.has("input", name="hall/lamp", checked="")
        assert back.has("input", name="attic/lamp-7", checked="")
        assert not back.has("input", name="attic/lamp-1")
        assert back.form(PAGE).fields["name"] == " tablet "
        refused = await house.send(back.form(PAGE), code="000000")
        assert (refused.status, asked(house)) == (403, [])
        assert TOKEN in (await house.send(refused.form(PAGE), code=APP_CODE)).text
        ((_, name, may),) = asked(house)
        assert (name, set(may)) == ("tablet", {"hall/lamp", "hall/front-door", "attic/lamp-7"})


async def test_where_a_large_home_has_no_such_room_another_is_shown_and_what_is_gone_can_be_taken_away() -> None:
    async with large_home() as house:
        await house.sign_in(Role.MASTER)
        for address in (PAGE, f"{PAGE}?room=nowhere"):
            page = await house.get(address)
            assert page.has("select", name="room")
            assert page.has("input", type="checkbox")
        gone = await house.send(page.form(PAGE), **{"hall/gone": "yes", "room": "attic", "show": "yes"})
        assert gone.has("input", name="hall/gone", checked="")
