"""The master user sees what a guest may use, changes it by form, and what somebody else changed meanwhile stands."""

import msgspec
import pytest

from shared.words.internal import Grant, UserRow
from shared.words.names import Action, Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import House, open_house

GUEST = msgspec.structs.replace(parts.session(Role.GUEST).user, name="<i>Grace")
PAGE = f"/users/{GUEST.id}/grants"
LAMP = Grant(room="hall", device="lamp")
DAYS = {f"day-{day}": "on" for day in range(7)}


def granted(house: House, *grants: Grant) -> None:
    house.auth.people = [UserRow(user=GUEST, grants=grants, created_at=parts.NOW, signed_in_at=None)]


async def test_what_a_guest_may_use_is_told_device_by_device() -> None:
    night = Grant(room="hall", device="front-door", actions=(Action.LOCK,), from_minute=1320, to_minute=360)
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        granted(house, LAMP, night, Grant(room="attic", device="fan"))
        page = await house.get(PAGE)
        assert "What <i>Grace may use" in page.text
        assert "<i>Grace" not in page.body
        assert "Lamp in Hall now Without end." in page.text
        assert "Every day, 22:00 to 06:00 (Lock only)" in page.text
        assert "attic/fan now" in page.text
        assert "00:00–06:00, 22:00–24:00" in page.text
        assert page.has("a", href=PAGE) is False
        assert (await house.get("/users")).has("a", href=PAGE)


async def test_a_grant_is_added_changed_and_taken_away_by_form() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        granted(house)
        assert "may use nothing" in (await house.get(PAGE)).text
        form = (await house.get(f"{PAGE}/edit?device=hall/lamp")).form(PAGE)
        after = await house.follow(await house.send(form, "save", actions="all", **DAYS, begin="22:00", end="06:00"))
        assert "Granted Lamp in Hall, every day, 22:00 to 06:00. The change counts at once." in after.text
        added = Grant(room="hall", device="lamp", from_minute=1320, to_minute=360)
        (change,) = house.auth.grants_changes
        assert (change.grants, change.instead_of, change.by) == ((added,), (), parts.session(Role.MASTER).user.id)
        assert house.hub.anew == [GUEST.id]

        form = (await house.get(f"{PAGE}/edit?grant=0")).form(PAGE)
        assert (form.fields["begin"], form.fields["end"], form.fields["device"]) == ("22:00", "06:00", "hall/lamp")
        await house.follow(await house.send(form, "save", actions="some", **{"do-off": "on"}, **DAYS, begin="", end=""))
        assert house.auth.people[0].grants == (Grant(room="hall", device="lamp", actions=(Action.OFF,)),)

        form = (await house.get(PAGE)).form(PAGE)
        after = await house.follow(await house.send(form, "remove"))
        assert "Taken away Lamp in Hall (Off only), every day, at any time. The change counts at once." in after.text
        assert house.auth.grants_changes[-1].grants == ()


async def test_what_cannot_be_is_said_beside_the_field_and_what_was_typed_stays() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        granted(house, LAMP)
        form = (await house.get(f"{PAGE}/edit?device=hall/lamp")).form(PAGE)
        typed = {"actions": "all", "day-2": "on", "begin": "08:00", "end": "08:00", "until-day": "2020-01-01"}
        # A box that is not ticked is not sent.
        form.fields = {name: text for name, text in form.fields.items() if not name.startswith("day-")}
        page = await house.send(form, "save", **typed)
        assert page.status == 422
        assert "Nothing was changed yet." in page.text
        assert "It ends when it begins." in page.text
        assert "That is over already." in page.text
        again = page.form(PAGE)
        assert (again.fields["begin"], again.fields["until-day"]) == ("08:00", "2020-01-01")
        assert page.has("input", name="end", **{"aria-invalid": "true"})
        assert house.auth.grants_changes == []


@pytest.mark.parametrize(
    ("error", "status", "told"),
    [
        (HomeError("invalid-value", "No such day.", field="grants[1].until"), 422, "No such day."),
        (HomeError("invalid-value", "Fifty at the most.", field="grants"), 422, "Fifty at the most."),
        (HomeError("no-proof"), 503, "No proof of a critical action can be written"),
        (HomeError("auth-unreachable"), 503, "The auth service cannot be reached"),
    ],
)
async def test_what_the_auth_service_refuses_stands_on_the_form(error: HomeError, status: int, told: str) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        granted(house, LAMP)
        form = (await house.get(f"{PAGE}/edit?device=hall/dimmer")).form(PAGE)
        house.auth.refuses = error
        page = await house.send(form, "save", actions="all", **DAYS, begin="08:00")
        assert page.status == status
        assert told in page.text
        assert page.form(PAGE).fields["begin"] == "08:00"


async def test_what_somebody_else_changed_meanwhile_stands() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        granted(house, LAMP)
        form = (await house.get(PAGE)).form(PAGE)
        granted(house, Grant(room="hall", device="dimmer"), LAMP)
        after = await house.follow(await house.send(form, "remove"))
        assert "Somebody changed this meanwhile: nothing was done" in after.text
        assert house.auth.grants_changes == []


@pytest.mark.parametrize("path", ["edit?device=hall/nothing", "edit?device=x", "edit", "edit?grant=7", "edit?grant=-1"])
async def test_there_is_no_form_for_what_is_not_there(path: str) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        granted(house, LAMP)
        assert (await house.get(f"{PAGE}/{path}")).status == 404


async def test_only_guests_have_grants() -> None:
    async with open_house() as house:
        info = await house.sign_in(Role.MASTER)
        house.auth.people = [UserRow(user=info.user, grants=(), created_at=parts.NOW, signed_in_at=None)]
        assert (await house.get(f"/users/{info.user.id}/grants")).status == 404
        assert not (await house.get("/users")).has("a", href=f"/users/{info.user.id}/grants")
