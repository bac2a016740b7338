"""Names, icons, order, favourites and hiding by form: the master user's for everybody, and everybody's own."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from gateway.door import sessions
from gateway.pages.called import DRAWN
from gateway.pages.static_files import FOLDER
from shared.words.internal import Grant, Registry
from shared.words.internal_looks import OwnDeviceLook, OwnRoomLook
from shared.words.looks import HomeLook, Icon, OwnLooks, OwnRoom
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import HEADERS, House, open_house

LAMP_ONLY = Grant(room="hall", device="lamp")
EVIL = "<script>alert(1)</script>"


@asynccontextmanager
async def house_with(**looks: HomeLook) -> AsyncIterator[House]:
    """A house in which the master user said this of devices of the hall."""
    devices = tuple(
        msgspec.structs.replace(one, look=looks.get(one.id.replace("-", "_"), one.look))
        for one in parts.HALL_ENTRY.devices
    )
    entry = msgspec.structs.replace(parts.HALL_ENTRY, devices=devices, look=looks.get("hall", HomeLook()))
    async with open_house(Registry(rooms=(entry,)), parts.HALL) as house:
        house.put("lamp", "off")
        yield house


def cards(page: Page) -> list[str]:
    """The devices on a page, as they stand on it."""
    return [attributes["data-device"] for tag, attributes in page.elements if tag == "article"]


async def look(house: House, own: OwnLooks) -> None:
    """Have everybody who is signed in look at the home so."""
    known = house.auth.sessions
    known |= {token: msgspec.structs.replace(info, own=own) for token, info in known.items()}
    assert house.browser.app is not None
    house.browser.app[sessions.SESSIONS].outdate(tuple(info.user.id for info in known.values()))


async def test_the_homes_name_is_on_every_page_and_what_the_room_says_beside_it_where_it_is_set() -> None:
    async with house_with(lamp=HomeLook(name="Reading lamp", icon=Icon.PLANT)) as house:
        await house.sign_in(Role.MASTER)
        for path in ("/", "/rooms/hall"):
            page = await house.get(path)
            assert "Reading lamp" in page.text
            assert page.device("hall", "lamp")["data-icon"] == "plant"
        page = await house.get("/house/names/hall/lamp")
        assert "It calls itself Lamp" in page.text
        assert page.form("/house/names/hall/lamp").fields["name"] == "Reading lamp"
        assert "calls itself Lamp" in (await house.get("/house/arrange/hall")).text


async def test_the_master_user_names_by_form_and_is_told_beside_the_field_what_is_wrong() -> None:
    async with house_with() as house:
        await house.sign_in(Role.MASTER)
        form = (await house.get("/house/names/hall/lamp")).form("/house/names/hall/lamp")
        form.fields |= {"name": "Reading lamp", "icon": "plant"}
        sent = await house.send(form)
        assert (sent.status, sent.location) == (303, "/house/arrange/hall#lamp")
        assert "Reading lamp" in (await house.follow(sent)).text
        house.registrar.answer = HomeError(
            "invalid-value", "Something beside it is called so already. Choose another name.", field="name"
        )
        form.fields |= {"name": EVIL}
        again = await house.send(form)
        assert again.status == 422 or again.status == 400
        assert again.form("/house/names/hall/lamp").fields["name"] == EVIL
        assert again.has("input", id="name", **{"aria-invalid": "true"})
        assert "<script>alert" not in again.body


async def test_a_name_is_text_wherever_it_stands() -> None:
    async with house_with(lamp=HomeLook(name=EVIL), hall=HomeLook(name=EVIL, icon=Icon.SOFA)) as house:
        await house.sign_in(Role.MASTER)
        await look(house, OwnLooks(rooms=(OwnRoom(id="hall", favourites=("lamp",)),)))
        for path in ("/", "/rooms/hall", "/arrange", "/arrange/hall", "/house/arrange", "/house/names/hall/lamp"):
            assert "<script>alert" not in (await house.get(path)).body, path


async def test_a_room_that_copies_a_name_is_seen_through() -> None:
    async with house_with(blind=HomeLook(name="Lamp")) as house:
        await house.sign_in(Role.MEMBER)
        text = (await house.get("/rooms/hall")).text
        assert "Lamp (lamp)" in text, "it calls itself so; the home calls the blind so"


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
async def test_nobody_else_names_or_arranges_for_everybody(role: Role) -> None:
    async with house_with() as house:
        await house.sign_in(role, LAMP_ONLY)
        page = await house.get("/rooms/hall")
        assert not page.has("a", href="/house/names/hall/lamp")
        assert not page.has("a", href="/house/names/hall")
        for path in ("/house/arrange", "/house/names/hall/lamp"):
            assert (await house.get(path)).status == 403
        assert house.registrar.looked == []


async def test_a_star_favours_and_favourites_stand_first_with_their_room() -> None:
    async with house_with() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        star = page.form("/arrange/hall/lamp", "true")
        sent = await house.send(star, "true")
        assert (sent.status, sent.location) == (303, "/#hall.lamp")
        assert house.auth.looked == [
            ("/internal/account/looks/{room}/{device}", "hall/lamp", OwnDeviceLook(favourite=True))
        ]
        after = await house.follow(sent)
        assert cards(after)[0] == "lamp"
        assert "Favourites" in after.text
        assert cards(after).count("lamp") == 1
        assert after.has("button", **{"aria-pressed": "true", "aria-label": "Favourite: Lamp"})


async def test_what_is_hidden_is_behind_a_count_and_is_there() -> None:
    async with house_with(lamp=HomeLook(hidden=True)) as house:
        await house.sign_in(Role.MEMBER)
        for path in ("/", "/rooms/hall"):
            page = await house.get(path)
            assert "1 hidden device" in page.text
            assert page.device("hall", "lamp")["data-hidden"] == "true"
            assert page.has("details", **{"class": "put-away"})
            assert not page.has("details", **{"class": "put-away", "open": ""})
        await look(house, OwnLooks(rooms=(OwnRoom(id="hall", shown=("lamp",)),)))
        assert "hidden device" not in (await house.get("/")).text, "one's own word is over the home's"


@pytest.mark.parametrize("value", ["unlocked", "jammed"])
async def test_what_is_not_as_it_should_be_is_shown_though_it_is_hidden(value: str) -> None:
    async with house_with(front_door=HomeLook(hidden=True)) as house:
        house.put("front-door", value)
        await house.sign_in(Role.MEMBER)
        for path in ("/", "/rooms/hall"):
            assert (await house.get(path)).has("details", **{"class": "put-away", "open": ""})
        assert "Front door in Hall is" in (await house.get("/")).text


async def test_a_hidden_room_is_at_the_end_and_opens_for_what_is_not_as_it_should_be() -> None:
    async with house_with(hall=HomeLook(hidden=True)) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        assert "1 hidden room" in page.text
        assert cards(page), "its devices are there"
        assert not page.has("details", **{"class": "put-away rooms-away", "open": ""})
        house.put("front-door", "jammed")
        assert (await house.get("/")).has("details", **{"class": "put-away rooms-away", "open": ""})


async def test_a_guest_favours_and_hides_what_is_theirs_and_hears_of_nothing_else() -> None:
    async with house_with() as house:
        await house.sign_in(Role.GUEST, LAMP_ONLY)
        page = await house.get("/arrange/hall")
        assert {form.action for form in page.forms if form.action.startswith("/arrange/hall/")} == {
            "/arrange/hall/lamp"
        }
        star = page.form("/arrange/hall/lamp", "true")
        for device, other in (("front-door", "lamp"), ("lamp", "front-door")):
            for field, value in (("hidden", "true"), ("before", other)):
                fields = {"csrf_token": star.fields["csrf_token"], field: value}
                address = f"/arrange/hall/{device}"
                sent = await house.browser.post(address, data=fields, headers=HEADERS, allow_redirects=False)
                assert sent.status == (303 if (device, field) == ("lamp", "hidden") else 404)
        assert [one[1] for one in house.auth.looked] == ["hall/lamp"], "a move beside what one may not see is none"
        await look(
            house, OwnLooks(rooms=(OwnRoom(id="hall", favourites=("front-door", "lamp"), order=("front-door",)),))
        )
        assert cards(await house.get("/")) == ["lamp"]


async def test_ones_own_order_is_on_the_pages() -> None:
    async with house_with() as house:
        await house.sign_in(Role.MEMBER)
        await look(house, OwnLooks(rooms=(OwnRoom(id="hall", order=("dimmer", "lamp")),)))
        assert cards(await house.get("/rooms/hall"))[:2] == ["dimmer", "lamp"]


@pytest.mark.parametrize(
    "fields", [{}, {"hidden": "perhaps"}, {"before": "lamp", "after": "lamp"}, {"order": "mine"}, {"name": "X"}]
)
async def test_a_button_says_one_thing(fields: dict[str, str]) -> None:
    async with house_with() as house:
        await house.sign_in(Role.MEMBER)
        token = (await house.get("/arrange/hall")).form("/arrange/hall").fields["csrf_token"]
        for path in ("/arrange/hall", "/arrange/hall/lamp"):
            sent = await house.browser.post(path, data={"csrf_token": token, **fields}, headers=HEADERS)
            assert sent.status == 400, path
        assert house.auth.looked == []


async def test_showing_what_the_home_shows_keeps_nothing_of_ones_own() -> None:
    async with house_with(lamp=HomeLook(hidden=True)) as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/arrange/hall")).form("/arrange/hall/lamp", "false")
        await house.send(form, "false")
        form = (await house.get("/arrange")).form("/arrange/hall", "true")
        await house.send(form, "true")
        assert [one[2] for one in house.auth.looked] == [OwnDeviceLook(hidden=False), OwnRoomLook(hidden=True)]


async def test_what_went_wrong_is_said_where_the_button_was() -> None:
    async with house_with() as house:
        await house.sign_in(Role.MEMBER)
        star = (await house.get("/")).form("/arrange/hall/lamp", "true")
        house.auth.refuses = HomeError("invalid-value", "60 are the most. Remove one first.")
        after = await house.follow(await house.send(star, "true"))
        assert "60 are the most. Remove one first." in after.text


def test_every_icon_is_drawn_and_has_a_word() -> None:
    drawn = (FOLDER / "icons.svg").read_text()
    assert [icon for icon in (*Icon, "window-open", "star") if f'<symbol id="{icon}"' not in drawn] == []
    assert set(DRAWN) == set(Icon)
