"""The signer as a process of its own, on the real broker: it signs and sets rights for the command, the proof first."""

import asyncio
import contextlib
import datetime as dt
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth_service.proof import Proof
from deploy.allowing import rights
from deploy.enrolling import enrol
from deploy.folder import home as homes
from deploy.folder.home import ROOT, Home
from deploy.live_broker import broker as brokers
from deploy.pki import reading, signers
from deploy.pki.pairs import Pki
from deploy.signer.clerk import Clerk
from deploy.signer.config import Settings
from deploy.signer.door import Caller
from deploy.signer.doorkeeper import LATE
from deploy.signer.plugin import Plugin
from shared.proof.spool import Spool
from shared.running.config import EX_TEMPFAIL
from shared.trust import signing
from shared.trust.signing import Ending, Pem
from shared.words import messages, topics
from shared.words.messages import AuditEvent, Receipt, ReceiptLine
from shared.words.names import Outcome, Severity
from shared.words.problem import HomeError
from shared.words.renewing import Csr
from tests.begun import whole_home
from tests.claimed import free_port
from tests.house import DEADLINE, Broker, come_up, until
from tests.integration.agent_parts import Client, Room, audit_events
from tests.integration.signer_parts import Signer, connected


@pytest.fixture(scope="module")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """With a whole home around it, and authorities of its own."""
    broker = Broker(whole_home(tmp_path_factory.mktemp("home")))
    broker.start()
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def running(broker: Broker) -> Iterator[Signer]:
    made = Signer(broker.home)
    made.start()
    yield made
    made.stop()


@pytest.fixture
def signer(running: Signer) -> Signer:
    """It runs, and has its link to the broker."""
    until(lambda: connected(running), "the signer has reached the broker")
    return running


def csr(name: str = "anything") -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    request = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
    return request.public_bytes(serialization.Encoding.PEM).decode()


def say(broker: Broker, room: str, out: Path) -> subprocess.CompletedProcess[str]:
    """The room describes itself with what lies in `out`."""
    files = ["--cafile", f"{out}/ca.crt", "--cert", f"{out}/room.crt", "--key", f"{out}/room.key"]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port)]
    command = ["mosquitto_pub", *place, *files, "-q", "1", "-t", topics.description(room), "-m", "x"]
    return subprocess.run(command, capture_output=True, text=True, timeout=DEADLINE, check=False)


def test_enrolling_is_signed_and_given_rights_by_the_signer_and_told_by_it(
    broker: Broker, signer: Signer, tmp_path: Path
) -> None:
    assert broker.home.signer() == signer.path
    before = len(signer.told())
    asyncio.run(enrol.add_room(broker.home, "attic", tmp_path / "attic"))
    assert "Not authorized" not in (said := say(broker, "attic", tmp_path / "attic")).stderr
    assert said.returncode == 0
    events = [(event.what, event.where, event.severity) for event in signer.told()[before:]]
    assert events == [
        ("certificate:signed", "room/attic", Severity.CRITICAL),
        ("rights:changed", "room/attic", Severity.INFO),
    ]


def test_it_gives_a_client_more_rights_than_fit_into_one_message(broker: Broker, signer: Signer) -> None:
    signer.ask(signing.Sign(name="panel", role="client", csr=csr()), Pem)
    may = tuple(("r" * 32, f"{'d' * 28}-{number:03}") for number in range(200))
    for wanted in (may, may[1:]):
        signer.ask(signing.Grant(name="panel", role="client", may=wanted), signing.Changed)
        standing = brokers.standing(broker.home, "panel")
        assert rights.allowed(standing.role or {}) == rights.allowed(rights.client_role("panel", list(wanted)))


def test_its_events_reach_the_alert_service_and_are_sent_until_receipted(broker: Broker, signer: Signer) -> None:
    with Client(broker, "alerts", topics.ALL_AUDIT) as ear:
        signer.ask(signing.Sign(name="cellar", role="room", csr=csr()), Pem)

        def fits(_said: object) -> AuditEvent | None:
            return next((event for event in audit_events(ear, "signer") if event.where == "room/cellar"), None)

        event = ear.wait_for("the signer tells what it signed", fits)
        line = ReceiptLine(id=event.id, row=1, hash="00")
        ear.publish(topics.receipt("signer"), messages.encode(Receipt(events=(line,))))
        until(lambda: receipted(signer, event.id), "the receipt is kept")


def receipted(signer: Signer, id_: str) -> bool:
    with contextlib.closing(sqlite3.connect(signer.spool)) as file:
        return bool(file.execute("SELECT 1 FROM event WHERE id = ? AND receipted_at > 0", (id_,)).fetchone())


def test_a_revocation_is_the_signers_work_and_the_name_is_never_signed_again(
    broker: Broker, signer: Signer, tmp_path: Path
) -> None:
    asyncio.run(enrol.add_room(broker.home, "shed", tmp_path / "shed"))
    assert say(broker, "shed", tmp_path / "shed").returncode == 0
    assert asyncio.run(enrol.revoke(broker.home, "shed", "room"))
    until(lambda: say(broker, "shed", tmp_path / "shed").returncode != 0, "its handshake is refused")
    assert signer.refusal(signing.Sign(name="shed", role="room", csr=csr())) == "forbidden"
    assert signer.refusal(signing.Grant(name="shed", role="room")) == "forbidden"
    crl = x509.load_pem_x509_crl(signer.ask(signing.Show(what="crl"), Pem).pem.encode())
    assert crl.get_revoked_certificate_by_serial_number(reading.certificate(tmp_path / "shed/room.crt").serial_number)


def test_a_service_in_a_strangers_hand_gets_no_name_of_the_hubs_and_takes_nobody_of_it_away(signer: Signer) -> None:
    for order in (
        signing.Sign(name="signer", role="service", csr=csr()),
        signing.Sign(name="gateway", role="room", csr=csr()),
        signing.Sign(name="dev-board", role="client", csr=csr()),
        signing.Sign(name="attic", role="client", csr=csr()),
        signing.Revoke(name="gateway"),
        signing.Revoke(name="auth", replaced=True),
        signing.Revoke(name="auth", awaits=True),
        signing.Withdraw(name="gateway"),
        signing.Withdraw(name="signer"),
        signing.Grant(name="gateway", role="client", may=(("attic", "lamp"),)),
        signing.Grant(name="stranger", role="client", may=(("attic", "lamp"),)),
        signing.Grant(name="attic", role="client", may=(("attic", "lamp"),)),
        signing.Grant(name="attic", role="room", may=(("attic", "+"),)),
    ):
        assert signer.refusal(order) == "forbidden", order
    assert signer.ask(signing.Look(name="gateway"), signing.Seen).roles == ("gateway",)


def test_wildcards_are_no_devices(signer: Signer) -> None:
    signer.ask(signing.Sign(name="phone-2", role="client", csr=csr()), Pem)
    for ref in (("+", "+"), ("#", "lamp"), ("attic", "lamp/set/gateway"), ("", "")):
        assert signer.refusal(signing.Grant(name="phone-2", role="client", may=(ref,))) == "forbidden"


def test_the_name_comes_from_the_order_and_not_from_the_request(signer: Signer) -> None:
    signed = signer.ask(signing.Sign(name="porch", role="room", csr=csr("gateway")), Pem).pem
    certificate = x509.load_pem_x509_certificate(signed.encode())
    assert certificate.subject.rfc4514_string() == "CN=porch"


def test_without_proof_nothing_is_signed_and_whatever_makes_safer_is_done(broker: Broker, signer: Signer) -> None:
    signer.ask(signing.Sign(name="lost-one", role="client", csr=csr()), Pem)
    signer.ask(signing.Grant(name="lost-one", role="client", may=(("attic", "lamp"),)))
    trigger = "BEFORE INSERT ON event BEGIN SELECT RAISE(FAIL, 'database or disk is full'); END"
    with contextlib.closing(sqlite3.connect(signer.spool)) as file:
        file.execute(f"CREATE TRIGGER full {trigger}")
        try:
            assert signer.refusal(signing.Sign(name="new-one", role="room", csr=csr())) == "no-proof"
            assert signer.refusal(signing.Grant(name="lost-one", role="client")) == "no-proof"
            assert signer.ask(signing.Revoke(name="lost-one")).count == 1
            assert signer.ask(signing.Withdraw(name="lost-one")).names == ("lost-one",)
        finally:
            file.execute("DROP TRIGGER full")
    assert brokers.standing(broker.home, "lost-one").out
    signer.ask(signing.Sign(name="new-one", role="room", csr=csr()), Pem)
    owed = [(event.what, event.outcome) for event in signer.told()[-4:]]
    assert ("certificate:revoked", Outcome.EXECUTED) in owed


def test_the_hubs_own_certificates_are_renewed_through_it(broker: Broker, signer: Signer) -> None:
    for name in ("auth", "web", "broker"):
        (broker.home.pki / f"{name}.crt").unlink()
    assert set(homes.renew(broker.home)) == {"auth", "web", "broker"}
    assert homes.renew(broker.home) == []
    ends = {(end.name, end.role) for end in signer.ask(signing.Ends(), Ending).ends}
    assert {("auth", "service"), ("attic", "room"), ("device-ca", "authority"), ("web-ca", "authority")} <= ends


def test_rights_of_an_older_home_are_brought_up_to_date_by_it(broker: Broker, signer: Signer) -> None:
    with contextlib.suppress(HomeError):
        broker.home.authority()
    assert signer.ask(signing.Refresh()).names == ()
    signer.stop()
    with brokers.as_signer(broker.home) as hand:  # what an older version left
        hand._steadily(lambda client: hand._ask(client, [cut("auth"), cut("attic")]))
    signer.start()
    until(lambda: connected(signer), "the signer has reached the broker")
    assert signer.ask(signing.Refresh()).names == ("attic", "auth")
    assert signer.ask(signing.Refresh()).names == ()


def cut(name: str) -> dict[str, object]:
    topic = topics.ALL_CSRS if name == "auth" else topics.csr(name)
    kind = "subscribePattern" if name == "auth" else "publishClientSend"
    return {"command": "removeRoleACL", "rolename": name, "acltype": kind, "topic": topic}


def test_killed_and_started_again_it_goes_on_and_the_command_works_meanwhile(
    broker: Broker, signer: Signer, tmp_path: Path
) -> None:
    signer.stop(kill=True)
    assert broker.home.signer() is None  # its folder is ours, as in the demo
    asyncio.run(enrol.add_room(broker.home, "loft", tmp_path / "loft"))
    signer.start()
    until(lambda: connected(signer), "the signer has reached the broker")
    assert signer.refusal(signing.Sign(name="loft", role="client", csr=csr())) == "forbidden"
    assert signer.ask(signing.Look(name="loft"), signing.Seen).roles == ("loft",)


def test_with_the_broker_away_it_signs_and_says_that_it_can_set_no_rights(broker: Broker, signer: Signer) -> None:
    broker.stop()
    try:
        signer.ask(signing.Sign(name="lonely", role="room", csr=csr()), Pem)
        assert signer.refusal(signing.Grant(name="lonely", role="room")) == "broker-unreachable"
    finally:
        broker.start()
    until(lambda: connected(signer), "the signer has reached the broker")
    signer.ask(signing.Grant(name="lonely", role="room"))
    assert brokers.standing(broker.home, "lonely").admitted


@pytest.fixture
def auth(broker: Broker, signer: Signer) -> Iterator[None]:
    """The auth service as a process, which asks our signer."""
    environment = os.environ | {"HOMESYSTEM_SIGNER": str(signer.path)}
    command = [sys.executable, "-m", "auth_service", "--config", str(broker.home.config("auth"))]
    path = broker.home.var / "log" / "auth.console"
    path.unlink(missing_ok=True)
    with path.open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log, env=environment)
    heard = "the auth service hears what rooms ask for"
    come_up(process, lambda: "Broker reached" in path.read_text(), heard, said=path.read_text)
    yield
    process.terminate()
    process.wait(DEADLINE)


def test_a_pi_renews_through_auth_and_signer_and_a_revoked_one_does_not(
    broker: Broker, signer: Signer, auth: None, tmp_path: Path
) -> None:
    home = broker.home
    asyncio.run(enrol.add_room(home, "hall", tmp_path / "stick"))
    room, pi = Room(home), tmp_path / "pi"
    past = Pki(home.pki, vault=home.vault, demo=True, now=dt.datetime.now(dt.UTC) - dt.timedelta(days=31))
    past.ensure_client("hall", "room", folder=pi, stem="room")
    text = room.config.read_text().replace(f"{home.var}/pki/hall.", f"{pi}/room.")
    room.config.write_text(text)
    subprocess.run(["sh", str(ROOT / "deploy" / "room-renew.sh"), str(room.config)], check=True)
    before = (pi / "room.crt").read_text()
    room.start()
    try:
        until(lambda: (pi / "room.crt").read_text() != before, "a new certificate is in place")
        until(lambda: sorted(path.name for path in pi.iterdir()) == ["room.crt", "room.key"], "and has connected")
        assert ("certificate:signed", "room/hall") in [(event.what, event.where) for event in signer.told()]
        assert renewed(home) == [("room/hall", "hall", Outcome.EXECUTED)]
        asyncio.run(enrol.revoke(home, "hall", "room"))
        assert signer.refusal(signing.Sign(name="hall", role="room", csr=csr())) == "forbidden"
    finally:
        room.stop()


def renewed(home: Home) -> list[tuple[str, str, Outcome]]:
    """What auth wrote down of renewals."""
    with contextlib.closing(sqlite3.connect(home.var / "data" / "auth-spool.sqlite3")) as file:
        rows = file.execute("SELECT body FROM event ORDER BY seq").fetchall()
    events = [messages.decode(AuditEvent, body) for (body,) in rows]
    return [(e.where, e.who.issuer, e.outcome) for e in events if e.what == "certificate:renewed"]


def test_a_room_that_floods_keeps_nobody_from_renewing(
    broker: Broker, signer: Signer, auth: None, tmp_path: Path
) -> None:
    for room in ("noisy", "quiet"):
        asyncio.run(enrol.add_room(broker.home, room, tmp_path / room))
    before = len(signer.told())
    lines = "".join('{"csr":"' + "x" * 2000 + str(number) + '"}\n' for number in range(4000))
    files = [word for name, file in PAIR for word in (f"--{name}", f"{tmp_path}/noisy/{file}")]
    place = ["mosquitto_pub", "-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), *files]
    command = [*place, "-q", "1", "-t", topics.csr("noisy"), "-l"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, text=True) as flood:
        assert flood.stdin is not None
        flood.stdin.write(lines)
        flood.stdin.flush()
        answered = until(lambda: certificate_of(broker, tmp_path / "quiet"), "the quiet room is answered")
        flood.stdin.close()
        flood.kill()
    assert "BEGIN CERTIFICATE" in answered
    noisy = [event.outcome for event in signer.told()[before:] if event.where == "room/noisy"]
    assert noisy in ([], [Outcome.EXECUTED, Outcome.FAILED])  # one try of thousands, which could not be read


PAIR = (("cafile", "ca.crt"), ("cert", "room.crt"), ("key", "room.key"))


def certificate_of(broker: Broker, folder: Path) -> str:
    """What comes back for a request of the quiet room's."""
    files = [word for name, file in PAIR for word in (f"--{name}", f"{folder}/{file}")]
    place = ["-V", "5", "-h", "127.0.0.1", "-p", str(broker.port), *files, "-q", "1"]
    asks = ["-t", topics.csr("quiet"), "-m", messages.encode(Csr(csr=csr())).decode()]
    hears = ["mosquitto_rr", *place, *asks, "-e", topics.certificate("quiet"), "-W", "15"]
    return subprocess.run(hears, capture_output=True, text=True, timeout=DEADLINE, check=False).stdout


async def test_whoever_says_late_who_it_is_is_dropped_once_more(broker: Broker, signer: Signer) -> None:
    class Broken(Plugin):
        def __init__(self) -> None:
            self.asked: list[str] = []

        async def settle(self, name: str, plan: object, *, done: object) -> bool:
            self.asked.append(name)
            return True

    now = [dt.datetime(2026, 1, 1, tzinfo=dt.UTC)]
    plugin = Broken()
    spool = Spool(broker.home.var / "late.sqlite3")
    settings = Settings(state=signers.state(broker.home.var), socket=signer.path, users=frozenset())
    clerk = Clerk(settings, Proof(spool, now=lambda: now[0]), plugin, now=lambda: now[0])
    await clerk.obey(signing.Withdraw(name="attic"), Caller(1, 1))
    await clerk.shut_out_late()
    assert plugin.asked == ["attic"]
    now[0] += LATE
    await clerk.shut_out_late()
    await clerk.shut_out_late()
    assert plugin.asked == ["attic", "attic"]
    spool.close()


def test_a_broker_that_moved_is_found_after_the_signer_was_started_anew(broker: Broker, signer: Signer) -> None:
    hosts, port = tuple(broker.home.settings.hosts), broker.home.settings.mqtt_port
    assert signer.ask(signing.Found(hosts=hosts, broker_port=port)).count == 0
    assert signer.ask(signing.Found(hosts=hosts, broker_port=free_port())).count == 0
    assert signer.ended() == EX_TEMPFAIL  # whoever keeps it running starts it again
    signer.start()
    assert not connected(signer)
    signer.ask(signing.Found(hosts=hosts, broker_port=port))
    assert signer.ended() == EX_TEMPFAIL
    signer.start()
    until(lambda: connected(signer), "the signer has reached the broker")
