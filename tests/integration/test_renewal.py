"""A room on another machine renews by itself: openssl, the agent, the real broker, a power cut, a neighbour."""

import datetime as dt
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from deploy.folder.home import ROOT, Home
from deploy.pki.authorities import Authorities
from deploy.pki.leaf import client
from deploy.pki.pairs import Pki
from shared.words import messages, topics
from shared.words.messages import Availability
from shared.words.renewing import Certificate, Csr
from tests.house import Broker, until
from tests.integration.agent_parts import GATEWAY_HEARS, Client, Room, Said


class Pi:
    """The hall's Pi: its own folder of keys, with a certificate that is 31 days old."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.folder = home.var / "pi"
        self.room = Room(home)
        past = dt.datetime.now(dt.UTC) - dt.timedelta(days=31)
        hub = Pki(home.pki, vault=home.vault, demo=True, now=past)
        hub.ensure_client("hall", "room", folder=self.folder, stem="room")
        (self.folder / "ca.crt").write_bytes((home.pki / "device-ca.crt").read_bytes())
        text = self.room.config.read_text().replace(f"{home.var}/pki/hall.", f"{self.folder}/room.")
        self.room.config.write_text(text.replace(f"{home.var}/pki/device-ca.crt", f"{self.folder}/ca.crt"))
        self.certificate = self.folder / "room.crt"

    def timer(self) -> None:
        """What the timer runs."""
        subprocess.run(["sh", str(ROOT / "deploy" / "room-renew.sh"), str(self.room.config)], check=True)

    def beside(self) -> set[str]:
        """What lies there besides the pair."""
        return {path.name for path in self.folder.iterdir()} - {"room.crt", "room.key", "ca.crt"}

    def settled(self) -> None:
        until(lambda: not self.beside(), f"nothing lies beside the pair any more: {self.beside()}")


@pytest.fixture
def pi(home: Home, broker: Broker) -> Iterator[Pi]:
    made = Pi(home)
    yield made
    made.room.stop(signal.SIGKILL)
    made.room.config.unlink()
    for path in made.folder.iterdir():
        path.unlink()


@pytest.fixture
def gateway(broker: Broker) -> Iterator[Client]:
    with Client(broker, "gateway", *GATEWAY_HEARS) as ear:
        yield ear


@pytest.fixture
def auth(broker: Broker) -> Iterator[Client]:
    with Client(broker, "auth", topics.ALL_CSRS) as ear:
        yield ear


def asked(auth: Client) -> str:
    """What the hall asks for."""

    def fits(said: Said) -> str | None:
        return messages.decode(Csr, said.payload).csr if said.topic == topics.csr("hall") else None

    found = auth.wait_for("the hall asks for a certificate", fits)
    assert isinstance(found, str)
    return found


def signed(home: Home, csr: str, *, vault: Path | None = None) -> str:
    authorities = Authorities(vault or home.vault, demo=True, now=dt.datetime.now(dt.UTC))
    return authorities.sign(client("hall", "room"), csr.encode()).decode()


def answer(auth: Client, certificate: str) -> None:
    auth.publish(topics.certificate("hall"), messages.encode(Certificate(certificate=certificate)))


def presences(ear: Client) -> list[tuple[str, str]]:
    """Every word about the hall's presence, live: its status and birth."""
    heard = [said for said in ear.said if said.topic == topics.availability("hall") and not said.retained]
    found = [messages.decode(Availability, said.payload) for said in heard]
    return [(there.status, there.session) for there in found]


def test_a_room_renews_by_itself_and_nobody_takes_it_for_gone(pi: Pi, gateway: Client, auth: Client) -> None:
    pi.timer()
    pi.room.online(gateway)
    first, edges = pi.certificate.read_text(), pi.room.waveform
    new = signed(pi.home, asked(auth))
    answer(auth, new)
    until(lambda: len({session for _, session in presences(gateway)}) == 2, "it is born anew, with the new certificate")
    pi.settled()
    assert pi.certificate.read_text() == new != first
    assert {status for status, _ in presences(gateway)} == {"online"}
    assert pi.room.waveform == edges
    gateway.heartbeat()
    assert gateway.command("lamp", "on") == ("executed", None)
    pi.timer()
    assert pi.beside() == set()


def test_a_new_certificate_that_the_broker_refuses_is_given_up_for_the_old_one(
    pi: Pi, gateway: Client, auth: Client, tmp_path: Path
) -> None:
    stranger = Authorities(tmp_path / "vault", demo=True, now=dt.datetime.now(dt.UTC))
    stranger.ensure(["hub.local"])
    with (pi.folder / "ca.crt").open("ab") as trusted:  # the room believes it, and the broker does not
        trusted.write(stranger.certificate("device-ca"))
    pi.timer()
    pi.room.online(gateway)
    old = pi.certificate.read_text()
    answer(auth, signed(pi.home, asked(auth), vault=tmp_path / "vault"))
    pi.room.complained("New certificate does not connect: the old one is used again")
    until(lambda: len({session for status, session in presences(gateway) if status == "online"}) == 2, "it is back")
    pi.settled()  # the link has the old pair at once, the disk a moment later
    assert pi.certificate.read_text() == old


@pytest.mark.parametrize("step", ["certificate moved", "old pair kept"])
def test_a_power_cut_in_the_middle_of_a_swap_leaves_a_room_that_starts(
    pi: Pi, gateway: Client, auth: Client, step: str
) -> None:
    pi.timer()
    code = (
        "import os\nfrom pathlib import Path\n"
        "from device_agents.link.pair import Pair\nfrom shared.trust.tls import Identity\n"
        "from shared.words.renewing import Certificate\n"
        f"ca, crt, key = (Path({str(pi.folder)!r}) / name for name in ('ca.crt', 'room.crt', 'room.key'))\n"
        f"def checkpoint(name):\n    if name == {step!r}:\n        os.kill(os.getpid(), 9)\n"
        "pair = Pair(Identity(ca=ca, certificate=crt, key=key), 'hall', checkpoint)\n"
        "pair.take(Certificate(certificate=Path(os.environ['ANSWER']).read_text()))\n"
    )
    new = signed(pi.home, (pi.folder / "room.crt.csr").read_text())
    (pi.home.var / "answer").write_text(new)
    environment = os.environ | {"ANSWER": str(pi.home.var / "answer")}
    died = subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environment, check=False)
    assert died.returncode == -signal.SIGKILL
    assert pi.beside()
    pi.room.online(gateway)
    pi.settled()
    assert pi.certificate.read_text() == new


def test_no_other_room_asks_in_its_name_or_hears_its_answer(
    broker: Broker, pi: Pi, gateway: Client, auth: Client
) -> None:
    forged = broker.publish("kitchen", "-t", topics.csr("hall"), "-m", '{"csr":"mine"}')
    assert "Not authorized" in forged.stderr
    given = broker.publish("kitchen", "-t", topics.certificate("hall"), "-m", '{"certificate":"mine"}')
    assert "Not authorized" in given.stderr
    for who in ("kitchen", "phone"):
        listening = subprocess.run(
            broker.tool("mosquitto_sub", who, "-t", topics.certificate("hall"), "-W", "1", "-d"),
            capture_output=True,
            text=True,
            check=False,
        )
        assert "135" in listening.stdout + listening.stderr
    pi.timer()
    pi.room.online(gateway)
    assert asked(auth).startswith("-----BEGIN CERTIFICATE REQUEST")
    assert {said.topic for said in auth.said} == {topics.csr("hall")}
