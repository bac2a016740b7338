"""Step-up in the gateway: without a proof a device that asks for one does nothing, by API and page; who decides it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import pytest

from gateway.api.routes import add_api
from shared.words.internal import Registry
from shared.words.internal_factors import Factor
from shared.words.names import ConfirmBy, Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import APP_CODE, HEADERS, PASSKEY, PASSWORD, House, open_house

DOOR = "/rooms/hall/front-door"
COMMANDS = "/api/v1/devices/hall/front-door/commands"
WAYS = f"{DOOR}/confirm-by"
CREDENTIAL = {"id": PASSKEY, "rawId": PASSKEY, "type": "public-key", "response": {"clientDataJSON": "aa"}}


@asynccontextmanager
async def house_with(way: ConfirmBy, *kinds: str) -> AsyncIterator[House]:
    """A house whose front door is confirmed like that, and a person with these factors."""
    entry = parts.confirmed_by(parts.HALL_ENTRY, "front-door", way)
    async with open_house(Registry(rooms=(entry,)), furnish=add_api) as house:
        house.put("front-door", "locked")
        house.auth.apps = [Factor(id=kind, kind=kind, name=kind, created_at=parts.NOW) for kind in kinds]
        yield house


async def call(house: House, method: str, path: str, body: Any) -> tuple[int, Any]:
    async with house.browser.get("/api/v1/csrf", headers=HEADERS) as response:
        token = (await response.json())["csrf_token"]
    headers = HEADERS | {"Accept": "application/json", "X-CSRF-Token": token}
    async with house.browser.request(method, path, json=body, headers=headers) as response:
        return response.status, await response.json(content_type=None)


async def unlock(house: House, **more: Any) -> str:
    """How a command ends: "executed", or the problem's name."""
    status, answer = await call(house, "POST", COMMANDS, {"action": "unlock", **more})
    return "executed" if status == 200 else str(answer["type"].rpartition("/")[2])


@pytest.mark.parametrize("proof", [{"code": APP_CODE}, {"credential": CREDENTIAL}])
async def test_nothing_is_sent_without_a_proof_and_with_one_it_is(proof: dict[str, Any]) -> None:
    async with house_with(ConfirmBy.STEP_UP, "totp", "passkey") as house:
        await house.sign_in(Role.MEMBER)
        assert await unlock(house) == "confirmation-required"
        assert await unlock(house, confirm=True) == "step-up-required"
        assert house.commands.wishes == []
        status, answer = await call(house, "POST", "/api/v1/step-up", proof)
        assert (status, list(answer)) == (200, ["proved_until"])
        assert await unlock(house) == "confirmation-required", "a dialog is asked for all the same"
        assert await unlock(house, confirm=True) == "executed"
        assert (await call(house, "GET", "/api/v1/me", None))[1]["proved_until"] == answer["proved_until"]
        house.auth.sessions["proved"] = parts.session(Role.MEMBER)  # five minutes later
        assert await unlock(house, confirm=True) == "step-up-required", "by the word of this moment"


async def test_every_device_says_how_it_is_confirmed_in_the_page_as_in_what_it_is_compared_with() -> None:
    async with house_with(ConfirmBy.STEP_UP) as house:
        await house.sign_in(Role.MEMBER)
        told = (await call(house, "GET", "/api/v1/devices", None))[1]["devices"]
        ways = {one["id"]: one["confirm_by"] for one in told}
        assert ways == {
            "lamp": "none",
            "blind": "none",
            "dimmer": "none",
            "front-door": "step-up",
            "door-contact": "none",
        }
        page = await house.get("/")
        assert {device: page.device("hall", device)["data-confirm"] for device in ways} == ways


async def test_what_is_safe_asks_for_nothing() -> None:
    async with house_with(ConfirmBy.STEP_UP) as house:
        await house.sign_in(Role.MEMBER)
        status, _ = await call(house, "POST", COMMANDS, {"action": "lock"})
        assert status == 200
        page = await house.get("/")
        assert (await house.send(page.form(DOOR, "lock"), "lock")).status == 303
        assert [wish.action for wish in house.commands.wishes] == ["lock", "lock"]


async def test_of_both_proofs_one_is_sent_and_no_other_field() -> None:
    async with house_with(ConfirmBy.STEP_UP, "totp") as house:
        await house.sign_in(Role.MEMBER)
        for body in ({}, {"code": APP_CODE, "credential": CREDENTIAL}, {"code": APP_CODE, "user": "u-master"}):
            assert (await call(house, "POST", "/api/v1/step-up", body))[0] in (400, 422)
        status, answer = await call(house, "POST", "/api/v1/step-up", {"code": "000000"})
        assert (status, answer["field"]) == (403, "code")
        assert len(house.auth.proofs) == 1


async def test_the_page_asks_for_the_code_and_the_command_goes_with_it() -> None:
    async with house_with(ConfirmBy.STEP_UP, "totp") as house:
        await house.sign_in(Role.MEMBER)
        home = await house.get("/")
        asked = await house.follow(await house.send(home.form(DOOR, "unlock"), "unlock"))
        assert "Unlock Front door?" in asked.text
        form = asked.form(DOOR)
        assert "code" in form.fields
        wrong = await house.send(form, "unlock", code="000000")
        assert wrong.status == 403
        assert "Type the code that your app shows now." in wrong.text
        assert house.commands.wishes == []
        done = await house.send(wrong.form(DOOR), "unlock", code=f" {APP_CODE} ")
        assert done.status == 303
        assert [wish.action for wish in house.commands.wishes] == ["unlock"]
        again = await house.get(f"{DOOR}/confirm?action=unlock&back=home")
        assert "code" not in again.form(DOOR).fields, "what was proved counts for a while"
        assert (await house.send(again.form(DOOR), "unlock")).status == 303
        assert len(house.commands.wishes) == 2


async def test_who_has_no_strong_factor_is_told_where_to_add_one_and_sends_nothing() -> None:
    async with house_with(ConfirmBy.STEP_UP) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get(f"{DOOR}/confirm?action=unlock&back=home")
        assert "you have none yet" in page.text
        assert page.has("a", href="/account/factors")
        assert page.form(DOOR).buttons == []


async def test_the_master_user_decides_on_a_page_and_takes_it_back_by_a_code() -> None:
    async with house_with(ConfirmBy.NONE, "totp") as house:
        info = await house.sign_in(Role.MASTER)
        room = await house.get("/rooms/hall")
        assert room.has("a", href=WAYS)
        page = await house.get(WAYS)
        assert "code" not in page.form(WAYS).fields
        sent = await house.send(page.form(WAYS), confirm_by="step-up")
        assert (sent.status, sent.location) == (303, "/rooms/hall#hall.front-door")
        assert "It asks for a passkey or a code before" in (await house.get("/rooms/hall")).text
        house.registrar.answer = HomeError("step-up-required")
        page = await house.get(WAYS)
        refused = await house.send(page.form(WAYS), confirm_by="dialog", code="")
        assert refused.status == 403
        assert "This asks for your passkey" in refused.text
        house.registrar.answer = None
        assert (await house.send(refused.form(WAYS), confirm_by="dialog", code=APP_CODE)).status == 303
        assert [(told.token, told.confirm_by.value) for _, _, told in house.registrar.decided] == [
            (f"token-{info.user.role}", "step-up"),
            (f"token-{info.user.role}", "dialog"),
            ("proved", "dialog"),
        ]


async def test_what_is_no_way_is_refused_and_others_find_nothing() -> None:
    async with house_with(ConfirmBy.NONE) as house:
        await house.sign_in(Role.MASTER)
        assert (await call(house, "PUT", COMMANDS.replace("commands", "confirm-by"), {"confirm_by": "maybe"}))[0] == 422
        status, view = await call(house, "PUT", "/api/v1/devices/hall/lamp/confirm-by", {"confirm_by": "dialog"})
        assert (status, view["confirm"], view["confirm_by"]) == (200, True, "dialog")
        page = await house.get("/rooms/hall/lamp/confirm-by")
        assert "A passkey or a code" not in page.text, "the lamp is not critical"
        await house.sign_in(Role.MEMBER)
        assert (await house.get(WAYS)).status == 403


async def test_password_and_token_forms_ask_for_the_code_of_who_has_an_app() -> None:
    async with house_with(ConfirmBy.NONE, "totp") as house:
        await house.sign_in(Role.MEMBER)
        for path in ("/account/password", "/account/tokens"):
            assert "code" in (await house.get(path)).form(path).fields
        sent = await house.send(
            (await house.get("/account/password")).form("/account/password"),
            current=PASSWORD,
            code=APP_CODE,
            new="quite another long one",
            again="quite another long one",
        )
        assert sent.status == 303
        assert [one.code for one in house.auth.password_changes] == [APP_CODE]
    async with house_with(ConfirmBy.NONE) as house:
        await house.sign_in(Role.MEMBER)
        assert "code" not in (await house.get("/account/password")).form("/account/password").fields


async def test_who_owes_a_factor_looks_makes_things_safer_and_adds_one() -> None:
    async with house_with(ConfirmBy.NONE) as house:
        info = await house.sign_in(Role.MASTER)
        house.auth.sessions["token-master"] = msgspec.structs.replace(info, owes_factor=True)
        home = await house.get("/")
        assert "Your home asks everyone for a passkey" in home.text
        assert await unlock(house, confirm=True) == "factor-required"
        said = await house.follow(await house.send(home.form("/rooms/hall/lamp", "on"), "on"))
        assert "Your home asks everyone for a passkey or an authenticator app Add one" in said.text
        assert house.commands.wishes == []
        for method, path, body in (
            ("PUT", "/api/v1/devices/hall/lamp/lockout", {"locked_out": False}),
            ("PUT", "/api/v1/devices/hall/lamp/confirm-by", {"confirm_by": "dialog"}),
            ("PUT", "/api/v1/lockdown", {"active": False, "password": PASSWORD, "code": APP_CODE}),
            ("POST", "/api/v1/tokens", {"current": PASSWORD}),
            ("PUT", "/api/v1/factors/demand", {"demanded": False}),
        ):
            status, answer = await call(house, method, path, body)
            assert (status, answer["type"]) == (403, "/problems/factor-required"), path
        for method, path, safer in (
            ("POST", COMMANDS, {"action": "lock"}),
            ("PUT", "/api/v1/devices/hall/lamp/lockout", {"locked_out": True}),
            ("POST", "/api/v1/factors", {"current": PASSWORD}),
            ("GET", "/api/v1/devices", {}),
        ):
            assert (await call(house, method, path, safer))[0] in (200, 201), path
        added = await house.get("/account/factors")
        assert (await house.send(added.form("/account/factors"), current=PASSWORD, name="Phone")).status == 200


async def test_the_master_user_asks_it_of_everyone_and_shows_a_code_first() -> None:
    async with house_with(ConfirmBy.NONE, "totp") as house:
        house.auth.asks_for_proof = True
        await house.sign_in(Role.MASTER)
        page = await house.get("/users/factors")
        refused = await house.send(page.form("/users/factors"), code="000000")
        assert (refused.status, house.auth.demanded) == (403, False)
        sent = await house.send(refused.form("/users/factors"), code=APP_CODE)
        assert (sent.status, sent.location) == (303, "/users")
        assert house.auth.demanded
        page = await house.get("/users/factors")
        assert page.form("/users/factors").fields["demanded"] == "false"
        assert "code" not in page.form("/users/factors").fields
