"""API tokens on the account's pages: ticked together, shown once, listed, revoked; what was typed is kept."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.pages.picking import MOST_SHOWN
from shared.words.internal import Grant, RegisteredRoom, Registry
from shared.words.messages import Description
from shared.words.names import Action, Role
from shared.words.problem import HomeError
from shared.words.scopes import Allowed
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import PASSWORD, TOKEN, open_house

TICKED = {
    "name": " Kitchen panel ",
    "days": "30",
    "hall/lamp on": "yes",
    "hall/front-door look": "yes",
    "current": PASSWORD,
}


@pytest.mark.parametrize(("current", "status"), [("a guess", 403), ("", 422)])
async def test_without_the_password_none_is_made_and_what_was_ticked_is_kept(current: str, status: int) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/tokens")).form("/account/tokens")
        page = await house.send(form, **TICKED | {"current": current})
        assert page.status == status
        assert page.has("input", name="current", **{"aria-invalid": "true"})
        assert page.form("/account/tokens").fields["hall/lamp on"] == "yes"
        assert house.auth.tokens_made == []


async def test_what_is_ticked_is_made_and_shown_once() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/tokens")).form("/account/tokens")
        page = await house.send(form, **TICKED)
        assert page.status == 200
        assert page.has("textarea", readonly="")
        assert TOKEN in page.text
        assert "Lamp in Hall: On; Front door in Hall: look" in page.text
        (wanted,) = house.auth.tokens_made
        assert wanted.session == "token-member"
        assert wanted.name == "Kitchen panel"
        assert wanted.scope == (
            Allowed(room="hall", device="lamp", actions=(Action.ON,)),
            Allowed(room="hall", device="front-door"),
        )
        assert abs(wanted.expires_at - datetime.now(UTC) - timedelta(days=30)) < timedelta(hours=1)
        account = await house.get("/account")
        assert "Kitchen panel Lamp in Hall: On; Front door in Hall: look never used" in account.text
        assert TOKEN not in account.body
        assert TOKEN not in (await house.get("/account/tokens")).body


async def test_one_is_revoked_from_the_account_page_and_its_streams_end() -> None:
    async with open_house() as house:
        mine = await house.sign_in(Role.MEMBER)
        await house.send((await house.get("/account/tokens")).form("/account/tokens"), **TICKED)
        after = await house.follow(await house.send((await house.get("/account")).form("/account/tokens/revoke")))
        assert "The token is revoked" in after.text
        assert "None yet." in after.text
        assert house.auth.revoked == [("token-0", mine.user.id)]
        assert house.hub.ended == ["token-0"]


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"name": "  "}, "Give it a name"),
        ({"name": "n" * 65}, "Give it a name"),
        ({"days": "366"}, "Choose when it ends"),
        ({"days": ""}, "Choose when it ends"),
        ({"hall/lamp explode": "yes"}, "There is no such action"),
        ({"hall/lamp unlock": "yes"}, "hall/lamp offers you on, off, and not unlock."),
        ({"hall/nowhere look": "yes"}, "There is no device hall/nowhere."),
        ({"hall/<b>x look": "yes"}, "There is no device hall/<b>x."),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_is_kept(changed: dict[str, str], said: str) -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/tokens")).form("/account/tokens")
        page = await house.send(form, **(TICKED | changed))
        assert page.status in (404, 422)
        assert said in page.text
        assert page.has("input", name="hall/lamp on", checked="")
        days = (TICKED | changed)["days"]
        assert page.has("input", name="days", value=days, checked="") is (changed.keys() != {"days"})
        assert house.auth.tokens_made == []
        assert "<b>x" not in page.body


async def test_nothing_ticked_is_nothing_made() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/tokens")).form("/account/tokens")
        page = await house.send(form, name="Panel", days="30")
        assert "Tick what it may" in page.text
        assert house.auth.tokens_made == []


async def test_a_guest_is_offered_what_is_theirs_and_makes_no_more_of_it() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="lamp", actions=(Action.OFF,)))
        page = await house.get("/account/tokens")
        assert page.has("input", name="hall/lamp off")
        assert not page.has("input", name="hall/lamp on")
        assert "Front door" not in page.body
        form = page.form("/account/tokens")
        refused = await house.send(form, name="Panel", days="30", current=PASSWORD, **{"hall/front-door look": "yes"})
        assert "There is no device hall/front-door." in refused.text
        refused = await house.send(form, name="Panel", days="30", current=PASSWORD, **{"hall/lamp on": "yes"})
        assert "hall/lamp offers you off, and not on." in refused.text
        assert house.auth.tokens_made == []


async def test_without_the_auth_service_the_account_says_what_is_missing_and_the_form_keeps_what_was_typed() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/tokens")).form("/account/tokens")
        house.auth.away = True
        assert "Your tokens cannot be listed just now." in (await house.get("/account")).text
        page = await house.send(form, **TICKED)
        assert page.status == HomeError("auth-unreachable").status
        assert page.has("input", name="hall/lamp on", checked="")


async def test_names_are_text_on_every_page() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/account/tokens")).form("/account/tokens")
        page = await house.send(form, **(TICKED | {"name": "<script>alert(1)</script>"}))
        assert "<script>alert" not in page.body
        assert "<script>alert" not in (await house.get("/account")).body


async def test_the_list_has_every_live_one() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        for name in ("One", "Two"):
            form = (await house.get("/account/tokens")).form("/account/tokens")
            await house.send(form, **(TICKED | {"name": name}))
        page = await house.get("/account")
        assert sum(form.action == "/account/tokens/revoke" for form in page.forms) == 2


async def test_a_large_home_shows_one_room_and_what_was_ticked_in_others_stays() -> None:
    lamps = tuple(parts.described(f"lamp-{number}") for number in range(MOST_SHOWN))
    many = Description(room="attic", name="Attic", agent_version="1", devices=lamps)
    attic = RegisteredRoom(id="attic", name="Attic", devices=tuple(map(parts.registered, lamps)))
    async with open_house(Registry(rooms=(parts.HALL_ENTRY, attic)), parts.HALL, many) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/account/tokens?room=hall")
        assert page.has("input", name="hall/lamp on")
        assert not page.has("input", name="attic/lamp-1 on")
        attic_shown = await house.send(page.form("/account/tokens"), **TICKED, room="attic", show="yes")
        assert (attic_shown.status, house.auth.tokens_made) == (200, [])
        assert attic_shown.has("input", name="attic/lamp-1 on")
        assert "Front door in Hall: look" in attic_shown.text
        assert "Lamp in Hall: On" in attic_shown.text
        assert PASSWORD not in attic_shown.body
        wrong = await house.send(attic_shown.form("/account/tokens"), **{"attic/lamp-1 on": "yes", "current": ""})
        assert wrong.has("input", name="attic/lamp-1 on", checked="")
        made = await house.send(wrong.form("/account/tokens"), current=PASSWORD)
        assert TOKEN in made.text
        (wish,) = house.auth.tokens_made
        assert {(one.room, one.device) for one in wish.scope} == {
            ("hall", "lamp"),
            ("hall", "front-door"),
            ("attic", "lamp-1"),
        }
