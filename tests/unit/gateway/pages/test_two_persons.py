"""What takes two persons: one press waits, a second person's is carried out, a program's counts for nothing; by API and
page, and who may say no.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from gateway.api.routes import add_api
from gateway.door import sessions
from shared.words.internal import Grant, LockdownState, Registry, UserRow
from shared.words.internal_factors import Factor
from shared.words.names import Action, ConfirmBy, Role
from shared.words.pending import Pressed
from shared.words.problem import HomeError
from shared.words.scopes import Allowed, TokenUse
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import HEADERS, TOKEN, House, open_house

DOOR = "/rooms/hall/front-door"
COMMANDS = "/api/v1/devices/hall/front-door/commands"
DEVICE = "/api/v1/devices/hall/front-door"
WAYS = f"{DOOR}/confirm-by"


@asynccontextmanager
async def house_for_two() -> AsyncIterator[House]:
    entry = parts.confirmed_by(parts.HALL_ENTRY, "front-door", ConfirmBy.TWO_PERSONS)
    async with open_house(Registry(rooms=(entry,)), furnish=add_api) as house:
        house.put("front-door", "locked")
        yield house


def put_up(house: House, by: str = "Ada", action: Action = Action.UNLOCK) -> str:
    """What somebody else wants; its id."""
    wish = parts.wish("front-door", action, by=by)
    house.home.show(house.home.pending.add(wish))
    return wish.id


async def call(house: House, method: str, path: str, body: Any = None) -> tuple[int, Any]:
    async with house.browser.get("/api/v1/csrf", headers=HEADERS) as response:
        token = (await response.json())["csrf_token"]
    headers = HEADERS | {"Accept": "application/json", "X-CSRF-Token": token}
    async with house.browser.request(method, path, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def unlock(house: House, **more: Any) -> tuple[int, Any]:
    return await call(house, "POST", COMMANDS, {"action": "unlock", "confirm": True, **more})


def slug(answer: tuple[int, Any]) -> str:
    return str(answer[1]["type"].rpartition("/")[2])


async def test_one_press_waits_and_everybody_who_sees_the_device_is_shown_it() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        status, answer = await unlock(house, id="m1")
        assert (status, answer["id"], answer["outcome"], answer["confirm_by"]) == (202, "m1", "pending", "two-persons")
        assert house.commands.wishes == []
        (told,) = (await call(house, "GET", DEVICE))[1]["pending"]
        assert (told["id"], told["action"], told["by"]) == ("m1", "unlock", {"id": "u-member", "name": "Member"})
        assert told["until"] == answer["until"]


async def test_a_second_persons_press_is_carried_out_as_theirs_with_the_first_in_it() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        first = put_up(house)
        status, answer = await unlock(house, id="m1", agrees_to=first)
        assert (status, answer["outcome"]) == (200, "executed")
        (wish,) = house.commands.wishes
        assert (wish.id, wish.user.name, wish.partner and wish.partner.name) == ("m1", "Member", "Ada")
        assert "pending" not in (await call(house, "GET", DEVICE))[1]


async def test_the_moment_is_the_second_press() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        put_up(house)
        pressed = datetime.now(UTC) - timedelta(seconds=1)
        await unlock(house, pressed_at=pressed.isoformat())
        (press,), (wish,) = house.registrar.pressed, house.commands.wishes
        assert not press.late
        assert abs(wish.issued_at - pressed.timestamp()) < 0.01
        await unlock(house, pressed_at=(pressed - timedelta(minutes=1)).isoformat())
        assert house.registrar.pressed[-1].late


async def test_a_safe_action_waits_for_nobody() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        assert (await call(house, "POST", COMMANDS, {"action": "lock"}))[0] == 200
        assert house.registrar.pressed == []


async def test_a_dialog_comes_first() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        assert slug(await call(house, "POST", COMMANDS, {"action": "unlock"})) == "confirmation-required"
        assert house.registrar.pressed == []


async def a_program_is_refused(house: House, slug: str) -> None:
    """With a token for that very device it has nothing done, and takes nothing back."""
    scope = (Allowed(room="hall", device="front-door", actions=(Action.UNLOCK,)),)
    use = TokenUse(name="Panel", scope=scope)
    house.auth.sessions[TOKEN] = msgspec.structs.replace(parts.session(Role.MASTER), token=use)
    headers = {"Host": "localhost:8443", "Authorization": f"Bearer {TOKEN}"}
    body = {"action": "unlock", "confirm": True}
    async with house.browser.post(COMMANDS, json=body, headers=headers) as response:
        assert (response.status, (await response.json())["type"]) == (403, f"/problems/{slug}")
    async with house.browser.delete(f"{DEVICE}/pending/w1", headers=headers) as response:
        assert response.status == 403
    assert (house.registrar.pressed, house.commands.wishes, house.registrar.taken_back) == ([], [], [])


async def test_a_program_with_a_token_is_no_person() -> None:
    async with house_for_two() as house:
        put_up(house)
        await a_program_is_refused(house, "second-person-required")


@pytest.mark.parametrize("why", ["lockdown", "room-offline", "broker-unreachable"])
async def test_nothing_is_put_up_that_could_not_be_done(why: str) -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        if why == "lockdown":
            house.home.set_lockdown(LockdownState(active=True, at=datetime.now(UTC)))
        else:
            house.commands.broker_away = why == "broker-unreachable"
            house.home.hear_availability("hall", parts.offline(), retained=False, now=1.0)
        assert slug(await unlock(house)) == why
        assert house.registrar.pressed == []


async def test_an_id_that_agreed_before_is_never_pressed_again() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        house.commands.known.add("m1")
        await unlock(house, id="m1")
        assert (house.registrar.pressed, [wish.recall for wish in house.commands.wishes]) == ([], [False])


async def test_an_id_that_agreed_elsewhere_asks_the_room_and_moves_nothing() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)

        house.registrar.came_to = Pressed(outcome="acted")
        await unlock(house, id="m1")
        assert [wish.recall for wish in house.commands.wishes] == [True]


async def test_what_the_auth_service_refuses_is_said() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        for name in ("wish-over", "other-wish-pending", "nobody-to-agree", "no-proof", "auth-unreachable"):
            house.registrar.answer = HomeError(name)
            assert slug(await unlock(house)) == name
        assert house.commands.wishes == []


async def test_whoever_may_act_says_no_and_nobody_else() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="front-door", actions=(Action.LOCK,)))
        wish = put_up(house)
        assert slug(await call(house, "DELETE", f"{DEVICE}/pending/{wish}")) == "forbidden"
        assert slug(await call(house, "DELETE", f"{DEVICE}/pending/other")) == "wish-over"
        house.auth.sessions["token-guest"] = parts.session(Role.GUEST)
        house.browser.app[sessions.SESSIONS].forget_all()
        assert slug(await call(house, "DELETE", f"{DEVICE}/pending/{wish}")) == "unknown-device"
        await house.sign_in(Role.MEMBER)
        assert (await call(house, "DELETE", f"{DEVICE}/pending/{wish}"))[0] == 204
        assert slug(await call(house, "DELETE", f"{DEVICE}/pending/{wish}")) == "wish-over"
        assert house.registrar.taken_back == [(wish, "u-member")]


async def test_by_form_one_asks_and_reads_until_when_it_waits() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/rooms/hall")
        asked = await house.follow(await house.send(page.form(DOOR, "unlock"), "unlock"))
        assert "nothing is done until a second person wants the same" in asked.text
        sent = await house.send(asked.form(DOOR), "unlock")
        assert sent.status == 303
        page = await house.get("/rooms/hall")
        assert "it takes a second person" in page.text
        assert "Member: Unlock Front door." in page.text
        assert "Take it back" in page.text
        assert "Agree…" not in page.text, "one person is one person"
        assert page.device("hall", "front-door")["data-pending"] == house.registrar.pressed[0].id


async def test_by_form_another_agrees_to_what_was_shown() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        wish = put_up(house, by="<b>Bea</b>")
        page = await house.get("/rooms/hall")
        assert "<b>Bea</b>: Unlock Front door." in page.text, "as text, whatever somebody is called"
        form = next(form for form in page.forms if "agrees_to" in form.fields)
        asked = await house.follow(await house.send(form, "unlock"))
        assert "As soon as a second person does" in asked.text
        assert asked.form(DOOR).fields["agrees_to"] == wish
        assert (await house.send(asked.form(DOOR), "unlock")).status == 303
        assert house.registrar.pressed[0].agrees_to == wish
        assert len(house.commands.wishes) == 1
        assert "unlocked" in (await house.get("/rooms/hall")).text


async def test_by_form_it_is_refused_and_a_second_time_it_is_over() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        wish = put_up(house)
        page = await house.get("/rooms/hall")
        form = page.form(f"{DOOR}/pending")
        for said in ("taken back", "not pending any more"):
            assert (await house.send(form, wish)).status == 303
            assert said in (await house.get("/rooms/hall")).text
        assert house.registrar.taken_back == [(wish, "u-member")]


async def test_a_guest_who_may_look_sees_it_without_buttons() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="front-door", actions=(Action.LOCK,)))
        put_up(house)
        page = await house.get("/rooms/hall")
        assert "Ada: Unlock Front door." in page.text
        assert all(form.action != f"{DOOR}/pending" for form in page.forms)


async def test_what_agrees_to_no_id_is_refused() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MEMBER)
        put_up(house)
        page = await house.get("/rooms/hall")
        form = next(form for form in page.forms if "agrees_to" in form.fields)
        assert (await house.send(form, "unlock", agrees_to="\x00 no id")).status == 400
        assert house.registrar.pressed == []


async def test_the_page_says_when_there_is_nobody_to_agree() -> None:
    async with house_for_two() as house:
        await house.sign_in(Role.MASTER)
        house.auth.apps = [Factor(id="totp", kind="totp", name="totp", created_at=parts.NOW)]
        rows = [
            UserRow(user=parts.session(role).user, grants=(), created_at=parts.NOW, signed_in_at=None)
            for role in (Role.MASTER, Role.MEMBER)
        ]
        house.auth.people = rows
        assert "Only one person may use this device" not in (await house.get(WAYS)).text
        house.auth.people = [rows[0], msgspec.structs.replace(rows[1], disabled=True)]
        page = await house.get(WAYS)
        assert "Only one person may use this device" in page.text
        assert "code" in page.form(WAYS).fields, "taking it back asks for a strong factor"
