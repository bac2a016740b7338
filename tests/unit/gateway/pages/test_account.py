"""One's own account and sessions, and the master user's list of people."""

import msgspec
import pytest

from gateway.api.routes import add_api
from gateway.door import csrf
from shared.words.internal import Grant, UserRow
from shared.words.names import Role
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import HEADERS, House, open_house


def elsewhere(house: House, role: Role, number: int) -> str:
    """Another session of the same person."""
    info = parts.session(role, number=number)
    house.auth.sessions[f"token-{role}-{number}"] = info
    return info.id


async def test_the_account_says_who_one_is_and_what_one_may() -> None:
    async with open_house() as house:
        await house.sign_in(Role.GUEST, Grant(room="hall", device="lamp"))
        page = await house.get("/account")
        assert "guest@example.org" in page.text
        assert "Lamp in Hall now Without end." in page.text
        assert "Every day, at any time" in page.text
        assert "This is a basic factor" in page.text
        assert "this one" in page.text


async def test_a_browsers_own_description_is_text() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        page = await house.get("/account")
        assert "Firefox on Android" in page.text
        assert "<script>alert" not in page.body


async def test_a_session_elsewhere_can_be_ended() -> None:
    async with open_house() as house:
        mine = await house.sign_in(Role.MEMBER)
        other = elsewhere(house, Role.MEMBER, 2)
        page = await house.get("/account")
        form = next(f for f in page.forms if f.fields.get("session") == other)
        after = await house.follow(await house.send(form))
        assert "Signed out there" in after.text
        assert house.auth.ended == [(other, mine.user.id)]
        assert house.hub.ended == [other]


async def test_who_is_signed_in_at_many_places_reads_that_there_is_an_end_to_it() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        assert "At 50 places at the most" not in (await house.get("/account")).text
        for number in range(2, 42):
            elsewhere(house, Role.MEMBER, number)
        assert "At 50 places at the most" in (await house.get("/account")).text


async def test_all_other_sessions_can_be_ended_at_once() -> None:
    async with open_house() as house:
        mine = await house.sign_in(Role.MEMBER)
        others = {elsewhere(house, Role.MEMBER, number) for number in (2, 3)}
        page = await house.get("/account")
        after = await house.follow(await house.send(page.form("/account/sessions/end-others")))
        assert "2 sessions ended." in after.text
        assert {session for session, _ in house.auth.ended} == others
        assert [info.id for info in house.auth.sessions.values()] == [mine.id]


async def test_one_that_is_over_meanwhile_keeps_no_other_session_alive() -> None:
    async with open_house() as house:
        mine = await house.sign_in(Role.MEMBER)
        over, other = (elsewhere(house, Role.MEMBER, number) for number in (2, 3))
        page = await house.get("/account")
        house.auth.over.add(over)
        after = await house.follow(await house.send(page.form("/account/sessions/end-others")))
        assert "1 session ended." in after.text
        assert house.auth.ended == [(other, mine.user.id)]


async def test_ending_this_session_is_signing_out() -> None:
    async with open_house() as house:
        mine = await house.sign_in(Role.MEMBER)
        page = await house.get("/account")
        form = next(f for f in page.forms if f.fields.get("session") == mine.id)
        assert (await house.send(form)).location == "/login"
        assert (await house.get("/account")).location == "/login?next=/account"


async def test_ones_own_session_is_none_of_somebody_elses() -> None:
    async with open_house(furnish=add_api) as house:
        mine = await house.sign_in(Role.MASTER)
        async with house.browser.get("/api/v1/csrf") as response:
            proof = HEADERS | {csrf.HEADER: (await response.json())["csrf_token"]}
        house.auth.over.add(mine.id)
        guest = parts.session(Role.GUEST).user.id
        async with house.browser.delete(f"/api/v1/sessions/{mine.id}?user={guest}", headers=proof) as response:
            assert response.status == 404
        assert (await house.get("/account")).status == 200


async def test_without_the_auth_service_the_account_says_what_is_missing() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MEMBER)
        await house.get("/")
        house.auth.away = True
        page = await house.get("/account")
        assert page.status == 200
        assert "Your sessions cannot be listed just now." in page.text


def people() -> list[UserRow]:
    guest = parts.session(Role.GUEST).user
    grant = Grant(room="hall", device="lamp")
    return [
        UserRow(user=parts.session(Role.MASTER).user, grants=(), created_at=parts.NOW, signed_in_at=parts.NOW),
        UserRow(
            user=msgspec.structs.replace(guest, name="<b>Guest</b>"),
            grants=(grant,),
            created_at=parts.NOW,
            signed_in_at=None,
        ),
    ]


async def test_the_master_user_sees_everybody() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.auth.people = people()
        page = await house.get("/users")
        assert "<b>Guest</b>" in page.text
        assert "<b>Guest" not in page.body
        assert "May use: Lamp in Hall, every day, at any time" in page.text
        assert "Never signed in" in page.text


async def test_the_master_user_can_sign_somebody_out_everywhere() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        house.auth.people = people()
        theirs = elsewhere(house, Role.GUEST, 7)
        page = await house.get("/users")
        form = page.form("/users/end-sessions")
        after = await house.follow(await house.send(form))
        assert "is signed out everywhere 1 session ended." in after.text
        assert house.auth.ended == [(theirs, parts.session(Role.GUEST).user.id)]
        assert house.hub.ended == [theirs]


@pytest.mark.parametrize("role", [Role.MEMBER, Role.GUEST])
async def test_nobody_else_reaches_the_master_users_pages(role: Role) -> None:
    async with open_house() as house:
        await house.sign_in(role)
        house.auth.people = people()
        home = await house.get("/")
        assert not home.has("a", href="/users")
        assert (await house.get("/users")).status == 403
        form = home.form("/logout")
        form.action = "/users/end-sessions"
        assert (await house.send(form, user=parts.session(Role.MASTER).user.id)).status == 403
        assert house.auth.ended == []
