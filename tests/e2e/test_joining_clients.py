"""A trusted client joins by the pasted line, or by a file for a phone's app, and nobody else by these."""

import contextlib
import html
import http.cookiejar
import itertools
import os
import re
import shlex
import signal
import sqlite3
import ssl
import subprocess
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest import mock

import pyotp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deploy.enrolling import lines
from tests.demo import Answer, Client, Demo
from tests.e2e.joins import Stranger, enrolled, home_to_join, in_the_middle, letters, line_for, named, recorded, request
from tests.house import until
from tests.pasted import Desktop, Pi, token_of

FILES = ["ca.crt", "client.crt", "client.key"]


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    with home_to_join(tmp_path_factory.mktemp("clients")) as made:
        yield made


names = (f"tablet-{number}" for number in itertools.count(1))


def clients_line(house: Demo, name: str, *devices: str) -> str:
    """As a person gets it."""
    may = [word for device in devices or ("hall/lamp",) for word in ("--may", device)]
    said = house.command("client", "add", name, *may)
    assert said.returncode == 0, said.stderr
    (line,) = said.stdout.splitlines()
    return line


def opened(house: Demo, name: str) -> str:
    """As they get it, without another process: where a home's ports are others, its environment says so."""
    with mock.patch.dict(os.environ, house.environment):
        return lines.open_for_client(house.home, name, [("hall", "lamp")]).text


@pytest.mark.parametrize("shell", ["dash", "bash"])
def test_a_pasted_line_makes_a_client_whose_files_work_at_the_broker_as_it_says(
    house: Demo, tmp_path: Path, shell: str
) -> None:
    name, desktop = next(names), Desktop(tmp_path)
    line = clients_line(house, name, "hall/lamp", "hall/door-contact")
    done = desktop.paste(line, shell=shell)
    assert done.returncode == 0, done.stderr
    out = desktop.home / name
    assert sorted(path.name for path in out.iterdir()) == FILES
    assert {path.stat().st_mode & 0o777 for path in out.iterdir()} == {0o600}
    assert out.stat().st_mode & 0o777 == 0o700
    assert "may command and hear hall/lamp, hall/door-contact" in done.stdout
    example = shlex.split(done.stdout.splitlines()[-1])
    heard = subprocess.run([*example, "-C", "1", "-W", "20"], capture_output=True, text=True, check=False)
    assert heard.stdout.startswith("home/hall/lamp/state {"), heard.stderr
    before = house.edges("hall", "lamp")
    other = "off" if before and before[-1] else "on"
    publish = ["mosquitto_pub", *example[1 : example.index("-v")], "-q", "1", "-m", f'{{"action":"{other}"}}', "-t"]
    subprocess.run([*publish, f"home/hall/lamp/set/{name}"], check=True)
    until(lambda: len(house.edges("hall", "lamp")) > len(before), "the lamp obeys it")
    refused = subprocess.run([*publish, f"home/kitchen/lamp/set/{name}"], capture_output=True, text=True, check=False)
    assert "Not authorized" in refused.stderr

    key, token = (out / "client.key").read_bytes(), token_of(line)
    files = [path for path in house.var.rglob("*") if path.is_file()]
    assert [path for path in files if key in path.read_bytes()] == []
    assert [path for path in files if token.encode() in path.read_bytes()] == [], "nor does the token lie on the hub"
    assert f"client.sh {name} localhost" in desktop.listed
    assert token not in desktop.listed, "no process is called with it"


def test_a_line_of_the_page_makes_a_client_that_may_what_was_ticked_and_nobody_else_gets_one(
    house: Demo, tmp_path: Path
) -> None:
    name, page = next(names), "/house/join/client"
    wish = {"name": name, "may": ["hall/lamp"]}
    for role in ("member", "guest"):
        other = house.client(role)
        assert other.call("GET", page).status == 403
        assert other.call("POST", "/api/v1/clients", wish).status == 403
        assert fill(other, page, {"name": name, "hall/lamp": "yes"}).status == 403
    master = house.client("master")
    assert "passkey or an authenticator app" in text(master.call("GET", page))
    assert slug(master.call("POST", "/api/v1/clients", wish)) == "step-up-required"
    assert fill(master, page, {"name": name, "hall/lamp": "yes"}).status == 403
    with proved(house, master):
        for wrong, field in (({"may": []}, "may"), ({"may": ["hall/nothing"]}, "may"), ({"name": "hall"}, "name")):
            assert master.call("POST", "/api/v1/clients", wish | wrong).body["field"] == field
        shown = fill(master, page, {"name": name, "hall/lamp": "yes", "hall/front-door": "yes"})
        assert shown.status == 200, text(shown)
        found = re.search(r"<textarea[^>]*>([^<]+)</textarea>", text(shown))
        assert found is not None
        desktop = Desktop(tmp_path)
        done = desktop.paste(html.unescape(found[1]))
        assert done.returncode == 0, done.stderr
        assert slug(master.call("POST", "/api/v1/clients", wish)) == "already-exists"
    example = shlex.split(done.stdout.splitlines()[-1])
    heard = subprocess.run([*example, "-C", "1", "-W", "20"], capture_output=True, text=True, check=False)
    assert re.match(r"home/hall/(lamp|front-door)/state {", heard.stdout), heard.stderr
    publish = ["mosquitto_pub", *example[1 : example.index("-v")], "-q", "1", "-m", '{"action":"on"}', "-t"]
    for device, refused in (("hall/lamp", False), ("kitchen/lamp", True), ("garage/door", True)):
        said = subprocess.run([*publish, f"home/{device}/set/{name}"], capture_output=True, text=True, check=False)
        assert ("Not authorized" in said.stderr) is refused, (device, said.stderr)
    event = until(lambda: recorded(house, f"client/{name}").get("client:awaited"), "it is in the record")
    assert event["detail"]["may"] == "hall/front-door, hall/lamp"  # type: ignore[index]
    assert event["who"]["user"]["name"] == master.user["name"]  # type: ignore[index]
    until(lambda: letters(house, "Trusted client may join", name), "there is a letter")


def fill(client: Client, page: str, fields: dict[str, str]) -> Answer:
    """A form of that page, sent as a browser without scripts sends it."""
    body = urllib.parse.urlencode({"csrf_token": client.csrf} | fields).encode()
    kind = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    return client.call("POST", page, raw=body, headers=kind)


@contextlib.contextmanager
def proved(house: Demo, master: Client) -> Iterator[None]:
    """The master user gets an app, shows it, and has none any more in the end."""
    password = house.users()["master"]["password"]
    begun = master.call("POST", "/api/v1/factors", {"current": password, "name": "Phone"}).body
    code = {"code": pyotp.TOTP(begun["secret"]).now()}
    factors = master.call("POST", f"/api/v1/factors/{begun['id']}", code).body
    assert master.call("POST", "/api/v1/step-up", {"code": factors["recovery_codes"][0]}).status == 200
    yield
    removed = master.call("DELETE", f"/api/v1/factors/{begun['id']}", {"current": password})
    assert removed.status < 300, removed


def text(answer: Answer) -> str:
    assert isinstance(answer.body, str | bytes)
    return answer.body if isinstance(answer.body, str) else answer.body.decode()


def slug(answer: Answer) -> str:
    return str(answer.body["type"]).rpartition("/")[2]


def test_pasted_again_it_is_the_same_and_a_second_machine_is_refused_and_told_of(house: Demo, tmp_path: Path) -> None:
    name, desktop = next(names), Desktop(tmp_path / "1")
    line = opened(house, name)
    assert desktop.paste(line).returncode == 0
    before = {file: (desktop.home / name / file).read_bytes() for file in FILES}
    (desktop.home / name / "client.crt").unlink()  # as where its power failed before it was written
    for _ in range(2):
        assert desktop.paste(line).returncode == 0
        assert {file: (desktop.home / name / file).read_bytes() for file in FILES} == before
    second = Desktop(tmp_path / "2").paste(line)
    assert second.returncode != 0
    assert "Another machine has used this line already" in second.stderr
    assert f"homesystem client revoke {name}" in second.stderr
    until(lambda: letters(house, "Machine was refused that wanted to be a trusted client", name), "there is a letter")
    until(lambda: letters(house, "Trusted client may join", name), "and one that it was awaited")


def test_what_lies_in_a_folder_already_is_not_written_over_and_another_one_may_be_named(
    house: Demo, tmp_path: Path
) -> None:
    name, desktop = next(names), Desktop(tmp_path)
    line = opened(house, name)
    folder = desktop.home / name
    folder.mkdir()
    (folder / "ca.crt").write_text("another home's")
    done = desktop.paste(line)
    assert done.returncode != 0
    assert "holds other things; name another folder at the beginning of the line" in done.stderr
    assert (folder / "ca.crt").read_text() == "another home's"
    assert desktop.paste(line.replace(f'to="$PWD/{name}"', f'to="{desktop.home}/by the door"')).returncode == 0
    other, line = name, opened(house, next(names))
    theirs = desktop.paste(line.replace('to="$PWD/', f'to="{desktop.home}/by the door" || x="'))
    assert theirs.returncode != 0
    assert f"holds the certificate of {other}" in theirs.stderr
    assert sorted(path.name for path in (desktop.home / "by the door").iterdir()) == FILES


def test_a_machine_that_is_killed_before_any_step_finishes_with_the_same_line(house: Demo, tmp_path: Path) -> None:
    killed = 0
    for number in itertools.count(1):
        name, desktop = next(names), Desktop(tmp_path / str(number))
        line = opened(house, name)
        first = desktop.paste(line, last=number).returncode
        if first == 0:
            break
        assert first == -signal.SIGKILL
        killed += 1
        done = desktop.paste(line)
        assert done.returncode == 0, f"killed before program {number}, it does not finish: {done.stderr}"
        key, certificate = ((desktop.home / name / file).read_bytes() for file in ("client.key", "client.crt"))
        public = serialization.load_pem_private_key(key, None).public_key()
        assert x509.load_pem_x509_certificate(certificate).public_key() == public
        assert sorted(path.name for path in (desktop.home / name).iterdir()) == FILES
    assert killed > 12


def test_whose_time_is_over_or_whose_place_a_later_line_took_is_refused_and_says_what_to_do(
    house: Demo, tmp_path: Path
) -> None:
    name = next(names)
    former, line = opened(house, name), opened(house, name)
    refused = Desktop(tmp_path / "1").paste(former)
    assert refused.returncode != 0
    assert "a later line took its place" in refused.stderr
    past = (datetime.now(UTC) - timedelta(seconds=1)).replace(tzinfo=None).isoformat(" ")
    with contextlib.closing(sqlite3.connect(house.var / "data" / "auth.sqlite3")) as file, file:
        assert file.execute("UPDATE join_windows SET expires_at = ? WHERE name = ?", (past, name)).rowcount == 1
    late = Desktop(tmp_path / "2").paste(line)
    assert late.returncode != 0
    assert f"homesystem client add {name}" in late.stderr
    assert name not in enrolled(house, "client")


def test_a_name_that_was_revoked_is_never_given_again(house: Demo, tmp_path: Path) -> None:
    name, desktop = next(names), Desktop(tmp_path)
    line = opened(house, name)
    assert desktop.paste(line).returncode == 0
    assert house.command("client", "revoke", name).returncode == 0
    assert desktop.paste(line).returncode != 0
    refused = house.command("client", "add", name, "--may", "hall/lamp")
    assert (refused.returncode, "no name is ever given out twice" in refused.stderr) == (1, True)


def test_a_line_that_nobody_used_yet_is_called_off_and_its_name_stays_free(house: Demo, tmp_path: Path) -> None:
    name, desktop = next(names), Desktop(tmp_path)
    line = opened(house, name)
    said = house.command("client", "revoke", name)
    assert (said.returncode, "The name stays free" in said.stdout) == (0, True), said.stderr
    refused = desktop.paste(line)
    assert refused.returncode != 0
    assert "it was called off" in refused.stderr
    assert desktop.paste(opened(house, name)).returncode == 0
    assert house.command("client", "revoke", next(names)).returncode != 0, "and whom nobody awaits there is not"


def test_a_client_renews_by_a_line_and_keeps_its_key_and_what_it_may(house: Demo, tmp_path: Path) -> None:
    name, desktop = next(names), Desktop(tmp_path)
    first = desktop.paste(opened(house, name))
    assert first.returncode == 0, first.stderr
    example = [*shlex.split(first.stdout.splitlines()[-1]), "-C", "1", "-W", "20"]
    former = tmp_path / "former.crt"
    former.write_bytes((desktop.home / name / "client.crt").read_bytes())
    key = (desktop.home / name / "client.key").read_bytes()
    said = house.command("client", "renew", name, "--yes")
    assert said.returncode == 0, said.stderr
    assert subprocess.run(example, capture_output=True, check=False).returncode != 0, "it is refused from then on"
    assert desktop.paste(said.stdout.strip()).returncode == 0
    assert (desktop.home / name / "client.key").read_bytes() == key
    assert subprocess.run(example, capture_output=True, check=False).returncode == 0
    old = [str(former) if word.endswith("client.crt") else word for word in example]
    assert subprocess.run(old, capture_output=True, check=False).returncode != 0


def test_a_phones_file_is_brought_once_works_at_the_broker_and_lies_nowhere_on_the_hub(
    house: Demo, tmp_path: Path
) -> None:
    name = next(names)
    said = house.command("client", "add", name, "--may", "hall/lamp", "--p12")
    assert said.returncode == 0, said.stderr
    found = re.search(r"type there +([a-z]{4}) ([a-z]{4}) ([a-z]{4}) ", said.stdout)
    assert found is not None
    code = "".join(found.groups())
    assert f"{house.url}/join/phone\n" in said.stdout
    phone, other = Phone(house), Phone(house)
    assert phone.load("a" * 12)[0] == 403
    status, file = phone.load(code.capitalize())
    assert status == 200, file
    for again in (phone, other):
        status, page = again.load(code)
        assert (status, b"This code has brought its file already" in page) == (403, True)
    p12 = tmp_path / f"{name}.p12"
    p12.write_bytes(file)
    unpacked = tmp_path / name
    unpacked.mkdir()
    for words, target in (("-nodes -nocerts", "client.key"), ("-nokeys -clcerts", "client.crt")):
        unpack = ["openssl", "pkcs12", "-in", str(p12), "-passin", f"pass:{code}", "-out", str(unpacked / target)]
        subprocess.run([*unpack, *words.split()], check=True, capture_output=True)
    (unpacked / "ca.crt").write_bytes(phone.get("/join/home-ca.crt"))
    command = f"mosquitto_sub -V 5 -h localhost -p {house.ports['MQTT']} -C 1 -W 20 -t home/hall/lamp/state"
    files = "--cafile ca.crt --cert client.crt --key client.key"
    heard = subprocess.run(
        [*command.split(), *files.split()], cwd=unpacked, capture_output=True, text=True, check=False
    )
    assert heard.stdout.startswith("{"), heard.stderr
    key = serialization.load_pem_private_key((unpacked / "client.key").read_bytes(), None)
    secret = key.private_numbers().private_value.to_bytes(32, "big")  # type: ignore[union-attr]  # it is on P-256
    assert len(secret) == 32
    on_hub = {path: path.read_bytes() for path in house.var.rglob("*") if path.is_file()}
    assert len(on_hub) > 30
    for text in (secret, file, code.encode(), found[0].encode()):
        assert [path for path, content in on_hub.items() if text in content] == []
    until(lambda: "client:join-refused" in recorded(house, f"client/{name}"), "the second try is in the record")


class Phone:
    """A browser without scripts."""

    def __init__(self, house: Demo) -> None:
        self._house = house
        tls = ssl.create_default_context(cafile=str(house.var / "pki" / "web-ca.crt"))
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=tls), cookies)

    def load(self, code: str) -> tuple[int, bytes]:
        """The form, filled in and sent."""
        page = self.get("/join/phone").decode()
        found = re.search(r'name="csrf_token" value="([^"]+)"', page)
        assert found is not None
        body = urllib.parse.urlencode({"csrf_token": found[1], "code": code}).encode()
        return self._open(urllib.request.Request(f"{self._house.url}/join/phone", body, {"Origin": self._house.url}))

    def get(self, path: str) -> bytes:
        status, content = self._open(urllib.request.Request(self._house.url + path))
        assert status == 200
        return content

    def _open(self, request: urllib.request.Request) -> tuple[int, bytes]:
        try:
            with self._opener.open(request) as answer:
                return answer.status, answer.read()
        except urllib.error.HTTPError as error:
            return error.code, error.read()


def test_a_line_of_a_room_makes_no_client_nor_a_clients_a_room(house: Demo, tmp_path: Path) -> None:
    room, name = next(names), next(names)
    of_room, of_client, csr = line_for(house, room), opened(house, name), request(tmp_path, "x")
    with Stranger(house) as stranger:
        for wish in (
            {"token": token_of(of_room), "client": room},
            {"token": token_of(of_client), "room": name},
            {"token": token_of(of_room), "client": name},
            {"token": token_of(of_client), "client": room},
            {"token": "0" * 32, "client": name},
        ):
            status, answer = stranger.ask_to_join({"csr": csr} | wish)
            assert (status, answer["reason"]) == (403, "unknown")
        status, answer = stranger.ask_to_join({"csr": csr, "token": token_of(of_client), "client": name})
        assert (status, named(answer["certificate"])) == (200, name), "whatever the request asks to be called"
    assert Pi(tmp_path / "pi").paste(of_room).returncode == 0, "and the room's is as good as it was"
    assert {room, name} & enrolled(house, "client") == {name}


@pytest.mark.parametrize("shows", ["its own authority", "both", "the hub's"])
def test_another_authority_in_the_middle_is_found_before_anything_of_it_is_run_or_told(
    house: Demo, tmp_path: Path, shows: str
) -> None:
    name, desktop = next(names), Desktop(tmp_path / "desktop")
    line = opened(house, name)
    in_the_middle(house, line, "client.sh", tmp_path / "middle", shows, desktop.paste)
    assert list(desktop.home.iterdir()) == []
