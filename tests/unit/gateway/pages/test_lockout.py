"""Locking out by form: the master user's, said on the card, asked before it is lifted; the mark is for everyone."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from shared.words.internal import Grant, Registry
from shared.words.messages import DeviceDescription
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.browser import Page
from tests.unit.gateway.pages.house import HEADERS, House, open_house

LAMP_ONLY = Grant(room="hall", device="lamp")
ADDRESS = "/rooms/hall/lamp/lockout"
EVIL = "<script>alert(1)</script>"


@asynccontextmanager
async def locked_house(*, locked_out: str = "lamp", lamp: DeviceDescription = parts.LAMP) -> AsyncIterator[House]:
    """A house one of whose devices is locked out by the master user; its lamp is described like that."""
    devices = (lamp, *(device for device in parts.DEVICES if device.id != "lamp"))
    entry = msgspec.structs.replace(parts.HALL_ENTRY, devices=tuple(parts.registered(device) for device in devices))
    entry = parts.with_lockout(entry, locked_out, locked_out=True) if locked_out else entry
    async with open_house(Registry(rooms=(entry,)), msgspec.structs.replace(parts.HALL, devices=devices)) as house:
        house.put("lamp", "off")
        yield house


def marks(page: Page) -> list[str]:
    """The devices whose card has the mark."""
    return [a["data-device"] for tag, a in page.elements if tag == "article" and a["data-lockout"]]


async def test_everyone_sees_the_mark_and_the_master_user_alone_the_form() -> None:
    for role, grants in ((Role.MEMBER, ()), (Role.GUEST, (LAMP_ONLY,)), (Role.MASTER, ())):
        async with locked_house() as house:
            await house.sign_in(role, *grants)
            for path in ("/", "/rooms/hall"):
                page = await house.get(path)
                assert marks(page) == ["lamp"]
                assert "Locked out" in page.text
                formed = path == "/rooms/hall" and role is Role.MASTER
                assert page.has("a", href=ADDRESS) is formed
                forms = {form.action for form in page.forms if form.action.endswith("/lockout")}
                others = {f"/rooms/hall/{device}/lockout" for device in ("blind", "dimmer", "front-door")}
                assert forms == (others if formed else set()), "an input has nothing to lock out"


async def test_the_master_user_locks_out_by_form() -> None:
    async with locked_house(locked_out="") as house:
        info = await house.sign_in(Role.MASTER)
        page = await house.get("/rooms/hall")
        assert marks(page) == []
        sent = await house.send(page.form(ADDRESS), "true")
        assert (sent.status, sent.location) == (303, "/rooms/hall#hall.lamp")
        assert [(room, device, told.locked_out, told.by) for room, device, told in house.registrar.asked] == [
            ("hall", "lamp", True, info.user.id)
        ]
        after = await house.follow(sent)
        assert "Lamp in Hall: locked out From now on only Off works, until you lift the lock-out." in after.text
        assert marks(after) == ["lamp"]
        assert after.has("details", open="")


async def test_lifting_asks_first_on_a_page_that_changes_nothing_itself() -> None:
    async with locked_house() as house:
        await house.sign_in(Role.MASTER)
        page = await house.get(ADDRESS)
        assert "Lift the lock-out of Lamp?" in page.text
        assert "nobody is at work on it" in page.text
        assert "the master user gets a letter" in page.text
        assert page.has("a", href="/rooms/hall#hall.lamp")
        assert house.registrar.asked == []
        unasked = await house.send(page.form(ADDRESS), "false", confirm="")
        assert (unasked.status, unasked.location) == (303, ADDRESS)
        long_ago = await house.send(page.form(ADDRESS), "false", shown_at="2020-01-01T00:00:00Z")
        assert (long_ago.status, long_ago.location) == (303, ADDRESS)
        assert house.registrar.asked == []
        after = await house.follow(await house.send(page.form(ADDRESS), "false"))
        assert [told.locked_out for _, _, told in house.registrar.asked] == [False]
        assert "Lamp in Hall: lock-out lifted" in after.text
        assert marks(after) == []


async def test_nobody_else_may_change_it_or_is_asked() -> None:
    async with locked_house() as house:
        for role, grants in ((Role.MEMBER, ()), (Role.GUEST, (LAMP_ONLY,))):
            await house.sign_in(role, *grants)
            form = (await house.get("/rooms/hall")).form("/rooms/hall/lamp", "off")
            form.action = ADDRESS
            for wanted in ("true", "false"):
                sent = await house.send(form, locked_out=wanted, confirm="true")
                assert (sent.status, "Only the master user" in sent.text) == (403, True)
            assert (await house.get(ADDRESS)).status == 403
        form.action = "/rooms/hall/front-door/lockout"
        assert (await house.send(form, locked_out="true")).status == 404
        assert (await house.get("/rooms/hall/front-door/lockout")).status == 404
        assert house.registrar.asked == []


async def test_without_the_token_or_a_plain_wish_nothing_changes() -> None:
    async with locked_house(locked_out="") as house:
        await house.sign_in(Role.MASTER)
        form = (await house.get("/rooms/hall")).form(ADDRESS)
        assert (await house.send(form, "true", csrf_token="x")).status == 403
        for wanted in ("", "True", "1"):
            assert (await house.send(form, locked_out=wanted)).status == 400
        elsewhere = HEADERS | {"Origin": "https://evil.example"}
        async with house.browser.post(ADDRESS, data=form.fields | {"locked_out": "true"}, headers=elsewhere) as answer:
            assert answer.status == 403
        assert house.registrar.asked == []


async def test_there_is_nothing_to_lift_where_nothing_is_locked_out() -> None:
    async with locked_house(locked_out="") as house:
        await house.sign_in(Role.MASTER)
        assert (await house.get(ADDRESS)).location == "/rooms/hall#hall.lamp"
        assert (await house.get("/rooms/hall/nothing/lockout")).status == 404


async def test_what_the_rooms_own_file_locks_out_is_said_and_cannot_be_lifted() -> None:
    async with locked_house(lamp=msgspec.structs.replace(parts.LAMP, lockout=True)) as house:
        await house.sign_in(Role.MASTER)
        page = await house.get("/rooms/hall")
        assert page.device("hall", "lamp")["data-lockout"] == "room"
        assert "Its room's own file locks it out" in page.text
        assert not page.has("a", href=ADDRESS)
        assert (await house.get(ADDRESS)).status == 303
        form = page.form("/rooms/hall/lamp", "off")
        form.action = ADDRESS
        after = await house.follow(await house.send(form, locked_out="false", confirm="true"))
        assert "It is set in the room's own file, and lifted there." in after.text
        assert house.registrar.asked == []


async def test_a_command_is_refused_with_the_sentence_and_off_still_works() -> None:
    async with locked_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        after = await house.follow(await house.send(page.form("/rooms/hall/lamp", "on"), "on"))
        assert "The device is locked out Only off works until the master user lifts the lock-out." in after.text
        assert house.commands.wishes == []
        await house.send(page.form("/rooms/hall/lamp", "off"), "off")
        assert [wish.action for wish in house.commands.wishes] == ["off"]


async def test_what_a_lock_out_holds_back_asks_nothing_and_is_drawn_so() -> None:
    async with locked_house(locked_out="front-door") as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        buttons = [a for _, a in page.elements if a.get("formaction") == "/rooms/hall/front-door"]
        assert sorted(a["class"] for a in buttons) == ["command held", "command safe"]
        assert not [a for a in buttons if "data-title" in a]


async def test_what_the_auth_service_says_is_said() -> None:
    async with locked_house() as house:
        await house.sign_in(Role.MASTER)
        form = (await house.get(ADDRESS)).form(ADDRESS)
        house.registrar.answer = HomeError("no-proof")
        after = await house.follow(await house.send(form, "false"))
        assert "No proof of a critical action can be written" in after.text
        assert marks(after) == ["lamp"]


async def test_limits_are_told_on_the_rooms_page_as_text() -> None:
    lamp = msgspec.structs.replace(parts.LAMP, max_on=600.0, interlock=EVIL, unit=EVIL, boot=EVIL, contact=EVIL)
    async with locked_house(locked_out="", lamp=lamp) as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/rooms/hall")
        assert EVIL not in page.body
        assert "At most 10 min on · never together with others of <script>alert(1)</scrip…" in page.text
        assert "At most" not in (await house.get("/")).text
        assert page.has("details", **{"class": "more"})
