"""A large home on its first page: in sums, nothing hidden, small on the wire."""

import re
import zlib

import msgspec

from shared.words.internal import Grant, RegisteredRoom, Registry
from shared.words.messages import Description, Value
from shared.words.names import Kind, Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import HEADERS, House, open_house

KINDS = (Kind.SWITCH, Kind.DIMMER, Kind.LOCK, Kind.CONTACT)


def described(room: str, devices: int) -> Description:
    return Description(
        room=room,
        name=room.replace("-", " ").capitalize(),
        agent_version="1",
        devices=tuple(parts.described(f"device-{number}", KINDS[number % 4]) for number in range(devices)),
    )


def registry(*rooms: Description) -> Registry:
    entries = (
        RegisteredRoom(id=room.room, name=room.name, devices=tuple(map(parts.registered, room.devices)))
        for room in rooms
    )
    return Registry(rooms=tuple(entries))


LARGE = tuple(described(f"room-{number}", 51) for number in range(4))


def at_rest(house: House, *rooms: Description) -> None:
    values: dict[Kind, Value] = {Kind.SWITCH: "off", Kind.DIMMER: 0, Kind.LOCK: "locked", Kind.CONTACT: "closed"}
    for room in rooms:
        for device in room.devices:
            house.put(device.id, values[device.kind], room=room.room)


def tiles(page: Page, section: str) -> list[str]:
    """The rooms in one of the page's two lists."""
    found = re.search(rf'<section class="rooms" id="{section}".*?</section>', page.body, re.DOTALL)
    assert found is not None
    return re.findall(r'data-room="([^"]+)"', found[0])


async def test_two_hundred_devices_are_shown_one_by_one_and_one_more_in_sums() -> None:
    small = tuple(described(f"room-{number}", 50) for number in range(4))
    async with open_house(registry(*small), *small) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        assert len([tag for tag, _ in page.elements if tag == "article"]) == 200
        assert page.has("main", **{"data-page": "home"})
    more = (*small[:3], described("room-3", 51))
    async with open_house(registry(*more), *more) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        assert not page.has("article")
        assert page.has("main", **{"data-page": "overview"})
        assert [a["href"] for tag, a in page.elements if tag == "a" and "/rooms/" in a.get("href", "")] == [
            f"/rooms/room-{number}" for number in range(4)
        ]


async def test_a_door_that_stands_open_in_a_room_that_nobody_opened_is_seen_first() -> None:
    async with open_house(registry(*LARGE), *LARGE) as house:
        await house.sign_in(Role.MEMBER)
        at_rest(house, *LARGE)
        page = await house.get("/")
        assert (tiles(page, "grave"), len(tiles(page, "calm"))) == ([], 4)
        assert "All is quiet." in page.text
        house.put("device-2", "unlocked", room="room-2")
        page = await house.get("/")
        assert tiles(page, "grave") == ["room-2"]
        assert "Device 2 in Room 2 is unlocked." in page.text
        assert "Device 2 is unlocked" in page.text


async def test_what_is_on_is_told_and_is_no_trouble() -> None:
    async with open_house(registry(*LARGE), *LARGE) as house:
        await house.sign_in(Role.MEMBER)
        at_rest(house, *LARGE)
        house.put("device-0", "on", room="room-1")
        house.put("device-4", "on", room="room-1")
        page = await house.get("/")
        assert tiles(page, "grave") == []
        assert page.has("li", **{"class": "lit"})
        assert "2 devices are on" in page.text


async def test_a_room_that_is_away_is_not_as_it_should_be() -> None:
    async with open_house(registry(*LARGE), *LARGE) as house:
        await house.sign_in(Role.MEMBER)
        at_rest(house, *LARGE)
        house.home.hear_availability("room-0", parts.offline(), retained=False, now=1.0)
        page = await house.get("/")
        assert tiles(page, "grave") == ["room-0"]
        assert "Room 0 is offline." in page.text
        assert "Nothing is known of it." in page.text


async def test_a_guest_of_a_large_home_sees_what_is_theirs_as_ever() -> None:
    async with open_house(registry(*LARGE), *LARGE) as house:
        await house.sign_in(Role.GUEST, Grant(room="room-1", device="device-0"))
        house.put("device-2", "unlocked", room="room-2")
        page = await house.get("/")
        assert [a["data-device"] for tag, a in page.elements if tag == "article"] == ["device-0"]
        assert "Room 2" not in page.text
        assert "unlocked" not in page.text


async def test_what_a_form_left_to_say_of_a_device_is_said_on_the_first_page_too() -> None:
    async with open_house(registry(*LARGE), *LARGE) as house:
        await house.sign_in(Role.MEMBER)
        at_rest(house, *LARGE)
        page = await house.get("/rooms/room-1")
        form = page.form("/rooms/room-1/device-0", "on")
        sent = await house.send(form, "on", back="home")
        assert "Device 0 in Room 1: switched on" in (await house.follow(sent)).text


async def test_names_that_rooms_supply_are_text_in_sums_too() -> None:
    evil = msgspec.structs.replace(LARGE[0], name='<script>alert(1)</script>"')
    rooms = (evil, *LARGE[1:])
    async with open_house(registry(*rooms), *rooms) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        assert "<script>alert" not in page.body
        assert "<script>alert(1)</script>" in page.text


async def test_ten_thousand_devices_and_one_room_of_them_are_small_on_the_wire() -> None:
    rooms = tuple(described(f"room-{number}", 64) for number in range(157))
    async with open_house(registry(*rooms), *rooms) as house:
        await house.sign_in(Role.MASTER)
        at_rest(house, *rooms)
        for number in range(0, 157, 3):
            house.put("device-3", "open", room=f"room-{number}")
            house.put("device-0", "on", room=f"room-{number}")
        for path in ("/", "/rooms/room-0"):
            headers, body = await on_the_wire(house, path, "gzip")
            assert headers["Content-Encoding"] == "gzip"
            assert headers["Vary"] == "Accept-Encoding, Accept-Language"
            assert len(body) <= 60_000
            plain_headers, plain = await on_the_wire(house, path, "identity")
            assert "Content-Encoding" not in plain_headers
            assert without_masks(zlib.decompress(body, 31)) == without_masks(plain)


async def test_a_page_that_says_what_somebody_sent_beside_what_others_may_not_know_is_not_packed() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        for path in ("/history?user=u-1", "/account", "/users", "/lockdown", "/nowhere"):
            headers, _ = await on_the_wire(house, path, "gzip")
            assert "Content-Encoding" not in headers, path


async def on_the_wire(house: House, path: str, accepted: str) -> tuple[dict[str, str], bytes]:
    """An answer as it travels."""
    house.browser.session._auto_decompress = False
    try:
        async with house.browser.get(path, headers=HEADERS | {"Accept-Encoding": accepted}) as response:
            return dict(response.headers), await response.read()
    finally:
        house.browser.session._auto_decompress = True


def without_masks(page: bytes) -> bytes:
    """A page but for what is another one each time: the token's mask, and the moment."""
    return re.sub(rb'm\.[\w=-]+|name="shown_at" value="[^"]+"', b"", page)
