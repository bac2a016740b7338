"""Two gateways of one home: what ends on one shuts page and stream on the other, counts add up, and codes work once."""

import asyncio
import re
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import msgspec
import pyotp
import pytest

from auth_service.home import lockdown
from gateway.door import sharing
from shared.words.messages import Who
from shared.words.names import Role
from tests.demo import CODE, text_of
from tests.house import DEADLINE, Broker
from tests.integration.gateway_parts import PASSWORD, next_event, stream_events
from tests.integration.two_gateways_parts import MASTER, WRONG_HEARD, Person, TwoGateways, begun
from tests.unit.auth_service.factors.authenticator import Authenticator

OTHER_PASSWORD = "lanterns over quiet harbours"


@pytest.fixture(scope="module")
def running(broker: Broker, cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[TwoGateways]:
    """Begun once; skipped, with the reason, where PostgreSQL or Redis is not installed."""
    with begun(broker, cluster, tmp_path_factory.mktemp("redis")) as made:
        yield made


@pytest.fixture
async def town(running: TwoGateways) -> AsyncIterator[TwoGateways]:
    """With visitors of this test's own."""
    async with running:
        yield running


class Open:
    """A page at one of the gateways, and its stream, both open."""

    def __init__(self, person: Person) -> None:
        self._person = person
        self._events = stream_events(person)

    async def begin(self) -> None:
        """Look, and hear what there is to hear."""
        assert (await self._person.page())[0] == 200
        await next_event(self._events, "ready")

    async def end(self) -> None:
        """Wait until the stream is shut; then the page is, too."""
        async with asyncio.timeout(DEADLINE):
            async for _ in self._events:
                pass
        status, where = await self._person.page()
        assert (status, where.partition("?")[0]) == (303, "/login"), (status, where)
        assert (await self._person.get("/api/v1/me"))[0] == 401


async def shut_by(what: Callable[[], Awaitable[object]], said: str, *people: Person) -> None:
    """Whatever `what` does ends the pages and streams of all these; how long the last of them took is printed."""
    opened = [Open(person) for person in people]
    for one in opened:
        await one.begin()
    begun = time.monotonic()
    await what()
    done = time.monotonic()
    await asyncio.gather(*(one.end() for one in opened))
    print(f"{said}: answered after {done - begun:.3f} s, all shut after {time.monotonic() - begun:.3f} s")


async def test_session_that_is_ended_on_one_is_shut_on_the_other(town: TwoGateways) -> None:
    one, other = town.gates
    email = "ends@example.org"
    await town.user(email)
    phone = await town.signed_in(email, one)
    laptop = await town.signed_in(email, one)
    there = await phone.over(other)
    _, listed, _ = await laptop.get("/api/v1/sessions")
    (phones,) = (row["id"] for row in listed["sessions"] if row["address"] == phone.address)

    async def end() -> None:
        headers = {"X-CSRF-Token": laptop.csrf, "Origin": laptop.url}
        async with laptop.http.delete(f"/api/v1/sessions/{phones}", headers=headers) as response:
            assert response.status == 204

    await shut_by(end, "session ended on the other gateway", there)
    assert (await (await laptop.over(other)).get("/api/v1/me"))[0] == 200, "no other one ended"


async def test_sign_out_on_one_is_one_on_the_other(town: TwoGateways) -> None:
    one, other = town.gates
    await town.user("leaves@example.org")
    here = await town.signed_in("leaves@example.org", one)
    there = await here.over(other)
    await shut_by(lambda: here.post("/api/v1/logout"), "signed out on the other gateway", there)


async def test_user_that_is_disabled_is_out_everywhere(town: TwoGateways) -> None:
    email = "disabled@example.org"
    await town.user(email)
    people = [await town.signed_in(email, gate) for gate in town.gates]

    async def disable() -> None:
        async with town.book() as book:
            await book.disable_user(email)

    await shut_by(disable, "user disabled by homesystem", *people)


async def test_change_of_password_on_one_ends_sessions_on_the_other(town: TwoGateways) -> None:
    one, other = town.gates
    email = "changes@example.org"
    await town.user(email)
    here = await town.signed_in(email, one)
    there = await town.signed_in(email, other)

    async def change() -> None:
        status, body, _ = await here.post("/api/v1/password", {"current": PASSWORD, "new": OTHER_PASSWORD})
        assert status == 200, body

    await shut_by(change, "password changed on the other gateway", there)
    assert (await (await here.over(other)).get("/api/v1/me"))[0] == 200, "the session that goes on is good at both"


async def test_api_token_that_is_revoked_on_one_is_shut_on_the_other(town: TwoGateways) -> None:
    one, other = town.gates
    await town.user("token@example.org")
    here = await town.signed_in("token@example.org", one)
    ends = datetime.now(UTC) + timedelta(days=1)
    wish = {"current": PASSWORD, "name": "Panel", "scope": [{"room": "hall", "device": "lamp", "actions": ["on"]}]}
    status, made, _ = await here.post("/api/v1/tokens", wish | {"expires_at": ends.isoformat()})
    assert status == 201, made
    program = await town.person(other)
    program.http.headers["Authorization"] = f"Bearer {made['token']}"
    events = stream_events(program)
    await next_event(events, "ready")
    headers = {"X-CSRF-Token": here.csrf, "Origin": here.url}
    begun = time.monotonic()
    async with here.http.delete(f"/api/v1/tokens/{made['id']}", headers=headers) as response:
        assert response.status == 204
    async with asyncio.timeout(DEADLINE):
        async for _ in events:
            pass
    print(f"token revoked on the other gateway: shut after {time.monotonic() - begun:.3f} s")
    assert (await program.get("/api/v1/devices"))[0] == 401


async def test_lockdown_on_one_shuts_everybody_out_of_both(town: TwoGateways) -> None:
    one, other = town.gates
    await town.user("locked@example.org", Role.MASTER)
    here = await town.signed_in("locked@example.org", one)
    everybody = [await here.over(other), await town.signed_in(MASTER, other), await town.signed_in(MASTER, one)]

    async def lock_down() -> None:
        status, body, _ = await here.put("/api/v1/lockdown", {"active": True, "password": PASSWORD})
        assert status == 200, body

    try:
        await shut_by(lock_down, "lockdown begun on the other gateway", *everybody)
    finally:
        async with lockdown.opened(town.auth, now=lambda: datetime.now(UTC)) as (the_lockdown, _):
            assert (await the_lockdown.end(Who(issuer="admin"))).active is False


async def test_limits_add_up(town: TwoGateways) -> None:
    """Twenty sign-ins in ten minutes from one address, wherever they are tried."""
    wrong = {"email": "nobody@example.org", "password": "not the password", "code": "AAAA-AAAA"}
    counted = sharing._text(("login", 0, ("address:127.0.1.1",)), 600)
    heard: Counter[str] = Counter()
    refused: dict[str, str] = {}
    people = [await town.person(gate, "127.0.1.1") for gate in town.gates]
    for person in people:
        await person.fetch_token()
    while len(refused) < len(people):
        for person in people:
            if person.url in refused:
                continue
            status, _, response = await person.post("/api/v1/login", wrong)
            if status == 429:
                assert 0 < int(response.headers["Retry-After"]) <= 600
                refused[person.url] = response.headers["RateLimit"]
                continue
            assert status == 401
            heard[person.url] += 1
            # A gateway hears of the other's a moment later, of its own accord; it is given that moment here.
            await town.told(counted, heard.total())
    print(f"sign-ins heard from one address, 20 are allowed: {list(heard.values())}")
    assert all("r=0" in told for told in refused.values())
    assert all(count < 20 for count in heard.values()), "alone, each would have heard as many as both together"
    assert 20 <= heard.total() <= 21, "what one heard while the other was told may be one more"


async def at_once(*wishes: Awaitable[int]) -> list[int]:
    """The statuses of what is sent to both gateways in the same moment, sorted."""
    return sorted(await asyncio.gather(*wishes))


class Answered(NamedTuple):
    """All that somebody at the door is told, but for what is random or a time."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: str


async def answered(person: Person, method: str, path: str, of: str, **sent: Any) -> Answered:
    """One request, as `of` makes it, whose address is left out of what comes back."""
    headers = {"X-CSRF-Token": person.csrf, "Origin": person.url} | sent.pop("headers", {})
    async with person.http.request(method, path, headers=headers, allow_redirects=False, **sent) as response:
        body = (await response.text()).replace(of, "SOMEBODY")
        told = {name: re.sub(r"t=\d+", "t=", value) for name, value in response.headers.items()}
        secrets = re.compile(r"[A-Za-z0-9_-]{32,}|\b[0-9a-f]{16}\b|\b[0-9A-Z]{5}\b")
        for random in ("Date", "Content-Length"):
            told.pop(random, None)
        cookies = sorted(name.partition("=")[0] for name in response.headers.getall("Set-Cookie", []))
        told.pop("Set-Cookie", None)
        return Answered(response.status, told, cookies, secrets.sub("RANDOM", body))


async def seen_at_the_door(town: TwoGateways, email: str, password: str) -> list[Answered]:
    """Both steps by program and by page, from an address of its own, with a code that is wrong."""
    program, browser = await town.person(town.gates[0]), await town.person(town.gates[0])
    await program.fetch_token()
    asked = {"email": email, "password": password}
    told = [
        await answered(program, "POST", "/api/v1/login/code", email, json=asked),
        await answered(program, "GET", "/api/v1/login/attempt", email),
        await answered(program, "POST", "/api/v1/login", email, json=asked | {"code": "AAAA-AAAA"}),
        await answered(program, "POST", "/api/v1/login/passkey/challenge", email, json={}),
    ]
    await browser.fetch_token()
    form = asked | {"csrf_token": browser.csrf}
    told += [
        await answered(browser, "POST", "/login", email, data=form),
        await answered(browser, "GET", "/login/code", email),
        await answered(browser, "POST", "/login", email, data=form | {"code": "AAAA-AAAA"}),
    ]
    return told


async def test_nothing_at_the_door_tells_one_account_from_another_or_from_none(town: TwoGateways) -> None:
    """Answer, status, headers, cookies and letters; how long answers take is measured by `make bench`."""
    for name in ("there", "right", "off", "spent"):
        await town.user(f"{name}@example.org")
    await with_app(town, "factor@example.org")
    async with town.book() as book:
        await book.disable_user("off@example.org")
    wrong = "not the password"
    for _ in range(WRONG_HEARD + 1):  # each from where nobody tried before
        person = await town.person(town.gates[0])
        await person.fetch_token()
        assert await person.enter("spent@example.org", "AAAA-AAAA", wrong) == 401
    before = len(town.sink.letters)
    kinds = {
        "nobody": ("nobody@example.org", wrong),
        "wrong password": ("there@example.org", wrong),
        "disabled": ("off@example.org", PASSWORD),
        "strong factor": ("factor@example.org", PASSWORD),
        "budget spent": ("spent@example.org", wrong),
        "right password": ("right@example.org", PASSWORD),
    }
    told = {kind: await seen_at_the_door(town, *asked) for kind, asked in kinds.items()}
    for kind, answers in told.items():
        for one, other in zip(answers, told["nobody"], strict=True):
            assert one == other, kind
    assert [one.status for one in told["nobody"]] == [202, 200, 401, 200, 303, 200, 401]
    letters = await asyncio.to_thread(town.sink.wait_for, 2, to="right@example.org")
    assert len(town.sink.letters) == before + len(letters), "mailboxes alone know, and of those the right one"


async def seen_at_an_invitation(town: TwoGateways, invitation: str) -> list[Answered]:
    """Its page, and both ways to take it with a wrong code, from an address of its own."""
    program, browser = await town.person(town.gates[0]), await town.person(town.gates[0])
    await program.fetch_token()
    chosen = {"code": "AAAA-AAAA", "new": OTHER_PASSWORD}
    told = [
        await answered(program, "POST", f"/api/v1/invitations/{invitation}", invitation, json=chosen),
        await answered(browser, "GET", f"/invitations/{invitation}", invitation),
    ]
    await browser.fetch_token()
    form = chosen | {"again": OTHER_PASSWORD, "csrf_token": browser.csrf}
    return [*told, await answered(browser, "POST", f"/invitations/{invitation}", invitation, data=form)]


async def test_nothing_at_an_invitation_tells_one_from_another_or_from_none(town: TwoGateways) -> None:
    """Nor whether its address has an account by now, and no letter goes out for a wrong code."""
    ada = await town.signed_in(MASTER, town.gates[0])
    ids = {"none": "0123456789abcdef"}
    for name in ("open", "withdrawn", "taken", "an account by now", "spent"):
        email = f"{name.replace(' ', '-')}@invited.example"
        wanted = {"current": PASSWORD, "email": email, "name": f"Invited {name}", "role": "member"}
        status, made, _ = await ada.post("/api/v1/invitations", wanted)
        assert status == 201, made
        ids[name] = made["id"]
        (letter,) = await asyncio.to_thread(town.sink.wait_for, 1, to=email)
        code = CODE.search(text_of(letter))
        assert code is not None
        if name == "taken":
            there = await town.person(town.gates[1])
            await there.fetch_token()
            joining = {"code": code[1], "new": OTHER_PASSWORD}
            status, body, _ = await there.post(f"/api/v1/invitations/{ids[name]}", joining)
            assert status == 201, body
    await ada.delete(f"/api/v1/invitations/{ids['withdrawn']}")
    await town.user("an-account-by-now@invited.example")
    for _ in range(6):
        guesser = await town.person(town.gates[0])
        await guesser.fetch_token()
        guess = {"code": "BBBB-BBBB", "new": OTHER_PASSWORD}
        assert (await guesser.post(f"/api/v1/invitations/{ids['spent']}", guess))[0] == 403
    before = len(town.sink.letters)
    told = {kind: await seen_at_an_invitation(town, invitation) for kind, invitation in ids.items()}
    for kind, answers in told.items():
        for one, other in zip(answers, told["none"], strict=True):
            assert one == other, kind
    assert [one.status for one in told["none"]] == [403, 200, 403]
    assert len(town.sink.letters) == before


@pytest.mark.parametrize("turn", range(3))
async def test_mailed_code_through_both_at_once_opens_one_session(town: TwoGateways, turn: int) -> None:
    email = f"code{turn}@example.org"
    await town.user(email)
    here = await town.person(town.gates[0])
    code = await here.ask_code(email)
    there = await here.over(town.gates[1])
    assert await at_once(here.enter(email, code), there.enter(email, code)) == [200, 401]
    assert await at_once(here.enter(email, code), there.enter(email, code)) == [401, 401]


async def with_app(town: TwoGateways, email: str) -> tuple[str, list[str]]:
    """A user with an authenticator app: its secret, and the recovery codes."""
    await town.user(email)
    person = await town.signed_in(email, town.gates[0])
    _, begun, _ = await person.post("/api/v1/factors", {"current": PASSWORD, "name": "Phone"})
    now = pyotp.TOTP(begun["secret"]).now()
    status, body, _ = await person.post(f"/api/v1/factors/{begun['id']}", {"code": now})
    assert status == 200, body
    return begun["secret"], body["recovery_codes"]


async def test_recovery_code_through_both_at_once_opens_one_session(town: TwoGateways) -> None:
    email = "recovery@example.org"
    _, codes = await with_app(town, email)
    people = [await town.person(gate) for gate in town.gates]
    for person in people:
        await person.fetch_token()
    for code in codes[:3]:
        assert await at_once(*(person.enter(email, code) for person in people)) == [200, 401]
        for person in people:
            await person.fetch_token()
            assert await person.enter(email, code) == 401


async def test_app_code_through_both_at_once_opens_one_session(town: TwoGateways) -> None:
    email = "app@example.org"
    secret, _ = await with_app(town, email)
    people = [await town.person(gate) for gate in town.gates]
    for person in people:
        await person.fetch_token()
    later = pyotp.TOTP(secret).at(int(time.time()) + 30)  # that of now was used up when the app was set up
    assert await at_once(*(person.enter(email, later) for person in people)) == [200, 401]


async def test_passkey_challenge_through_both_at_once_opens_one_session(town: TwoGateways) -> None:
    email = "passkey@example.org"
    await town.user(email)
    here = await town.signed_in(email, town.gates[0])
    _, begun, _ = await here.post("/api/v1/factors/passkey", {"current": PASSWORD, "name": "Laptop"})
    device = Authenticator(here.url, counts=False)  # one that counted would be found out as a copy by that alone
    made = msgspec.to_builtins(device.make(begun["options"]))
    status, body, _ = await here.post(f"/api/v1/factors/passkey/{begun['id']}", {"credential": made})
    assert status == 200, body
    for _ in range(3):
        browser = await town.person(town.gates[0])
        await browser.fetch_token()
        _, asked, _ = await browser.post("/api/v1/login/passkey/challenge")
        people = [browser, await browser.over(town.gates[1])]

        async def show(person: Person, options: dict[str, Any] = asked["options"]) -> int:
            device.origin = person.url
            shown = msgspec.to_builtins(device.show(options))
            return (await person.post("/api/v1/login/passkey", {"credential": shown}))[0]

        assert await at_once(*(show(person) for person in people)) == [200, 401]
        for person in people:
            await person.fetch_token()
        assert await at_once(*(show(person) for person in people)) == [401, 401]


async def test_what_is_said_of_looks_on_one_is_seen_on_the_other(town: TwoGateways) -> None:
    one, other = town.gates
    await town.user("looks@example.org", Role.MASTER)
    here = await town.signed_in("looks@example.org", one)
    there = await here.over(other)
    events = stream_events(there)
    await next_event(events, "ready")
    headers = {"X-CSRF-Token": here.csrf, "Origin": here.url}

    async def say(path: str, body: dict[str, Any]) -> None:
        async with here.http.patch(path, json=body, headers=headers) as response:
            assert response.status == 200, await response.text()

    await say("/api/v1/looks/hall", {"name": "Entrance", "icon": "stairs"})
    told = await next_event(events, "description")
    assert (told["name"], told["icon"]) == ("Entrance", "stairs")
    await say("/api/v1/me/looks/hall", {"hidden": True})
    async with asyncio.timeout(DEADLINE):
        async for _ in events:
            pass  # it ends, and whoever comes back sees it so
    hall = (await there.get("/api/v1/rooms"))[1]["rooms"][0]
    assert (hall["name"], hall["own_name"], hall["hidden"]) == ("Entrance", "Hall", True)
    await say("/api/v1/looks/hall", {"name": None, "icon": None})
