"""The home and its rooms: only what one may see, only what is known, and what a room says is text."""

import msgspec

from shared.words.internal import Grant, Registry
from shared.words.messages import CoverValue
from shared.words.names import Kind, Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import open_house

LAMP_ONLY = Grant(room="hall", device="lamp")
EVIL = "<script>alert(1)</script>"


async def test_a_stranger_is_led_to_the_login_and_back_afterwards() -> None:
    async with open_house() as house:
        assert (await house.get("/")).location == "/login"
        led = await house.get("/rooms/hall")
        assert (led.status, led.location) == (303, "/login?next=/rooms/hall")


async def test_a_state_is_told_in_words_with_its_cause() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.put("lamp", "on")
        page = await house.get("/")
        assert page.device("hall", "lamp")["data-look"] == "on"
        assert ", by a command" in page.text
        assert "Lamp in Hall is on." in page.text


async def test_a_room_that_went_shows_no_former_state() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.put("front-door", "unlocked")
        house.home.hear_availability("hall", parts.offline(), retained=False, now=1.0)
        page = await house.get("/")
        assert page.device("hall", "front-door")["data-look"] == "offline"
        assert "Unlocked" not in page.text
        assert "Hall is offline." in page.text


async def test_while_the_broker_is_away_everything_is_unknown() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        house.put("lamp", "on")
        house.home.link_down()
        for path in ("/", "/rooms/hall"):
            page = await house.get(path)
            assert page.device("hall", "lamp")["data-look"] == "unknown"
            assert "The room has not been heard." in page.text


async def test_there_is_no_slider_where_nobody_knows_where_it_stands() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)

        async def fields() -> list[tuple[str, str]]:
            inputs = [a for tag, a in (await house.get("/")).elements if tag == "input" and a.get("name") == "value"]
            assert all("required" in field for field in inputs)
            return sorted((field["type"], field["value"]) for field in inputs)

        assert await fields() == [("number", ""), ("number", "")]
        house.put("dimmer", 40)
        house.put("blind", CoverValue(position=None, moving=None))
        assert await fields() == [("number", ""), ("range", "40")]
        house.put("blind", CoverValue(position=0, moving=None))
        assert await fields() == [("range", "0"), ("range", "40")]
        house.home.hear_availability("hall", parts.offline(), retained=False, now=1.0)
        assert await fields() == [("number", ""), ("number", "")]


async def test_a_device_that_has_not_said_anything_is_unknown() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        assert (await house.get("/")).device("hall", "lamp")["data-look"] == "unknown"


async def test_a_guest_sees_what_was_granted_and_nothing_else() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, LAMP_ONLY)
        house.put("front-door", "unlocked")
        for path in ("/", "/rooms/hall"):
            page = await house.get(path)
            cards = [a["data-device"] for tag, a in page.elements if tag == "article"]
            assert cards == ["lamp"]
            assert "door" not in page.text.lower()
            assert "unlock" not in page.body


async def test_a_guest_without_a_grant_finds_no_room() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST)
        assert (await house.get("/rooms/hall")).status == 404
        assert "Nothing here is yours to use just now." in (await house.get("/")).text


async def test_a_room_that_is_not_there_is_answered_like_one_that_may_not_be_seen() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, LAMP_ONLY)
        missing, hidden = await house.get("/rooms/attic"), await house.get("/rooms/cellar")
        assert (missing.status, missing.text) == (404, hidden.text)


async def test_what_a_room_calls_itself_is_text() -> None:
    lamp = msgspec.structs.replace(parts.LAMP, name=EVIL)
    entry = msgspec.structs.replace(parts.HALL_ENTRY, name=EVIL, devices=(parts.registered(lamp),))
    described = msgspec.structs.replace(parts.HALL, devices=(lamp,))
    async with open_house(Registry(rooms=(entry,)), described) as house:
        await house.sign_in(Role.MEMBER)
        house.put("lamp", EVIL)
        for path in ("/", "/rooms/hall"):
            page = await house.get(path)
            assert EVIL not in page.body
            assert EVIL in page.text
            assert page.device("hall", "lamp")["data-look"] == "unknown"


async def test_no_page_has_a_script_or_a_style_of_its_own() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.put("blind", CoverValue(position=40, moving=None))
        for path in ("/", "/rooms/hall", "/history", "/account", "/users", "/problems/unknown", "/nowhere"):
            page = await house.get(path)
            assert "<style" not in page.body
            assert all(a.get("src", "").startswith("/static/") for tag, a in page.elements if tag == "script")
            assert not [a for _, a in page.elements if "style" in a or any(name.startswith("on") for name in a)]


async def test_every_output_has_absolute_buttons_and_no_input_has_any() -> None:
    kinds = tuple(parts.described(f"a-{kind}", kind) for kind in Kind)
    entry = msgspec.structs.replace(parts.HALL_ENTRY, devices=tuple(parts.registered(said) for said in kinds))
    async with open_house(Registry(rooms=(entry,)), msgspec.structs.replace(parts.HALL, devices=kinds)) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        for said in kinds:
            forms = [form for form in page.forms if form.action == f"/rooms/hall/{said.id}"]
            assert {value for form in forms for _, value in form.buttons} == set(said.actions)


async def test_safe_actions_are_marked_and_ask_nothing() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        buttons = [a for _, a in page.elements if a.get("formaction") == "/rooms/hall/front-door"]
        safe = [a for a in buttons if "safe" in a["class"]]
        assert len(safe) == 1
        assert "data-title" not in safe[0]
        assert [a["data-title"] for a in buttons if "data-title" in a] == ["Unlock Front door?"]


async def test_a_room_that_never_described_itself_says_so() -> None:
    entry = msgspec.structs.replace(parts.HALL_ENTRY, id="attic", name="Attic", devices=())
    async with open_house(Registry(rooms=(entry,)), parts.HALL) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/rooms/attic")
        assert "This room has not described itself yet." in page.text


async def test_while_no_proof_can_be_written_every_page_says_so() -> None:
    async with open_house() as house:
        house.disk.writable = False
        assert "No proof" not in (await house.get("/login")).text, "nothing for strangers"
        await house.sign_in(Role.MEMBER)
        for path in ("/", "/rooms/hall"):
            page = await house.get(path)
            assert "No proof can be written: critical actions are refused." in page.text
            assert "Off, lock and stop still work." in page.text
        house.disk.writable = True
        assert "No proof" not in (await house.get("/")).text
