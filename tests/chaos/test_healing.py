"""kill -9 of any one process heals by itself, pages' streams included; Ctrl-C ends it all; a second start keeps it."""

import json
import re
import ssl
import urllib.request
from pathlib import Path

import pytest

from tests.demo import CODE, Client, Demo, text_of
from tests.house import DEADLINE, until

PROCESSES = ("broker", "auth", "alerts", "readings", "gateway", "mailbox", "agent-hall")
COLD = True


def works(client: Client) -> bool:
    """Whether a command is executed from end to end, and nobody's word of a minute ago stands in for a part."""
    try:
        return client.call("GET", "/readyz").status == 200 and client.act("hall/lamp", "off").status == 200
    except OSError:
        return False


@pytest.mark.parametrize("name", PROCESSES)
def test_a_killed_process_comes_back_and_the_home_works_again(chaos_home: Demo, name: str) -> None:
    member = chaos_home.client("member")
    chaos_home.reborn(name, chaos_home.kill(name))
    until(lambda: works(member), f"commands work again without {name} having been missed")
    before = chaos_home.edges("hall", "lamp")
    assert member.act("hall/lamp", "on").status == 200
    assert chaos_home.edges("hall", "lamp") == [*before, 1]
    fresh = chaos_home.client("member")
    assert fresh.user["role"] == "member"


def test_ctrl_c_ends_everything_with_a_stream_open_and_a_second_start_keeps_it_all(tmp_path: Path) -> None:
    demo = Demo(tmp_path)
    demo.start()
    member = demo.client("member")
    assert member.act("kitchen/lamp", "set", value=40).status == 200
    kept = [demo.var / name for name in ("demo-users.json", "pki/web-ca.crt", "pki/gateway.crt", "gateway.toml")]
    before = [path.read_bytes() for path in kept]
    stream = _open_stream(demo, member)
    assert stream.readline()
    demo.stop()
    stream.close()
    assert demo.start() > 0
    try:
        assert [path.read_bytes() for path in kept] == before
        assert member.call("GET", "/api/v1/me").status == 200, "the session outlives a restart"
        assert demo.client("guest").user["role"] == "guest"
    finally:
        demo.stop()


def test_a_port_in_use_is_named_with_the_way_out(chaos_home: Demo) -> None:
    second = chaos_home.command("up", "--demo")
    assert second.returncode == 78
    assert f"port {chaos_home.ports['HTTPS']} is in use" in second.stderr
    assert "HOMESYSTEM_HTTPS_PORT" in second.stderr


_OF_NO_ROUTE = "path=- status=404"


def test_logs_hold_every_request_and_no_secret(chaos_home: Demo) -> None:
    client = chaos_home.client("master")
    client.call("GET", "/api/v1/devices?token=query-strings-are-not-logged")
    client.call("GET", "/no/such/page")
    users = chaos_home.users()
    secrets = [user["password"] for user in users.values()]
    secrets += [match[1] for letter in chaos_home.letters() if (match := CODE.search(text_of(letter)))]
    secrets += [str(cookie.value) for cookie in client.cookies] + [client.csrf, "query-strings-are-not-logged"]
    log = until(lambda: _text(chaos_home, _OF_NO_ROUTE), "the last request stands in the log")
    everything = "\n".join(path.read_text() for path in (chaos_home.var / "log").iterdir())
    assert not [secret for secret in secrets if secret in everything]
    assert "/no/such/page" not in everything, "an address that is none of ours may be anything"
    line = next(line for line in log.splitlines() if _OF_NO_ROUTE in line and client.user["id"] in line)
    for field in (f"user={client.user['id']}", "address=127.0.0.1", "method=GET", "seconds="):
        assert field in line
    assert re.search(r"path=/api/v1/login .*status=200", log)


def _text(demo: Demo, awaited: str) -> str:
    text = (demo.var / "log" / "gateway-requests.log").read_text()
    return text if awaited in text else ""


def _open_stream(demo: Demo, client: Client) -> "urllib.request._UrlopenRet":
    context = ssl.create_default_context(cafile=str(demo.var / "pki" / "web-ca.crt"))
    opener = urllib.request.build_opener(
        urllib.request.HTTPSHandler(context=context), urllib.request.HTTPCookieProcessor(client.cookies)
    )
    return opener.open(demo.url + "/api/v1/events", timeout=DEADLINE)


def test_the_demo_users_file_is_what_it_says(chaos_home: Demo) -> None:
    users = json.loads((chaos_home.var / "demo-users.json").read_text())
    assert [user["role"] for user in users] == ["master", "member", "guest"]
    assert all(set(user) == {"email", "password", "role"} for user in users)
