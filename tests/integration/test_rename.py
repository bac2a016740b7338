"""The hub's name changes: real TLS under both names, each with its own authority, until all have followed."""

import asyncio
import contextlib
import functools
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from alert_service import config as alerts_config
from auth_service import config as auth_config
from deploy.enrolling import enrol
from deploy.folder import home as homes
from deploy.folder import naming, turns
from deploy.folder.home import Home
from deploy.names import editing, renaming
from deploy.pki import leaf, reading
from shared.proof.spool import Spool
from shared.words import topics
from shared.words.names import Severity
from tests import killed, warm
from tests.begun import begin_accounts
from tests.claimed import free_port
from tests.house import DEADLINE, Broker, until
from tests.integration.signer_parts import Signer
from tests.renamed import NEW, OLD, PORTS, THIRD, Gateway, make, sign_outside


def command(home: Home, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"HOMESYSTEM_VAR": str(home.var)}
    return warm.run([sys.executable, "-m", "deploy", *arguments], env=environment, cwd=homes.ROOT)


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return make(tmp_path / "var")


def verified(leaf_file: Path, authority: Path, name: str) -> bool:
    """openssl's word, name constraints and all."""
    tried = subprocess.run(
        ["openssl", "verify", "-x509_strict", "-CAfile", authority, "-verify_hostname", name, leaf_file],
        capture_output=True,
        check=False,
    )
    return tried.returncode == 0


def shown(port: int, name: str, *, ca: Path, pair: tuple[Path, Path] | None = None) -> dict[str, object]:
    """The verified certificate that a server shows to a caller who asks for `name` and trusts `ca`."""
    tls = ssl.create_default_context(cafile=str(ca))
    if pair is not None:
        tls.load_cert_chain(*pair)
    raw = socket.create_connection(("127.0.0.1", port), timeout=DEADLINE)
    with raw, tls.wrap_socket(raw, server_hostname=name) as connection:
        found = connection.getpeercert()
        assert found
        return found  # type: ignore[return-value]  # a mapping either way


def asked(port: int, name: str, ca: Path, request: str) -> str:
    """The status line that the gateway answers to a request under `name`."""
    raw, tls = (
        socket.create_connection(("127.0.0.1", port), timeout=DEADLINE),
        ssl.create_default_context(cafile=str(ca)),
    )
    with raw, tls.wrap_socket(raw, server_hostname=name) as connection:
        connection.sendall(request.replace("\n", "\r\n").encode())
        return connection.recv(65536).decode(errors="replace")


@pytest.fixture
def gateway(home: Home) -> Iterator[Gateway]:
    made = Gateway(home)
    yield made
    made.stop()


def logout(port: int, host: str) -> str:
    return f"POST /api/v1/logout HTTP/1.1\nHost: {host}:{port}\nOrigin: https://{host}:{port}\nContent-Length: 0\n\n"


def test_a_running_gateway_serves_both_names_each_with_its_authority_until_it_is_done(
    home: Home, gateway: Gateway, tmp_path: Path
) -> None:
    port, pki = gateway.port, home.pki
    trusted_before = tmp_path / "imported-before.crt"
    trusted_before.write_bytes((pki / "web-ca.crt").read_bytes())
    done = command(home, "rename", NEW)
    assert done.returncode == 0, done.stderr
    assert "Import what `homesystem authority` prints" in done.stdout

    # Without a restart, and to browsers that have not imported anything, the old name goes on.
    assert shown(port, OLD, ca=trusted_before)
    assert shown(port, NEW, ca=pki / "web-ca.crt")
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(port, NEW, ca=trusted_before)
    assert shown(port, "127.0.0.1", ca=pki / "web-ca.crt")
    # Both are our own pages: what is refused is the missing token, not the origin.
    for name, ca in ((NEW, pki / "web-ca.crt"), (OLD, trusted_before)):
        answer = asked(port, name, ca, logout(port, name))
        assert "did not come from one of this home's own pages" not in answer
        assert "403" in answer.splitlines()[0]
    evil = asked(port, NEW, pki / "web-ca.crt", logout(port, "evil.example"))
    assert "did not come from one of this home's own pages" in evil

    done = command(home, "rename", "--done")
    assert done.returncode == 0, done.stderr
    with pytest.raises(ssl.SSLCertVerificationError):
        shown(port, OLD, ca=trusted_before)
    assert shown(port, NEW, ca=pki / "web-ca.crt")
    assert list((pki / "former").iterdir()) == []


def test_no_leaf_is_ever_signed_outside_of_its_authority(home: Home) -> None:
    renaming.begin(home, NEW)
    pki = home.pki
    assert verified(pki / "web.crt", pki / "web-ca.crt", NEW)
    assert verified(pki / "former" / OLD / "web.crt", pki / "former" / OLD / "web-ca.crt", OLD)
    assert not verified(pki / "web.crt", pki / "former" / OLD / "web-ca.crt", NEW)
    assert leaf.permitted_names(reading.certificate(pki / "web-ca.crt")) == [NEW, "localhost"]


def test_a_name_changed_by_hand_is_refused_and_everything_stays_renewed_under_the_known_one(home: Home) -> None:
    editing.change(home.var / "home.toml", {"name": NEW})
    (home.pki / "web.crt").unlink()
    (home.pki / "broker.crt").unlink()
    tried = command(home, "renew")
    assert tried.returncode == 78
    assert f'browsers were told to trust {OLD} alone; write name = "{OLD}" there again' in tried.stderr
    assert verified(home.pki / "web.crt", home.pki / "web-ca.crt", OLD)
    assert verified(home.pki / "broker.crt", home.pki / "device-ca.crt", OLD)
    assert f"homesystem rename {NEW}" in command(home, "doctor").stdout
    assert f"homesystem rename {NEW}" in command(home, "rename", THIRD).stderr
    editing.change(home.var / "home.toml", {"name": OLD})
    assert command(home, "rename", NEW).returncode == 0
    assert verified(home.pki / "web.crt", home.pki / "web-ca.crt", NEW)


def test_a_certificate_that_an_older_version_signed_outside_is_found_and_made_anew(home: Home) -> None:
    sign_outside(home)
    assert not verified(home.pki / "web.crt", home.pki / "web-ca.crt", NEW)
    said = command(home, "doctor").stdout
    assert f"web.crt is for {NEW}, which web-ca.crt may not vouch for" in said
    homes.renew(home)
    assert verified(home.pki / "web.crt", home.pki / "web-ca.crt", OLD)


def test_a_second_rename_is_told_what_to_end_first_and_going_back_is_possible(home: Home, tmp_path: Path) -> None:
    before = (home.pki / "web-ca.crt").read_bytes()
    assert command(home, "rename", NEW).returncode == 0
    refused = command(home, "rename", THIRD)
    assert refused.returncode == 1
    assert f"being renamed from {OLD} to {NEW}: end that first (homesystem rename --done)" in refused.stderr
    assert command(home, "rename", NEW).returncode == 0
    assert command(home, "rename", OLD).returncode == 0
    settings = homes.find(home.var).settings
    assert (settings.name, settings.former_names, settings.former_broker_names) == (OLD, (NEW,), (NEW,))
    # Browsers need not import anything to go back.
    assert (home.pki / "web-ca.crt").read_bytes() == before
    assert verified(home.pki / "former" / NEW / "web.crt", home.pki / "former" / NEW / "web-ca.crt", NEW)
    assert command(home, "rename", "--done").returncode == 0
    assert homes.find(home.var).settings.former_names == ()
    assert "nothing is to be ended" in command(home, "rename", "--done").stderr
    assert f"The hub is {OLD} already" in command(home, "rename", OLD).stderr


def test_a_rename_leaves_its_proof(home: Home) -> None:
    renaming.begin(home, NEW)
    renaming.begin(homes.find(home.var), NEW)
    with contextlib.closing(Spool(auth_config.read(home.config("auth")).spool)) as spool:
        (told,) = [event for event in spool.pending(10) if event.what == "home:renamed"]
    assert told.detail == {"was": OLD, "now": NEW}
    assert told.severity is Severity.CRITICAL


def test_letters_link_and_greet_with_the_new_name_and_the_owners_words_stay(home: Home) -> None:
    path = home.config("alerts")
    path.write_text(path.read_text().replace("per_minute = 30", "per_minute = 31   # mine") + "\n# the end\n")
    before = path.read_text()
    assert before.count(OLD) == 2
    renaming.begin(home, NEW)
    assert path.read_text() == before.replace(OLD, NEW)
    assert alerts_config.read(path).letters.pages == f"https://{NEW}:{home.settings.https_port}"
    assert alerts_config.read(path).smtp.greets_as == NEW


def test_a_name_that_the_owner_chose_for_letters_stays(home: Home) -> None:
    path = home.config("alerts")
    path.write_text(path.read_text().replace(f'host = "{OLD}"', 'host = "home.example.org"'))
    renaming.begin(home, NEW)
    assert alerts_config.read(path).letters.host == "home.example.org"


@pytest.fixture
def broker(home: Home) -> Iterator[Broker]:
    asyncio.run(enrol.add_room(home, "hall", None))
    made = Broker(home)
    made.start()
    yield made
    made.stop()


def tells(broker: Broker, hub: str | None) -> None:
    """The hall is born and says by which name it reached the broker."""
    said = {"room": "hall", "name": "Hall", "agent_version": "1", "devices": []} | ({"hub": hub} if hub else {})
    told = broker.publish("hall", "-t", topics.description("hall"), "-r", "-m", json.dumps(said))
    assert told.returncode == 0, told.stderr


def knows(broker: Broker, name: str) -> bool:
    pki = broker.home.pki
    try:
        shown(broker.port, name, ca=pki / "device-ca.crt", pair=(pki / "hall.crt", pki / "hall.key"))
    except ssl.SSLCertVerificationError:
        return False
    return True


def test_the_broker_keeps_the_old_name_until_each_room_has_come_under_another(home: Home, broker: Broker) -> None:
    tells(broker, OLD)
    began = command(home, "rename", NEW)
    assert began.returncode == 0, began.stderr
    assert f'Room hall reaches the hub as {OLD}: write host = "{NEW}" under [broker]' in began.stdout
    until(lambda: knows(broker, NEW), "the broker is known by its new name")
    assert knows(broker, OLD)

    done = command(home, "rename", "--done")
    assert f"Room hall reaches the hub as {OLD}" in done.stdout
    assert homes.find(home.var).settings.former_broker_names == (OLD,)
    assert command(home, "renew").returncode == 0
    assert knows(broker, OLD)

    tells(broker, NEW)
    assert command(home, "renew").returncode == 0
    assert homes.find(home.var).settings.former_broker_names == ()
    until(lambda: not knows(broker, OLD), "the broker gives the old name up")
    assert knows(broker, NEW)


@pytest.mark.parametrize(("hub", "said"), [(None, "its agent is older"), ("", "has not been heard of")])
def test_a_room_of_which_nothing_is_known_keeps_the_old_name(
    home: Home, broker: Broker, hub: str | None, said: str
) -> None:
    if hub is None:
        tells(broker, None)
    assert command(home, "rename", NEW).returncode == 0
    assert said in command(home, "rename", "--done").stdout
    assert knows(broker, OLD)


def test_a_room_that_comes_by_an_address_holds_nothing_up(home: Home, broker: Broker) -> None:
    tells(broker, "127.0.0.1")
    assert command(home, "rename", NEW).returncode == 0
    assert "No room needs a former name" in command(home, "rename", "--done").stdout
    until(lambda: not knows(broker, OLD), "the broker gives the old name up")


def begin(var: Path) -> None:
    renaming.begin(homes.find(var), NEW)


def finish(var: Path) -> None:
    home = renaming.end_for_browsers(homes.find(var))
    renaming.end_for_rooms(home, asyncio.run(renaming.followers(home)))


@functools.cache
def writes(work: Callable[[Path], None]) -> int:
    """How many writes the work takes."""
    with tempfile.TemporaryDirectory() as folder:
        home = make(Path(folder) / "var")
        if work is finish:
            begin(home.var)
        code, count = killed.at_write(lambda: work(home.var), home.var, 0)
    assert code == 0
    return count


@pytest.mark.parametrize("work", [begin, finish])
@pytest.mark.parametrize("part", [n / 12 for n in range(13)])
def test_killed_anywhere_it_is_finished_by_the_next_try(home: Home, work: Callable[[Path], None], part: float) -> None:
    if work is finish:
        begin(home.var)
    code, _ = killed.at_write(lambda: work(home.var), home.var, 1 + round(part * (writes(work) - 1)))
    assert code == -signal.SIGKILL
    # Whatever it was, what is shown to browsers is believed by those who imported its authority.
    work(home.var)
    settings = homes.find(home.var).settings
    assert settings.name == NEW
    assert settings.former_names == ((OLD,) if work is begin else ())
    assert verified(home.pki / "web.crt", home.pki / "web-ca.crt", NEW)
    naming.check(home.var, settings.name, settings.former_names)
    assert (home.pki / "former" / OLD).exists() is (work is begin)
    assert alerts_config.read(home.config("alerts")).letters.host == NEW
    pair = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    pair.load_cert_chain(home.pki / "web.crt", home.pki / "web.key")


@pytest.mark.parametrize(
    "words", [["renew"], ["repair", "--quick"], ["rename", NEW]], ids=["renew", "repair", "the same once more"]
)
def test_what_waits_for_a_rename_goes_by_the_new_name(home: Home, words: list[str]) -> None:
    with turns.turn(home.var, "homesystem rename"):
        other = warm.Popen(
            [sys.executable, "-m", "deploy", *words],
            env=os.environ | {"HOMESYSTEM_VAR": str(home.var)},
            cwd=homes.ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert other.stderr is not None
        assert other.stderr.readline().startswith("Waiting for homesystem rename")
        begin(home.var)
    said, complained = other.communicate(timeout=DEADLINE)
    assert other.returncode == 0, said + complained
    settings = homes.find(home.var).settings
    assert (settings.name, settings.former_names) == (NEW, (OLD,))
    for name, folder in ((NEW, home.pki), (OLD, home.pki / "former" / OLD)):
        assert verified(folder / "web.crt", folder / "web-ca.crt", name), name


def test_a_signer_of_its_own_makes_the_authority_for_a_new_name_and_tells_of_it(tmp_path: Path) -> None:
    home = homes.create(tmp_path / "var", homes.Settings(demo=True, name=OLD, **{name: free_port() for name in PORTS}))  # type: ignore[arg-type]  # ports by name
    begin_accounts(home)
    homes.seal(home)
    before, signer = (home.pki / "web-ca.crt").read_bytes(), Signer(home)
    signer.start()
    try:
        assert home.signer() == signer.path
        names = {"name": NEW, "former_names": [OLD], "former_broker_names": [OLD]}
        editing.change(home.var / "home.toml", names)  # type: ignore[arg-type]  # texts and lists of them
        homes.renew(homes.find(home.var))
        told = [event for event in signer.told() if event.where == "certificate/authorities"]
    finally:
        signer.stop()
    assert verified(home.pki / "web.crt", home.pki / "web-ca.crt", NEW)
    assert verified(home.pki / "former" / OLD / "web.crt", home.pki / "former" / OLD / "web-ca.crt", OLD)
    assert (home.pki / "former" / OLD / "web-ca.crt").read_bytes() == before
    assert [(event.severity, NEW in event.detail["names"]) for event in told] == [(Severity.CRITICAL, True)]


def test_the_demo_stays_what_it_is(tmp_path: Path) -> None:
    demo = homes.create(tmp_path / "var", homes.Settings(demo=True))
    begin_accounts(demo)
    homes.seal(demo)
    refused = command(demo, "rename", NEW)
    assert refused.returncode == 1
    assert "this machine alone" in refused.stderr
