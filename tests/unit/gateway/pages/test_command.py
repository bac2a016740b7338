"""A command by form: sent once, answered by what the room said, never led anywhere but to our own two pages."""

from datetime import UTC, datetime, timedelta

from shared.words.internal import Grant
from shared.words.names import Action, Role
from shared.words.problem import HomeError
from tests.unit.gateway.pages.house import HEADERS, open_house

LAMP_ONLY = Grant(room="hall", device="lamp")


async def test_the_page_after_a_command_says_what_the_room_said_once() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        sent = await house.send(page.form("/rooms/hall/lamp", "on"), "on")
        assert (sent.status, sent.location) == (303, "/#hall.lamp")
        wish = house.commands.wishes[0]
        assert (wish.device.id, wish.action, wish.value) == ("lamp", "on", None)
        assert "Lamp in Hall: switched on The room confirmed it." in (await house.follow(sent)).text
        assert "confirmed" not in (await house.get("/")).text


async def test_a_command_from_a_rooms_page_leads_back_to_it() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/rooms/hall")
        sent = await house.send(page.form("/rooms/hall/lamp", "off"), "off")
        assert sent.location == "/rooms/hall#hall.lamp"


async def test_the_form_cannot_lead_elsewhere() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/")
        sent = await house.send(page.form("/rooms/hall/lamp", "off"), "off", back="https://evil.example/")
        assert sent.location == "/#hall.lamp"


REFUSALS = (
    ("room-offline", "bad", "The room is offline Nothing was sent."),
    ("broker-unreachable", "bad", "Nothing was sent."),
    ("interlocked", "bad", "Switch the other device of the group off first."),
    ("expired", "bad", "Nothing was done."),
    ("unknown", "unsure", "It is not known what happened"),
    ("no-proof", "bad", "No proof of a critical action can be written"),
)


async def test_a_command_that_was_not_done_says_why_and_what_next() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/")).form("/rooms/hall/lamp", "on")
        for slug, tone, words in REFUSALS:
            house.commands.answer = HomeError(slug)
            after = await house.follow(await house.send(form, "on"))
            assert words in after.text
            assert after.has("div", **{"class": f"said {tone}"})
            assert "confirmed" not in after.text


async def test_a_guest_gets_the_buttons_that_were_granted_and_is_refused_the_others() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="lamp", actions=(Action.OFF,)))
        page = await house.get("/")
        form = page.form("/rooms/hall/lamp", "off")
        assert not page.has("button", name="action", value="on")
        after = await house.follow(await house.send(form, action="on"))
        assert "You may use this device, but not for on." in after.text
        await house.send(form, "off")
        assert [wish.action for wish in house.commands.wishes] == ["off"]


async def test_a_number_is_sent_as_a_number() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/")).form("/rooms/hall/dimmer", "set")
        await house.send(form, "set", value="40")
        assert [wish.value for wish in house.commands.wishes] == [40]


LONG_AGO = "2020-01-01T00:00:00Z"


def minutes_ago(minutes: float) -> str:
    return (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()


async def test_a_form_says_when_it_was_shown_and_an_old_one_gets_the_page_anew() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        before = datetime.now(UTC) - timedelta(milliseconds=1)
        form = (await house.get("/rooms/hall")).form("/rooms/hall/lamp", "on")
        assert before <= datetime.fromisoformat(form.fields["shown_at"]) <= datetime.now(UTC)
        for shown_at in (minutes_ago(15.1), LONG_AGO, "", "yesterday", "2026-11-23T20:04", minutes_ago(-2), "9" * 40):
            sent = await house.send(form, "on", shown_at=shown_at)
            assert sent.location == "/rooms/hall#hall.lamp"
            after = await house.follow(sent)
            assert "Lamp in Hall: nothing was sent" in after.text
            assert house.commands.wishes == []
        for shown_at in (minutes_ago(14), minutes_ago(-0.5)):
            await house.send(form, "on", shown_at=shown_at)
        await house.send(after.form("/rooms/hall/lamp", "on"), "on")
        assert len(house.commands.wishes) == 3


async def test_what_is_safe_is_sent_however_old_the_form_is() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        await house.send((await house.get("/")).form("/rooms/hall/lamp", "off"), "off", shown_at=LONG_AGO)
        await house.send((await house.get("/")).form("/rooms/hall/front-door", "lock"), "lock", shown_at="")
        assert [wish.action for wish in house.commands.wishes] == ["off", "lock"]


async def test_an_old_confirmation_is_asked_for_anew_from_the_beginning() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/rooms/hall/front-door/confirm?action=unlock&back=home")
        sent = await house.send(page.form("/rooms/hall/front-door"), "unlock", shown_at=LONG_AGO)
        assert sent.location == "/#hall.front-door"
        assert house.commands.wishes == []


async def test_an_old_form_tells_a_guest_nothing_of_what_is_not_theirs() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, LAMP_ONLY)
        form = (await house.get("/")).form("/rooms/hall/lamp", "on")
        form.action = "/rooms/hall/front-door"
        assert (await house.send(form, action="unlock", shown_at=LONG_AGO)).status == 404


async def test_what_is_no_number_from_0_to_100_is_refused() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/")).form("/rooms/hall/dimmer", "set")
        for value in ("", "101", "-1", "4.5", "４０", "1e2", "9" * 400):
            after = await house.follow(await house.send(form, "set", value=value))
            assert house.commands.wishes == []
            assert "from 0 to 100" in after.text


async def test_a_confirmation_names_what_will_happen_and_changes_nothing_itself() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        sent = await house.send((await house.get("/")).form("/rooms/hall/front-door", "unlock"), "unlock")
        assert sent.location == "/rooms/hall/front-door/confirm?action=unlock&back=home"
        page = await house.follow(sent)
        assert "Unlock Front door?" in page.text
        assert "the master user gets a letter" in page.text
        assert page.has("a", href="/#hall.front-door")
        assert house.commands.wishes == []
        after = await house.follow(await house.send(page.form("/rooms/hall/front-door"), "unlock"))
        assert [wish.action for wish in house.commands.wishes] == ["unlock"]
        assert "Front door in Hall: unlocked" in after.text


async def test_a_safe_action_needs_no_confirmation() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        await house.send((await house.get("/")).form("/rooms/hall/front-door", "lock"), "lock")
        assert [wish.action for wish in house.commands.wishes] == ["lock"]


async def test_there_is_no_confirmation_of_what_the_device_does_not_do() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        for query in ("", "?action=on", "?action=unlock&value=3", "?action=<script>alert(1)</script>"):
            page = await house.get(f"/rooms/hall/front-door/confirm{query}")
            assert page.status == 404
            assert "<script>alert" not in page.body


async def test_a_guest_can_neither_command_nor_confirm_what_is_not_granted() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, LAMP_ONLY)
        form = (await house.get("/")).form("/rooms/hall/lamp", "on")
        form.action = "/rooms/hall/front-door"
        sent = await house.send(form, action="unlock", confirm="true")
        assert sent.status == 404
        assert (await house.get("/rooms/hall/front-door/confirm?action=unlock")).status == 404
        assert house.commands.wishes == []


async def test_without_the_token_or_from_elsewhere_nothing_is_sent() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/")).form("/rooms/hall/lamp", "on")
        assert (await house.send(form, "on", csrf_token="x")).status == 403
        elsewhere = HEADERS | {"Origin": "https://evil.example"}
        async with house.browser.post(form.action, data=form.fields, headers=elsewhere) as response:
            assert response.status == 403
        assert house.commands.wishes == []


async def test_a_field_that_is_sent_twice_or_is_a_file_is_refused() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        token = (await house.get("/")).form("/rooms/hall/lamp", "on").fields["csrf_token"]
        body = f"csrf_token={token}&action=on&action=off".encode()
        headers = HEADERS | {"Content-Type": "application/x-www-form-urlencoded"}
        async with house.browser.post("/rooms/hall/lamp", data=body, headers=headers) as response:
            assert response.status == 400
        assert house.commands.wishes == []


async def test_who_was_signed_out_meanwhile_is_led_to_the_login() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        form = (await house.get("/")).form("/rooms/hall/front-door", "unlock")
        house.auth.sessions.clear()
        sent = await house.send(form, "unlock", confirm="true")
        assert (sent.status, sent.location) == (303, "/login")
        assert house.commands.wishes == []
