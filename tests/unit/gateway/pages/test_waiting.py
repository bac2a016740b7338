"""What rooms would loosen: told on the home, shown on a page, decided there by the master user about what was shown."""

from collections.abc import AsyncIterator

import msgspec
import pytest

from shared.words.internal_waiting import WaitingDevice, WouldChange
from shared.words.names import Role
from shared.words.problem import HomeError
from tests.unit.gateway import parts
from tests.unit.gateway.pages.house import HEADERS, House, open_house

EVIL = "<script>alert(1)</script>\u202e"
DIGEST = "0123456789abcdef" * 2
WAITS = WaitingDevice(
    room="hall",
    device="front-door",
    room_name="Entrance",
    name="Front door",
    since=parts.NOW,
    changes=(
        WouldChange(field="confirm", stands="true", wanted="false"),
        WouldChange(field="critical", stands="true", wanted="false"),
        WouldChange(field="kind", stands="lock", wanted="switch"),
        WouldChange(field="return", stands="2025-03-01", wanted="back"),
        WouldChange(field="safe_actions", stands="", wanted="unlock"),
    ),
    digest=DIGEST,
)
ADDRESS = "/waiting/hall/front-door"


@pytest.fixture
async def house() -> AsyncIterator[House]:
    """One device of the hall waits."""
    async with open_house(msgspec.structs.replace(parts.REGISTRY, waiting=1)) as house:
        house.auth.waits = (WAITS,)
        yield house


@pytest.mark.parametrize("role", list(Role))
async def test_the_home_tells_the_master_user_alone(house: House, role: Role) -> None:
    await house.sign_in(role)
    page = await house.get("/")
    assert page.has("a", href="/waiting") is (role is Role.MASTER)
    assert ("1 device waits for your word." in page.text) is (role is Role.MASTER)


async def test_a_home_in_which_nothing_waits_says_nothing() -> None:
    async with open_house() as house:
        await house.sign_in(Role.MASTER)
        assert not (await house.get("/")).has("a", href="/waiting")
        assert "Nothing waits." in (await house.get("/waiting")).text


async def test_it_says_what_would_be_and_what_that_means(house: House) -> None:
    await house.sign_in(Role.MASTER)
    text = (await house.get("/waiting")).text
    for said in (
        "hall/front-door",
        "It would be a switch, and no longer a lock.",
        "It would no longer be critical.",
        "Nobody would be asked any more before it acts.",
        "These would be safe, too: Unlock",
        "Its room has not named it since 2025-03-01.",
    ):
        assert said in text


@pytest.mark.parametrize("decision", ["accept", "refuse"])
async def test_it_is_decided_about_exactly_what_was_shown(house: House, decision: str) -> None:
    info = await house.sign_in(Role.MASTER)
    page = await house.get("/waiting")
    sent = await house.send(page.form(ADDRESS), decision)
    assert (sent.status, sent.location) == (303, "/waiting")
    ((room, device, wanted),) = house.registrar.loosened
    assert (room, device, wanted.decision, wanted.digest) == ("hall", "front-door", decision, DIGEST)
    assert wanted.by == info.user.id
    after = await house.follow(sent)
    assert ("Front door in Hall stays as it was" in after.text) is (decision == "refuse")
    assert "Nothing waits." in after.text


@pytest.mark.parametrize(
    ("slug", "said"),
    [
        ("changed-meanwhile", "The room describes it differently by now: nothing was done"),
        ("not-found", "Nothing waits there any more"),
        ("no-proof", "proof"),
        ("auth-unreachable", "sign-in"),
    ],
)
async def test_what_came_between_is_said(house: House, slug: str, said: str) -> None:
    await house.sign_in(Role.MASTER)
    house.registrar.answer = HomeError(slug)
    sent = await house.send((await house.get("/waiting")).form(ADDRESS), "accept")
    page = await house.follow(sent)
    assert said in page.text
    assert page.form(ADDRESS)


@pytest.mark.parametrize(
    "wrong",
    [{"decision": "maybe"}, {"decision": ""}, {"digest": "abc"}, {"digest": DIGEST.upper()}, {"csrf_token": "x"}],
)
async def test_what_is_no_decision_is_refused(house: House, wrong: dict[str, str]) -> None:
    await house.sign_in(Role.MASTER)
    form = (await house.get("/waiting")).form(ADDRESS)
    fields = form.fields | {"decision": "accept"} | wrong
    async with house.browser.post(ADDRESS, data=fields, headers=HEADERS, allow_redirects=False) as response:
        assert response.status in (400, 403)
    assert house.registrar.loosened == []


async def test_names_are_shown_as_text(house: House) -> None:
    await house.sign_in(Role.MASTER)
    house.auth.waits = (
        msgspec.structs.replace(
            WAITS, name=EVIL, room_name=EVIL, changes=(WouldChange(field=EVIL, stands=EVIL, wanted=EVIL),)
        ),
    )
    page = await house.get("/waiting")
    assert "<script>alert" not in page.body
    assert "\u202e" not in page.body
    assert "<script>alert(1)" in page.text


async def test_the_page_of_an_auth_service_that_is_away_does_not_say_that_nothing_waits(house: House) -> None:
    await house.sign_in(Role.MASTER)
    await house.get("/")
    house.auth.away = True
    page = await house.get("/waiting")
    assert page.status >= 500
    assert "Nothing waits." not in page.text
