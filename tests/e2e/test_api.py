"""The HTTP contract on the whole house: who may what, and what bad input gets. For programs, without a browser."""

import itertools
import json
import ssl
import urllib.request
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tests.demo import Client, Demo
from tests.house import DEADLINE, until

LIMITS = ("login_code", "login_code_account", "login", "commands", "reads", "default")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    made = Demo(tmp_path_factory.mktemp("api"), warm=True)
    assert made.command("init", "--demo").returncode == 0
    made.lift_limits(*LIMITS)
    made.start()
    yield made
    made.stop()


@pytest.fixture(scope="module")
def member(house: Demo) -> Client:
    return house.client("member")


@pytest.fixture(scope="module")
def guest(house: Demo) -> Client:
    return house.client("guest")


@pytest.fixture(scope="module")
def master(house: Demo) -> Client:
    return house.client("master")


def slug(answer: object) -> str:
    body = answer.body  # type: ignore[attr-defined]  # an Answer
    assert answer.headers["Content-Type"].startswith("application/problem+json")  # type: ignore[attr-defined]
    assert set(body) >= {"type", "title", "status", "detail", "instance"}
    return str(body["type"]).rpartition("/")[2]


def test_a_command_is_executed_and_answers_with_what_the_room_said(house: Demo, member: Client) -> None:
    member.act("hall/lamp", "off")
    before = house.edges("hall", "lamp")
    command = str(uuid.uuid4())
    answer = member.act("hall/lamp", "on", id=command)
    assert answer.status == 200
    assert answer.body["id"] == command
    assert answer.body["outcome"] == "executed"
    assert answer.body["state"]["value"] == "on"
    assert answer.body["state"]["by"]["command_id"] == command
    assert house.edges("hall", "lamp") == [*before, 1]
    assert member.device("hall/lamp")["state"]["value"] == "on"


def test_the_same_id_is_the_same_wish_and_another_wish_with_it_is_refused(house: Demo, member: Client) -> None:
    command = str(uuid.uuid4())
    first = member.act("hall/front-door", "unlock", id=command, confirm=True)
    assert member.act("hall/front-door", "lock").status == 200
    before = house.edges("hall", "front-door")
    again = member.act("hall/front-door", "unlock", id=command, confirm=True)
    assert (first.status, again.status) == (200, 200)
    assert again.body["id"] == command
    assert house.edges("hall", "front-door") == before
    other = member.act("hall/lamp", "on", id=command)
    assert other.status == 409
    assert slug(other) == "id-reused"


def test_another_users_id_is_not_taken_for_ones_own(house: Demo, member: Client, master: Client) -> None:
    command = str(uuid.uuid4())
    assert member.act("hall/lamp", "on", id=command).status == 200
    assert slug(master.act("hall/lamp", "on", id=command)) == "id-reused"


def test_every_kind_obeys_its_actions(house: Demo, member: Client) -> None:
    assert member.act("kitchen/lamp", "set", value=40).body["state"]["value"] == 40
    assert member.act("kitchen/lamp", "off").body["state"]["value"] == 0
    assert member.act("kitchen/blind", "open").body["state"]["value"]["moving"] == "opening"
    assert member.act("kitchen/blind", "stop").body["state"]["value"]["moving"] is None
    assert member.act("kitchen/kettle", "on").body["state"]["value"] == "on"
    assert member.act("kitchen/kettle", "off").body["state"]["value"] == "off"
    pressed = member.act("garage/door", "press", confirm=True)
    assert pressed.body["state"]["value"] is None
    assert slug(member.act("garage/door", "press", confirm=True)) == "too-soon"
    until(lambda: house.edges("garage", "door")[-2:] == [1, 0], "the pulse ended by itself")


def test_a_simulated_input_shows(house: Demo, member: Client) -> None:
    assert house.command("sim", "hall/door-contact", "open").returncode == 0
    until(lambda: member.device("hall/door-contact")["state"]["value"] == "open", "the contact is open")
    assert house.command("sim", "hall/door-contact", "closed").returncode == 0
    wrong = house.command("sim", "hall/lamp", "on")
    assert wrong.returncode != 0
    assert wrong.stderr.startswith("homesystem: ")


def test_a_critical_action_asks_for_a_confirmation_but_a_safe_one_does_not(house: Demo, member: Client) -> None:
    before = house.edges("hall", "front-door")
    refused = member.act("hall/front-door", "unlock")
    assert refused.status == 409
    assert slug(refused) == "confirmation-required"
    assert house.edges("hall", "front-door") == before
    assert member.act("hall/front-door", "lock").status == 200


@pytest.mark.parametrize(
    ("path", "body", "status", "expected"),
    [
        ("hall/nothing", {"action": "on"}, 404, None),
        ("attic/lamp", {"action": "on"}, 404, None),
        ("hall/lamp", {"action": "dance"}, 409, "unknown-action"),
        ("hall/lamp", {"action": "unlock"}, 409, "unknown-action"),
        ("hall/door-contact", {"action": "on"}, 409, "unknown-action"),
        ("kitchen/lamp", {"action": "set", "value": 101}, 422, "invalid-value"),
        ("kitchen/lamp", {"action": "set"}, 422, "invalid-value"),
        ("kitchen/lamp", {"action": "set", "value": "40"}, 422, "invalid-value"),
        ("hall/lamp", {"action": "on", "id": "no spaces, please"}, 422, "invalid-value"),
        ("hall/lamp", ["on"], 422, "invalid-value"),
    ],
)
def test_a_command_that_cannot_be_is_refused_with_its_reason(
    member: Client, path: str, body: object, status: int, expected: str | None
) -> None:
    answer = member.call("POST", f"/api/v1/devices/{path}/commands", body)
    assert answer.status == status, answer
    if expected:
        assert slug(answer) == expected


def test_a_body_that_is_no_json_or_far_too_large_is_a_clear_problem(member: Client) -> None:
    path = "/api/v1/devices/hall/lamp/commands"
    assert slug(member.call("POST", path, raw=b"{not json")) == "malformed"
    assert slug(member.call("POST", path, raw=b"[" * 50_000)) in {"malformed", "invalid-value"}
    assert slug(member.call("POST", path, raw=b'{"action":"on"}', headers={"Content-Type": "text/plain"})) == (
        "unsupported-media-type"
    )
    assert slug(member.call("POST", path, raw=b" " * 100_000)) == "too-large"
    assert member.act("hall/lamp", "off").status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "forged"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "", "Sec-Fetch-Site": "cross-site"},
    ],
)
def test_a_post_that_is_not_provably_ones_own_is_refused(house: Demo, member: Client, headers: dict[str, str]) -> None:
    before = house.edges("hall", "lamp")
    answer = member.call("POST", "/api/v1/devices/hall/lamp/commands", {"action": "on"}, headers=headers)
    assert answer.status == 403
    assert slug(answer) == "csrf"
    assert house.edges("hall", "lamp") == before


def test_a_wrong_code_a_wrong_password_and_a_stranger_get_the_same_answer(house: Demo) -> None:
    user = house.users()["member"]
    answers = []
    for email, password, code in (
        (user["email"], user["password"], "AAAA-AAAA"),
        (user["email"], "wrong password here", "AAAA-AAAA"),
        ("nobody@home.example", "wrong password here", "AAAA-AAAA"),
    ):
        client = house.client()
        client.csrf = client.call("GET", "/api/v1/csrf").body["csrf_token"]
        asked = client.call("POST", "/api/v1/login/code", {"email": email, "password": password})
        assert asked.status == 202
        tried = client.call("POST", "/api/v1/login", {"email": email, "password": password, "code": code})
        answers.append((asked.body, tried.status, slug(tried), tried.body["detail"]))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][1:3] == (401, "sign-in-failed")


def test_a_code_works_once_in_any_case_and_only_in_the_browser_that_asked(house: Demo) -> None:
    user = house.users()["guest"]
    credentials = {"email": user["email"], "password": user["password"]}
    asking, other = house.client(), house.client()
    for client in (asking, other):
        client.csrf = client.call("GET", "/api/v1/csrf").body["csrf_token"]
    code = asking.code_for(credentials)
    assert other.call("POST", "/api/v1/login", credentials | {"code": code}).status == 401
    spelled = code.lower().replace("-", "")
    first = asking.call("POST", "/api/v1/login", credentials | {"code": spelled})
    assert first.status == 200
    assert first.body["user"]["role"] == "guest"
    asking.csrf = first.body["csrf_token"]
    assert asking.call("POST", "/api/v1/logout").status == 204
    asking.csrf = asking.call("GET", "/api/v1/csrf").body["csrf_token"]
    assert asking.call("POST", "/api/v1/login", credentials | {"code": code}).status == 401
    assert asking.call("GET", "/api/v1/me").status == 401


def test_the_guest_sees_and_moves_the_lamp_and_nothing_else(house: Demo, guest: Client, member: Client) -> None:
    devices = guest.call("GET", "/api/v1/devices").body["devices"]
    assert [(d["room"], d["id"]) for d in devices] == [("hall", "lamp")]
    assert [room["id"] for room in guest.call("GET", "/api/v1/rooms").body["rooms"]] == ["hall"]
    assert guest.act("hall/lamp", "on").status == 200
    for device in ("hall/front-door", "kitchen/lamp", "garage/door", "hall/door-contact"):
        assert guest.call("GET", f"/api/v1/devices/{device}").status == 404
        before = house.edges(*device.split("/", 1))
        assert guest.act(device, "on", confirm=True).status == 404
        assert house.edges(*device.split("/", 1)) == before
    assert member.act("kitchen/lamp", "on").status == 200
    assert member.act("hall/front-door", "lock").status == 200

    def shown() -> bool:
        return any(e["where"] == "hall/lamp" for e in guest.call("GET", "/api/v1/audit").body["events"])

    until(shown, "the guest's own act is in the history")
    until(
        lambda: any(e["where"] == "kitchen/lamp" for e in member.call("GET", "/api/v1/audit").body["events"]),
        "the member's act is recorded",
    )
    assert member.act("hall/lamp", "off").status == 200

    def others() -> list[dict[str, object]]:
        events = guest.call("GET", "/api/v1/audit?limit=200").body["events"]
        return [e for e in events if e["what"] == "device:off" and e["where"] == "hall/lamp" and "user" not in e["who"]]

    assert until(others, "the member's act at the lamp")[0]["who"] == {"issuer": "gateway"}, "what, not who"
    foreign = [
        event
        for event in guest.call("GET", "/api/v1/audit?limit=200").body["events"]
        if event["where"] != "hall/lamp" and event["who"].get("user", {}).get("id") != guest.user["id"]
    ]
    assert foreign == []


def test_the_guests_stream_tells_of_the_lamp_alone(house: Demo, guest: Client, member: Client) -> None:
    context = ssl.create_default_context(cafile=str(house.var / "pki" / "web-ca.crt"))
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(guest.cookies)
    )
    member.act("hall/lamp", "off")
    with opener.open(house.url + "/api/v1/events", timeout=DEADLINE) as stream:
        heard: list[tuple[str, dict[str, object]]] = []
        name = ""
        acted = False
        for raw in stream:
            line = raw.decode().rstrip("\r\n")
            if line.startswith("event: "):
                name = line[7:]
            elif line.startswith("data: "):
                heard.append((name, json.loads(line[6:])))
                if not acted:
                    acted = True
                    for device in ("kitchen/lamp", "kitchen/kettle"):
                        member.act(device, "on")
                        member.act(device, "off")
                    member.act("hall/front-door", "lock")
                    member.act("hall/lamp", "on")
                state = heard[-1][1].get("state")
                if name == "state" and isinstance(state, dict) and state["value"] == "on":
                    break
    assert {(body.get("room"), body.get("device", "lamp")) for _, body in heard if "room" in body} == {("hall", "lamp")}
    described = [body["devices"] for name, body in heard if name == "description"]
    assert all([d["id"] for d in devices] == ["lamp"] for devices in described)  # type: ignore[attr-defined]


def test_a_member_does_not_reach_what_is_the_master_users(member: Client, master: Client) -> None:
    assert member.call("GET", "/users", headers={"Accept": "text/html"}).status in {403, 404}
    assert master.call("GET", "/users", headers={"Accept": "text/html"}).status == 200
    theirs = [
        e for e in member.call("GET", "/api/v1/audit?limit=200").body["events"] if e["what"].startswith("account:")
    ]
    assert [e for e in theirs if e["who"].get("user", {}).get("id") != member.user["id"]] == []


def test_nothing_is_shown_to_strangers(house: Demo) -> None:
    stranger = house.client()
    for path in ("/api/v1/me", "/api/v1/rooms", "/api/v1/devices", "/api/v1/events", "/api/v1/audit"):
        assert slug(stranger.call("GET", path)) == "sign-in-required"
    assert stranger.call("GET", "/healthz").status == 200
    ready = stranger.call("GET", "/readyz")
    assert ready.status == 200
    assert "hall" not in str(ready)


def test_headers_are_strict_and_say_nothing_of_what_we_run_on(house: Demo, member: Client) -> None:
    headers = member.call("GET", "/api/v1/me").headers
    assert int(headers["Strict-Transport-Security"].split("max-age=")[1].split(";")[0]) >= 31_536_000
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]
    assert "unsafe" not in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] == "no-store"
    assert "Server" not in headers
    cookie = next(c for c in member.cookies if c.name == "__Host-session")
    assert cookie.secure
    assert cookie.has_nonstandard_attr("HttpOnly")
    assert cookie.get_nonstandard_attr("SameSite") == "Lax"


def test_nobody_finds_source_listing_debugging_metrics_or_a_trace(house: Demo, master: Client) -> None:
    paths = (
        *("/.git/HEAD", "/.env", "/gateway.toml", "/pki/", "/static", "/static/", "/static/../routes.py"),
        *("/metrics", "/debug", "/docs", "/openapi.json", "/server-status", "/api/v1", "/api/v1/"),
    )
    for visitor, path in itertools.product((house.client(), master), paths):
        answer = visitor.call("GET", path)
        assert (path, answer.status) == (path, 404)
    for path in ("/", "/api/v1/me", "/nowhere"):
        answer = master.call("TRACE", path)
        assert (path, answer.status) in ((path, 405), (path, 404))
        assert "__Host-session" not in str(answer.body), "what was sent is not sent back"


def test_other_origins_get_no_cors_unless_listed(member: Client) -> None:
    preflight = member.call(
        "OPTIONS",
        "/api/v1/devices",
        headers={"Origin": "https://evil.example", "Access-Control-Request-Method": "GET"},
    )
    assert "Access-Control-Allow-Origin" not in preflight.headers
    plain = member.call("GET", "/api/v1/devices", headers={"Origin": "https://evil.example"})
    assert "Access-Control-Allow-Origin" not in plain.headers


def test_a_program_acts_by_a_token_until_that_is_revoked(house: Demo, member: Client) -> None:
    ends = datetime.now(UTC) + timedelta(days=30)
    scope = [{"room": "hall", "device": "lamp", "actions": ["on", "off"]}, {"room": "hall", "device": "front-door"}]
    wish = {"name": "Panel", "scope": scope, "expires_at": ends.isoformat()}
    assert member.call("POST", "/api/v1/tokens", wish | {"current": "a guess"}).status == 403
    current = house.users()["member"]["password"]
    made = member.call("POST", "/api/v1/tokens", wish | {"current": current})
    assert made.status == 201, made
    bearer = {"Authorization": f"Bearer {made.body['token']}", "Origin": ""}
    program = Client(house)
    listed = program.call("GET", "/api/v1/devices", headers=bearer).body["devices"]
    assert {one["id"]: one["actions"] for one in listed} == {"lamp": ["on", "off"], "front-door": []}
    before = house.edges("hall", "lamp")
    address = "/api/v1/devices/hall/{}/commands"
    for action in ("off", "on"):
        assert program.call("POST", address.format("lamp"), {"action": action}, headers=bearer).status == 200
    assert house.edges("hall", "lamp")[len(before) :][-1] == 1
    for action in ("lock", "unlock"):
        wanted = {"action": action, "confirm": True}
        assert slug(program.call("POST", address.format("front-door"), wanted, headers=bearer)) == "forbidden"
    assert slug(program.call("GET", "/api/v1/me", headers=bearer)) == "forbidden"
    (row,) = member.call("GET", "/api/v1/tokens").body["tokens"]
    assert row["used_from"] == "127.0.0.1"
    assert "token" not in row
    context = ssl.create_default_context(cafile=str(house.var / "pki" / "web-ca.crt"))
    request = urllib.request.Request(house.url + "/api/v1/events", headers={"Authorization": bearer["Authorization"]})
    with urllib.request.urlopen(request, context=context, timeout=DEADLINE) as stream:
        heard = iter(stream)
        assert any(line == b"event: ready\r\n" for line in heard)
        assert member.call("DELETE", f"/api/v1/tokens/{row['id']}").status == 204
        assert len(list(itertools.islice(heard, 40))) < 40, "the stream goes on"
    assert slug(program.call("GET", "/api/v1/devices", headers=bearer)) == "sign-in-required"
    assert member.call("GET", "/api/v1/tokens").body == {"tokens": []}


def test_the_history_is_paged_without_gaps_or_repeats(member: Client) -> None:
    for action in ("on", "off", "on", "off"):
        assert member.act("hall/lamp", action).status == 200
    until(lambda: len(member.call("GET", "/api/v1/audit").body["events"]) >= 4, "the acts are recorded")
    first = member.call("GET", "/api/v1/audit?limit=2").body
    second = member.call("GET", f"/api/v1/audit?limit=2&after={first['next']}").body
    paged = [e["id"] for e in [*first["events"], *second["events"]]]
    # What comes in meanwhile stands above.
    whole = [e["id"] for e in member.call("GET", "/api/v1/audit?limit=100").body["events"]]
    begin = whole.index(paged[0])
    assert paged == whole[begin : begin + 4]


@pytest.mark.parametrize(
    ("content_type", "raw"),
    [
        ("multipart/form-data; boundary=x", b"abc"),
        ("application/x-www-form-urlencoded; charset=nonsense", b"a=b"),
        ("application/x-www-form-urlencoded", b"\xff\xfe="),
    ],
)
def test_a_form_that_cannot_be_read_is_the_senders_fault(house: Demo, content_type: str, raw: bytes) -> None:
    stranger = house.client()
    answer = stranger.call("POST", "/login", raw=raw, headers={"Content-Type": content_type})
    assert 400 <= answer.status < 500


def test_a_token_that_is_no_text_is_refused(member: Client) -> None:
    path = "/api/v1/devices/hall/lamp/commands"
    assert slug(member.call("POST", path, {"action": "on"}, headers={"X-CSRF-Token": "\xe9\xff"})) == "csrf"


def test_what_the_home_writes_is_its_owners_alone(house: Demo) -> None:
    files = [path for path in (house.var / "data").rglob("*") if path.is_file()]
    files += list((house.var / "log").iterdir()) + list((house.var / "sim").glob("*.jsonl"))
    assert files
    assert [path.name for path in files if path.stat().st_mode & 0o077] == []
