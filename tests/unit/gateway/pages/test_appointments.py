"""Devices that are used by appointment: made, seen with its time, and refused, by API and page; the delay of one."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import pytest

from gateway.api.routes import add_api
from shared.words.internal import Grant, LockdownState, Registry
from shared.words.names import Action, ConfirmBy, Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import House, open_house
from tests.unit.gateway.pages.test_two_persons import (
    COMMANDS,
    DEVICE,
    DOOR,
    WAYS,
    a_program_is_refused,
    call,
    slug,
    unlock,
)

DUE = datetime(2031, 5, 4, 12, 30, 15, tzinfo=UTC)


@asynccontextmanager
async def house_by_appointment() -> AsyncIterator[House]:
    entry = parts.confirmed_by(parts.HALL_ENTRY, "front-door", ConfirmBy.APPOINTMENT, 10)
    async with open_house(Registry(rooms=(entry,)), furnish=add_api) as house:
        house.put("front-door", "locked")
        yield house


def put_up(house: House, by: str = "Ada", due: datetime = DUE) -> str:
    """An appointment of somebody else's; its id."""
    wish = parts.wish("front-door", Action.UNLOCK, by=by, due=due)
    house.home.show(house.home.pending.add(wish))
    return wish.id


async def test_a_press_makes_an_appointment_and_everybody_who_sees_the_device_sees_its_time() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MEMBER)
        status, answer = await unlock(house, id="m1")
        assert (status, answer["id"], answer["outcome"], answer["confirm_by"]) == (202, "m1", "pending", "appointment")
        device = (await call(house, "GET", DEVICE))[1]
        (told,) = device["pending"]
        assert (told["id"], told["due"], told["by"]["name"]) == ("m1", answer["due"], "Member")
        assert (device["confirm"], device["confirm_by"], device["delay_minutes"]) == (True, "appointment", 10)
        assert house.commands.wishes == []


async def test_another_ones_press_does_not_make_it_come_sooner() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MEMBER)
        first = put_up(house)
        status, answer = await unlock(house)
        assert (status, answer["outcome"]) == (202, "pending")
        assert [press.agrees_to for press in house.registrar.pressed] == [None]
        page = await house.get("/rooms/hall")
        assert "Agree…" not in page.text
        assert first


async def test_a_safe_action_waits_for_no_time_and_a_dialog_comes_first() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MEMBER)
        assert (await call(house, "POST", COMMANDS, {"action": "lock"}))[0] == 200
        assert slug(await call(house, "POST", COMMANDS, {"action": "unlock"})) == "confirmation-required"
        assert house.registrar.pressed == []


async def test_a_program_makes_no_appointment_and_refuses_none() -> None:
    async with house_by_appointment() as house:
        put_up(house)
        await a_program_is_refused(house, "appointment-in-person")


@pytest.mark.parametrize("why", ["lockdown", "room-offline", "broker-unreachable"])
async def test_no_appointment_is_made_for_what_could_not_be_done_now(why: str) -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MEMBER)
        if why == "lockdown":
            house.home.set_lockdown(LockdownState(active=True, at=datetime.now(UTC)))
        else:
            house.commands.broker_away = why == "broker-unreachable"
            house.home.hear_availability("hall", parts.offline(), retained=False, now=1.0)
        assert slug(await unlock(house)) == why
        assert house.registrar.pressed == []


async def test_by_form_one_asks_and_reads_when_it_is_done() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/rooms/hall")
        asked = await house.follow(await house.send(page.form(DOOR, "unlock"), "unlock"))
        assert "It is done in 10 minutes. Until then, whoever may use it can refuse that." in asked.text
        assert (await house.send(asked.form(DOOR), "unlock")).status == 303
        page = await house.get("/rooms/hall")
        assert "there is an appointment" in page.text
        assert "Member: Unlock Front door." in page.text
        assert "unless it is refused." in page.text
        assert "Take it back" in page.text


async def test_by_form_another_refuses_it_from_the_page_that_the_letter_opens() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MASTER)
        wish = put_up(house, by="Bea")
        page = await house.get("/rooms/hall")
        assert house.registrar.taken_back == [], "looking refuses nothing"
        assert page.has("article", id="hall.front-door"), "where the letter's link points to"
        assert "Bea: Unlock Front door." in page.text
        form = page.form(f"{DOOR}/pending")
        for said in ("taken back", "not pending any more"):
            assert (await house.send(form, wish)).status == 303
            assert said in (await house.get("/rooms/hall")).text
        assert house.registrar.taken_back == [(wish, "u-master")]


async def test_a_guest_who_may_only_look_sees_it_and_refuses_nothing() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="front-door", actions=(Action.LOCK,)))
        wish = put_up(house)
        page = await house.get("/rooms/hall")
        assert "Ada: Unlock Front door." in page.text
        assert all(form.action != f"{DOOR}/pending" for form in page.forms)
        assert slug(await call(house, "DELETE", f"{DEVICE}/pending/{wish}")) == "forbidden"


async def test_the_master_user_chooses_it_with_its_delay_by_form_and_program() -> None:
    async with house_by_appointment() as house:
        await house.sign_in(Role.MASTER)
        page = await house.get(WAYS)
        assert "An appointment" in page.text
        sent = await house.send(page.form(WAYS), confirm_by="appointment", delay_minutes="30")
        assert sent.status == 303
        assert [(one.confirm_by, one.delay_minutes) for _, _, one in house.registrar.decided] == [
            (ConfirmBy.APPOINTMENT, 30)
        ]
        assert "It makes an appointment" in (await house.get("/rooms/hall")).text
        sent = await house.send(page.form(WAYS), confirm_by="dialog", delay_minutes="30")
        assert house.registrar.decided[-1][2].delay_minutes is None, "a dialog has none"
        for wrong in ("", "0", "721", "ten", "10.5", "-1"):
            refused = await house.send(page.form(WAYS), confirm_by="appointment", delay_minutes=wrong)
            assert refused.status == 400, wrong
        path = f"{DEVICE}/confirm-by"
        body = {"confirm_by": "appointment", "delay_minutes": 720}
        status, view = await call(house, "PUT", path, body)
        assert (status, view["delay_minutes"]) == (200, 720)
        for other in (0, 721, 10.5, "10"):
            assert (await call(house, "PUT", path, body | {"delay_minutes": other}))[0] == 422
        assert len(house.registrar.decided) == 3


async def test_a_delay_that_a_program_set_can_be_kept_by_form() -> None:
    entry = parts.confirmed_by(parts.HALL_ENTRY, "front-door", ConfirmBy.APPOINTMENT, 17)
    async with open_house(Registry(rooms=(entry,)), furnish=add_api) as house:
        await house.sign_in(Role.MASTER)
        page = await house.get(WAYS)
        assert "17 minutes" in page.text
        assert page.form(WAYS).fields["delay_minutes"] == "17"


async def test_how_long_it_waits_is_shown_to_nobody_where_nothing_waits() -> None:
    entry = parts.confirmed_by(parts.HALL_ENTRY, "front-door", ConfirmBy.STEP_UP)
    async with open_house(Registry(rooms=(entry,)), furnish=add_api) as house:
        await house.sign_in(Role.MEMBER)
        assert "delay_minutes" not in (await call(house, "GET", DEVICE))[1]
