"""The line that the hub prints: its own name, the hash of what the gateway will show, and a window behind it."""

import asyncio
import contextlib
import hashlib
import shutil
import sqlite3
import subprocess
from pathlib import Path

import pytest

from deploy.enrolling import commands, enrol, lines
from deploy.folder.home import Home
from gateway.config import load_config
from gateway.door.offering import Offer
from shared.running import offered
from shared.running.config import ConfigError
from shared.trust import authority
from shared.words.problem import HomeError
from tests.begun import whole_home
from tests.pasted import token_of


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Home:
    """A whole one that does not run."""
    return whole_home(tmp_path_factory.mktemp("home"))


def test_it_names_the_hub_and_the_hash_of_the_authority_that_the_gateway_shows(home: Home) -> None:
    line = lines.open_for(home, "attic")
    shown = Offer(load_config(home.config("gateway"))).anchor()
    assert shown == (home.pki / "web-ca.crt").read_bytes()
    assert hashlib.sha256(shown).hexdigest() in line.text
    assert f"https://{home.settings.name}:{home.settings.https_port}/join/ca.crt" in line.text


def test_the_gateways_own_line_is_the_same_but_for_the_port_that_the_environment_may_move(home: Home) -> None:
    line = lines.open_for(home, "attic")
    config = load_config(home.config("gateway"))
    made = Offer(config).line("attic", token_of(line.text))
    assert made.replace(f":{config.https.port}", ":PORT") == line.text.replace(f":{home.settings.https_port}", ":PORT")


@pytest.mark.parametrize(
    ("alternatives", "host"),
    [
        ("DNS:home.example.org", "home.example.org"),
        ("DNS:*.@DOMAIN@", "@HUB@"),
        ("DNS:www.example.org,DNS:@HUB@", "@HUB@"),
        ("DNS:*.example.org,DNS:example.org", "example.org"),
    ],
)
def test_a_certificate_of_the_households_own_is_what_is_hashed_and_names_the_hub(
    home: Home, tmp_path: Path, alternatives: str, host: str
) -> None:
    hub = home.settings.name
    alternatives = alternatives.replace("@DOMAIN@", hub.partition(".")[2]).replace("@HUB@", hub)
    host = host.replace("@HUB@", hub)
    own = tmp_path / "own"
    own.mkdir()
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=a household's"]
    names = ["-addext", f"subjectAltName={alternatives}"]
    files = ["-keyout", str(own / "web.key"), "-out", str(own / "web.crt")]
    subprocess.run(["openssl", "req", *made, *names, *files], capture_output=True, check=True)
    config = home.config("gateway")
    before = config.read_text()
    config.write_text(
        before.replace(f'certificate = "{home.pki}/web.crt"', f'certificate = "{own}/web.crt"').replace(
            f'key = "{home.pki}/web.key"', f'key = "{own}/web.key"'
        )
    )
    try:
        line = lines.open_for(home, "attic")
        offer = Offer(load_config(config))
        assert offer.anchor() == (own / "web.crt").read_bytes()
        assert offer.where()["host"] == host, "the page says the same"
    finally:
        config.write_text(before)
    assert hashlib.sha256((own / "web.crt").read_bytes()).hexdigest() in line.text
    assert f"https://{host}:" in line.text


def test_a_name_that_cannot_be_is_refused_and_no_line_is_printed(home: Home) -> None:
    with pytest.raises(HomeError, match="invalid-value"):
        lines.open_for(home, "Attic")


def test_it_says_for_which_pis_there_is_a_package_and_prints_the_line_alone(
    home: Home, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOMESYSTEM_VAR", str(home.var))
    lines.show(home, lines.open_for(home, "attic"))
    assert "offers no package" in capsys.readouterr().err
    folder = home.var / offered.FOLDER
    folder.mkdir()
    (folder / "home-system-agent_0.1.0+deb12_arm64.deb").write_bytes(b"")
    line = lines.open_for(home, "attic")
    lines.show(home, line)
    said = capsys.readouterr()
    assert said.out == line.text + "\n"
    assert "Debian 12 arm64" in said.err
    assert "for 10 minutes" in said.err
    assert token_of(line.text) not in said.err
    shutil.rmtree(folder)


def test_a_clients_line_is_printed_alone_and_needs_a_room_that_is_there(
    home: Home, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asyncio.run(enrol.add_room(home, "hall", tmp_path / "hall"))
    with pytest.raises(HomeError, match="There is no room cellar; these are enrolled: hall"):
        lines.open_for_client(home, "phone", [("cellar", "lamp")])
    line = lines.open_for_client(home, "phone", [("hall", "lamp"), ("hall", "lamp")])
    lines.show_for_client(line)
    said = capsys.readouterr()
    assert said.out == line.text + "\n"
    assert "for 10 minutes" in said.err
    assert token_of(line.text) not in said.err
    shown = hashlib.sha256((home.pki / "web-ca.crt").read_bytes()).hexdigest()
    assert shown in line.text


def test_a_key_that_lies_in_the_certificates_file_is_shown_to_nobody(tmp_path: Path) -> None:
    made = ["-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=both"]
    files = ["-keyout", str(tmp_path / "key"), "-out", str(tmp_path / "crt")]
    subprocess.run(["openssl", "req", *made, *files], capture_output=True, check=True)
    key, certificate = ((tmp_path / name).read_text() for name in ("key", "crt"))
    both = tmp_path / "both.pem"
    for text in (key + certificate, certificate + key, f"{certificate}\nwords of somebody's\n{key}"):
        both.write_text(text)
        assert authority.anchor(both).decode() == certificate
    both.write_text(key)
    with pytest.raises(ConfigError, match="is no certificate"):
        authority.anchor(both)


def describe(home: Home, room: str, *devices: str) -> None:
    """As the auth service notes it when the room comes up."""
    values = "VALUES (?, ?, ?, 'switch', 0, 0)"
    with contextlib.closing(sqlite3.connect(home.var / "data" / "auth.sqlite3")) as direct:
        for device in devices:
            direct.execute(
                f"INSERT INTO devices (room, id, name, kind, critical, confirm) {values}",
                (room, device, device),
            )
        direct.commit()


@pytest.mark.parametrize("way", ["", "--p12", "--out"])
def test_a_client_gets_no_device_that_its_room_does_not_have_and_one_that_nobody_knows_yet_is_told(
    home: Home,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    way: str,
) -> None:
    monkeypatch.setenv("HOMESYSTEM_VAR", str(home.var))
    room = f"way{way}"
    asyncio.run(enrol.add_room(home, room, tmp_path / "room"))

    def add(name: str, *devices: str) -> None:
        out = tmp_path / name if way == "--out" else None
        commands.client_add(name, [f"{room}/{device}" for device in devices], out=out, p12=way == "--p12")

    add(f"early{room}", "lmap")
    assert f"nobody knows yet whether there is {room}/lmap" in capsys.readouterr().err
    describe(home, room, "lamp", "door")
    for name in (f"late{room}", f"early{room}"):
        with pytest.raises(
            HomeError, match=rf"unknown-device.*The room {room} has no device lmap; it has: door, lamp\."
        ):
            add(name, "lamp", "lmap")
    assert capsys.readouterr().out == ""
    assert f"late{room}" not in {row.name for row in asyncio.run(enrol.identities(home, "client"))}
    add(f"late{room}", "lamp")
    assert "nobody knows" not in capsys.readouterr().err
