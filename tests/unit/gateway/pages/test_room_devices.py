"""A room's devices on pages: listed, added, changed and removed, with the room's complaints beside the fields."""

import msgspec
import pytest

from gateway.pages import device_form
from gateway.pages.forms import Form
from shared.words.internal_factors import Factor
from shared.words.messages import utc
from shared.words.names import Kind, Role
from shared.words.room_file import Complaint, FileAnswer, OfferedPin
from tests.unit.gateway import parts
from tests.unit.gateway.pages.filed import BLIND, HALL_FILE, LAMP
from tests.unit.gateway.pages.house import APP_CODE, House, open_house

LIST, NEW, OF_LAMP = "/house/devices/hall", "/house/new-device/hall", "/house/devices/hall/lamp"


async def master(house: House) -> None:
    house.auth.apps = [Factor(id="totp", kind="totp", name="Phone", created_at=parts.NOW)]
    await house.sign_in(Role.MASTER)


async def test_what_the_file_has_is_listed_and_a_kind_leads_to_its_form() -> None:
    async with open_house() as house:
        await master(house)
        page = await house.get(LIST)
        assert "hall/lamp" in page.text
        assert "Switch: on and off" in page.text
        form = await house.get(f"{NEW}?kind=cover")
        assert form.has("select", name="pin_open")
        assert form.has("input", name="travel_time")
        assert not form.has("input", name="max_on")
        assert (await house.get(f"{NEW}?kind=rocket")).status == 400


async def test_a_new_device_is_sent_with_all_that_the_room_has() -> None:
    async with open_house() as house:
        await master(house)
        page = await house.get(f"{NEW}?kind=switch")
        done = await house.send(
            page.form(NEW), "save", name="Café-Lampe für Öl", pin="27", max_on="90,5", critical="on", code=APP_CODE
        )
        (sent,) = house.auth.room.set
        new = {"id": "cafe-lampe-fuer-oel", "name": "Café-Lampe für Öl", "kind": "switch", "pin": 27}
        assert sent.devices == (LAMP, BLIND, new | {"critical": True, "max_on": 90.5})
        assert (sent.named, sent.of) == (("cafe-lampe-fuer-oel",), HALL_FILE.version)
        page = await house.follow(done)
        assert "The room takes it" in page.text
        assert "The room tries a change just now." in page.text


async def test_a_device_is_changed_and_keeps_what_the_form_does_not_know() -> None:
    async with open_house() as house:
        odd = LAMP | {"boot": "restore", "active_low": True, "newer": {"x": 1}}
        house.auth.room.files.hear(msgspec.structs.replace(HALL_FILE, devices=(odd, BLIND)))
        await master(house)
        page = await house.get(OF_LAMP)
        await house.send(page.form(OF_LAMP), "save", name="Desk", pin="16", max_on="", code=APP_CODE)
        changed = {k: v for k, v in odd.items() if k != "max_on"} | {"name": "Desk", "pin": 16}
        assert house.auth.room.set[-1].devices == (changed, BLIND)


async def test_a_device_is_removed() -> None:
    async with open_house() as house:
        await master(house)
        page = await house.get(OF_LAMP)
        await house.send(page.form(OF_LAMP), "remove", code=APP_CODE)
        (sent,) = house.auth.room.set
        assert (sent.devices, sent.named) == ((BLIND,), ("lamp",))


async def test_what_the_room_says_stands_beside_the_field_with_all_that_was_typed() -> None:
    async with open_house() as house:
        await master(house)
        house.auth.room.complains = (
            Complaint(text="there is no pin 99", device="lamp", setting="pin"),
            Complaint(text="is odd <b>", device="blind", setting="pins"),
        )
        page = await house.get(OF_LAMP)
        page = await house.send(page.form(OF_LAMP), "save", name="Desk", pin="99", code=APP_CODE)
        assert page.status == 422
        assert page.has("select", name="pin", **{"aria-invalid": "true", "aria-describedby": "pin-said"})
        assert page.has("input", name="name", value="Desk")
        assert "there is no pin 99" in page.text
        assert "blind: is odd <b>" in page.text


async def test_it_takes_a_proof_and_who_has_no_factor_is_told_where_to_get_one() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        assert "you have neither yet" in (await house.get(OF_LAMP)).text
        await master(house)
        house.auth.room.asks_for_proof = True
        page = await house.get(OF_LAMP)
        page = await house.send(page.form(OF_LAMP), "save", name="Desk")
        assert page.status == 403
        assert house.auth.room.set == []


async def test_a_form_of_an_older_file_changes_nothing() -> None:
    async with open_house() as house:
        await master(house)
        page = await house.get(OF_LAMP)
        house.auth.room.files.hear(msgspec.structs.replace(HALL_FILE, version="1" * 64))
        page = await house.send(page.form(OF_LAMP), "save", name="Desk", code=APP_CODE)
        assert (page.status, house.auth.room.set) == (409, [])
        assert page.has("input", name="of", value="1" * 64)


@pytest.mark.parametrize(
    ("is_broker", "said"), [(False, "The room is offline"), (True, "The broker cannot be reached")]
)
async def test_while_nothing_can_be_sent_nothing_is_and_what_is_away_is_named(is_broker: bool, said: str) -> None:
    async with open_house() as house:
        await master(house)
        page = await house.get(OF_LAMP)
        house.commands.broker_away = is_broker
        house.home.hear_availability("hall", parts.offline(), retained=False, now=1.0)
        refused = await house.send(page.form(OF_LAMP), "save", name="Desk", code=APP_CODE)
        assert (refused.status, house.auth.room.set) == (503, [])
        assert said in refused.text
        assert refused.form(OF_LAMP).fields["name"] == "Desk"
        house.auth.room.files.forget_all()
        assert said in (await house.get(OF_LAMP)).text


@pytest.mark.parametrize("known", [True, False])
async def test_what_became_of_the_last_change_is_shown_or_that_nothing_is_known(known: bool) -> None:
    async with open_house() as house:
        await master(house)
        if known:
            said = (Complaint(text="The room did not come back within 60 seconds."),)
            answer = FileAnswer(id="s0", outcome="put-back", at=utc(0), complaints=said)
            house.auth.room.files.hear(msgspec.structs.replace(HALL_FILE, answer=answer))
        else:
            house.auth.room.files.forget_all()
        page = await house.get(LIST)
        assert ("did not come back within 60 seconds" in page.text) is known
        assert ("Nothing is known of the room's file" in page.text) is not known


async def test_a_room_without_devices_and_one_that_only_a_hand_changes_say_so() -> None:
    async with open_house() as house:
        await master(house)
        house.auth.room.files.hear(msgspec.structs.replace(HALL_FILE, devices=()))
        assert "This room has no devices yet." in (await house.get(LIST)).text
        house.auth.room.files.hear(msgspec.structs.replace(HALL_FILE, devices=None, why="It has too many."))
        page = await house.get(LIST)
        assert "It has too many." in page.text
        assert not page.has("select", name="kind")


async def test_a_button_is_bound_and_what_is_wrong_with_it_stands_there() -> None:
    async with open_house() as house:
        await master(house)
        target = f"{NEW}?kind=button"
        page = await house.get(target)
        typed = {"name": "Bell", "pin": "27", "bind_press": "lamp/toggle", "bind_long": "blind/set"}
        await house.send(page.form(NEW), "save", **typed, bind_long_value="40", debounce_ms="50", code=APP_CODE)
        binds = {
            "press": {"device": "lamp", "action": "toggle"},
            "long": {"device": "blind", "action": "set", "value": 40},
        }
        new = {"id": "bell", "name": "Bell", "kind": "button", "pin": 27, "debounce_ms": 50, "binds": binds}
        assert house.auth.room.set[-1].devices[-1] == new

        house.auth.room.files.hear(HALL_FILE)
        house.auth.room.complains = (
            Complaint(text="is 400; a whole number", device="bell", setting="binds.long.value"),
            Complaint(text="too long", device="bell", setting="debounce_ms"),
            Complaint(text="names nothing", device="bell", setting="binds"),
        )
        page = await house.get(target)
        page = await house.send(page.form(NEW), "save", **typed, bind_long_value="400", code=APP_CODE)
        assert page.has("input", name="bind_long_value", value="400", **{"aria-describedby": "bind_long_value-said"})
        assert page.has("details", open="")
        assert "bell: names nothing" in page.text


async def test_a_bind_to_what_is_no_more_is_shown_as_it_stands() -> None:
    async with open_house() as house:
        bell = {"id": "bell", "name": "Bell", "kind": "button", "pin": 27}
        bell |= {"binds": {"press": {"device": "gone", "action": "on"}, "newer": {"device": "lamp", "action": "on"}}}
        house.auth.room.files.hear(msgspec.structs.replace(HALL_FILE, devices=(LAMP, bell)))
        await master(house)
        page = await house.get(f"{LIST}/bell")
        assert page.has("option", value="gone/on", selected="")
        await house.send(page.form(f"{LIST}/bell"), "save", code=APP_CODE)
        assert house.auth.room.set[-1].devices == (LAMP, bell)


@pytest.mark.parametrize(
    ("typed", "sent"), [("1,5", 1.5), ("soon", "soon"), ("nan", "nan"), ("1e999", "1e999"), (" ", None)]
)
def test_what_is_no_number_goes_to_the_room_as_it_was_typed(typed: str, sent: object) -> None:
    made = device_form.table(Form({"name": "It", "max_on": typed}), Kind.SWITCH, {}, ())
    assert made.get("max_on") == sent


def test_an_id_is_made_of_the_name_and_is_nobody_elses() -> None:
    def made(name: str, *taken: str) -> str:
        return str(device_form.table(Form({"name": name}), Kind.SWITCH, {}, taken)["id"])

    assert made("Big Lamp") == "big-lamp"
    assert made("Big Lamp", "big-lamp", "big-lamp-2") == "big-lamp-3"
    assert made("4 candles") == "d-4-candles"
    assert made("灯") == "device"
    assert made("x" * 64) == "x" * 28


def test_pins_are_offered_with_who_has_them_the_quiet_ones_first() -> None:
    offered = [OfferedPin(line=4, name="GPIO4", place=7), OfferedPin(line=17, name="GPIO17", place=11, quiet=True)]
    told = device_form.pins(offered, [LAMP, {"id": "b", "name": "Blind", "pins": ["GPIO4", 5]}], "lamp")
    assert told == [("17", "17 · 11", None), ("4", "4 · 7", "Blind")]
    assert device_form.pins([OfferedPin(line=3, name="PA3")], [], None) == [("3", "3 (PA3)", None)]
