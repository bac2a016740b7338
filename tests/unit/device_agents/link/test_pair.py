"""The room's pair on disk: the next one takes its place whole, or not at all, wherever the process is killed."""

import datetime as dt
import os
import re
import shutil
import subprocess
from pathlib import Path

import msgspec
import pytest

from deploy.folder.home import ROOT
from deploy.pki.authorities import LEAF_DAYS, Authorities
from deploy.pki.leaf import client
from deploy.pki.pairs import Pki
from device_agents.link.pair import Pair
from shared.trust import tls
from shared.trust.authority import fingerprints
from shared.trust.signing import Step
from shared.words.problem import HomeError
from shared.words.renewing import Certificate

RENEW = ROOT / "deploy" / "room-renew.sh"
STEPS = ("certificate written", "old pair kept", "certificate moved", "key moved")
NOW = dt.datetime.now(dt.UTC)


class Killed(BaseException):
    """What kill -9 looks like from inside."""


class Pi:
    """A room's folder as `homesystem room add` fills it, `age` days ago, and the authority that answers it."""

    def __init__(self, folder: Path, *, age: int = 31) -> None:
        self.folder = folder
        hub = Pki(folder / "hub", vault=folder / "vault", demo=False, now=NOW - dt.timedelta(days=age))
        hub.ensure_authorities(["hub.local"])
        hub.ensure_client("hall", "room", folder=folder, stem="room")
        shutil.copy(folder / "hub" / "device-ca.crt", folder / "ca.crt")
        self.identity = tls.Identity(ca=folder / "ca.crt", certificate=folder / "room.crt", key=folder / "room.key")
        self.file = folder / "hall.toml"
        self.file.write_text(
            'name = "Hall"\nkey = "/no/such/key"\n[broker]\nidentity = "hall"\n'
            f'[broker.tls]\nca = "{self.identity.ca}"\ncertificate = "{self.identity.certificate}"  # ours\n'
            f"key='{self.identity.key}'\n[[devices]]\nkey = \"no\"\n"
        )

    def pair(self, kill_at: str | None = None) -> Pair:
        def checkpoint(name: str) -> None:
            if name == kill_at:
                raise Killed

        return Pair(self.identity, "hall", checkpoint)

    def renew(self, *, path: str | None = None) -> "subprocess.CompletedProcess[str]":
        places = os.environ | ({"PATH": path} if path is not None else {})
        return subprocess.run(
            ["sh", str(RENEW), str(self.file)], capture_output=True, text=True, check=False, env=places
        )

    def sign(self, csr: str, *, name: str = "hall", vault: str = "vault", now: dt.datetime = NOW) -> str:
        authorities = Authorities(self.folder / vault, demo=False, now=now)
        authorities.ensure(["hub.local"])
        return authorities.sign(client(name, "room"), csr.encode()).decode()

    def answer(self) -> str:
        csr = self.pair().request()
        assert csr is not None
        return self.sign(csr)

    def rotate(self, *steps: Step) -> None:
        """Let another authority follow the hub's, which publishes what is believed."""
        hub = Pki(self.folder / "hub", vault=self.folder / "vault", demo=False, now=NOW)
        for step in steps:
            hub.authorities.rotate(step)
        hub.ensure_authorities(["hub.local"])

    def follow(self, *, vault: str = "vault") -> Certificate:
        """The hub's answer to a room that follows."""
        authorities = Authorities(self.folder / vault, demo=False, now=NOW)
        csr = self.pair().request()
        assert csr is not None
        believed = re.findall(
            "-+BEGIN.*?-+END CERTIFICATE-+\n", authorities.certificate("device-ca").decode(), re.DOTALL
        )
        return Certificate(
            certificate=self.sign(csr, vault=vault),
            authorities=tuple(believed),
            voucher=authorities.voucher().decode() or None,
        )

    def believed(self) -> tuple[str, ...]:
        return fingerprints(self.identity.ca)

    def files(self) -> dict[str, bytes]:
        return {path.name: path.read_bytes() for path in self.folder.glob("room.*")}

    def works(self) -> bool:
        """Whether certificate and key fit, as a connection would find."""
        tls.client_context(self.identity)
        return True


@pytest.fixture
def pi(tmp_path: Path) -> Pi:
    return Pi(tmp_path)


def test_a_young_certificate_needs_nothing(tmp_path: Path) -> None:
    pi = Pi(tmp_path, age=LEAF_DAYS - 61)
    done = pi.renew()
    assert (done.returncode, "nothing to do" in done.stdout) == (0, True)
    assert pi.pair().request() is None


def test_a_request_that_waits_is_known_whatever_openssl_says_beside_its_key(tmp_path: Path) -> None:
    pi = Pi(tmp_path / "pi")
    assert pi.renew().returncode == 0
    before = (tmp_path / "pi/room.crt.csr").read_bytes()
    chatty = tmp_path / "bin" / "openssl"
    chatty.parent.mkdir()
    real = shutil.which("openssl")
    chatty.write_text(
        '#!/bin/sh\ncase " $* " in *" -verify "*) echo "Certificate request self-signature verify OK" ;; esac\n'
        f'exec {real} "$@"\n'
    )
    chatty.chmod(0o755)
    again = pi.renew(path=f"{chatty.parent}:{os.environ['PATH']}")
    assert (again.returncode, "waits already" in again.stdout) == (0, True)
    assert (tmp_path / "pi/room.crt.csr").read_bytes() == before


def test_with_sixty_days_left_a_key_and_a_request_wait_and_a_second_run_changes_nothing(pi: Pi) -> None:
    before = pi.files()
    first = pi.renew()
    assert first.returncode == 0, first.stderr
    made = pi.files()
    assert sorted(made.keys() - before.keys()) == ["room.crt.csr", "room.key.next"]
    assert {name: made[name] for name in before} == before
    assert pi.pair().next_key.stat().st_mode & 0o777 == 0o600
    assert pi.renew().returncode == 0
    assert pi.files() == made


@pytest.mark.parametrize("spoiled", ["room.crt.csr", "room.key.next"])
@pytest.mark.parametrize("content", [None, b"", b"half of"])
def test_a_run_that_was_cut_off_is_ended_by_the_next(pi: Pi, spoiled: str, content: bytes | None) -> None:
    pi.renew()
    (pi.folder / spoiled).unlink() if content is None else (pi.folder / spoiled).write_bytes(content)
    done = pi.renew()
    assert done.returncode == 0, done.stderr
    pi.pair().take(Certificate(certificate=pi.answer()))
    assert pi.works()


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda pi: pi.file.unlink(), "cannot be read"),
        (lambda pi: pi.file.write_text("[broker]\n"), "names no certificate"),
        (lambda pi: pi.identity.certificate.write_text("x"), "is no certificate; on the hub: homesystem room renew"),
    ],
)
def test_what_cannot_be_done_is_said(pi: Pi, change: object, said: str) -> None:
    change(pi)  # type: ignore[operator]  # one of those above
    done = pi.renew()
    assert done.returncode == 1
    assert said in done.stderr


def test_the_answer_takes_the_place_of_the_pair_and_the_old_one_stays_until_it_has_connected(pi: Pi) -> None:
    pi.renew()
    old = pi.files()
    answer = pi.answer()
    pair = pi.pair()
    pair.take(Certificate(certificate=answer))
    assert pi.works()
    assert pi.files() == {
        "room.crt": answer.encode(),
        "room.key": old["room.key.next"],
        "room.crt.old": old["room.crt"],
        "room.key.old": old["room.key"],
    }
    assert pair.is_new
    assert pair.request() is None
    assert {path.stat().st_mode & 0o777 for path in pi.folder.glob("room.key*")} == {0o600}
    pair.settle()
    assert sorted(pi.files()) == ["room.crt", "room.key"]
    assert not pair.is_new


def test_a_new_pair_that_does_not_connect_gives_way_to_the_old_one(pi: Pi) -> None:
    old = pi.files()
    pi.renew()
    pair = pi.pair()
    pair.take(Certificate(certificate=pi.answer()))
    pair.go_back()
    assert pi.files() == old
    assert pi.works()
    assert pi.renew().returncode == 0
    assert pair.request() is not None


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_any_step_the_next_process_ends_it(pi: Pi, step: str) -> None:
    pi.renew()
    old, answer = pi.files(), pi.answer()
    with pytest.raises(Killed):
        pi.pair(step).take(Certificate(certificate=answer))
    pi.pair().repair()
    assert pi.works()
    assert pi.identity.certificate.read_text() == answer
    pair = pi.pair()
    assert pair.is_new
    assert pair.request() is None
    pair.go_back()
    assert {name: pi.files()[name] for name in ("room.crt", "room.key")} == {
        name: old[name] for name in ("room.crt", "room.key")
    }


def test_killed_on_the_way_back_the_next_process_ends_it(pi: Pi) -> None:
    old = pi.files()
    pi.renew()
    pi.pair().take(Certificate(certificate=pi.answer()))
    with pytest.raises(Killed):
        pi.pair("old certificate back").go_back()
    pi.pair().repair()
    assert pi.works()
    assert pi.files() == old


@pytest.mark.parametrize("step", STEPS)
def test_killed_again_while_it_is_repaired_nothing_is_lost(pi: Pi, step: str) -> None:
    for again in STEPS:
        pi.renew()
        answer = pi.answer()
        with pytest.raises(Killed):
            pi.pair(step).take(Certificate(certificate=answer))
        try:
            pi.pair(again).repair()
        except Killed:
            pi.pair().repair()
        assert pi.works()
        assert pi.identity.certificate.read_text() == answer
        pi.pair().go_back()


def test_a_pair_that_is_whole_needs_no_repair(pi: Pi) -> None:
    before = pi.files()
    pi.pair().repair()
    assert pi.files() == before
    pi.renew()
    waiting = pi.files()
    pi.pair().repair()
    assert pi.files() == waiting


def foreign(pi: Pi, csr: str) -> str:
    return pi.sign(csr, vault="another")


def old_one(pi: Pi, csr: str) -> str:
    return pi.sign(csr, now=NOW - dt.timedelta(days=LEAF_DAYS + 1))


def of_the_future(pi: Pi, csr: str) -> str:
    return pi.sign(csr, now=NOW + dt.timedelta(days=1))


def anothers(pi: Pi, csr: str) -> str:
    return pi.sign(csr, name="kitchen")


def for_the_old_key(pi: Pi, _csr: str) -> str:
    return pi.identity.certificate.read_text()


def rubbish(_pi: Pi, _csr: str) -> str:
    return "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"


@pytest.mark.parametrize("made", [foreign, old_one, of_the_future, anothers, for_the_old_key, rubbish])
def test_a_certificate_that_would_not_do_changes_nothing(pi: Pi, made: object) -> None:
    pi.renew()
    before = pi.files()
    csr = pi.pair().request()
    with pytest.raises(HomeError, match=r"The new certificate (cannot be used|is for kitchen)"):
        pi.pair().take(Certificate(certificate=made(pi, csr)))  # type: ignore[operator]  # one of those above
    assert pi.files() == before
    pi.pair().take(Certificate(certificate=pi.answer()))
    assert pi.works()


def test_without_a_waiting_key_no_certificate_is_taken(pi: Pi) -> None:
    with pytest.raises(HomeError, match="No key waits"):
        pi.pair().take(Certificate(certificate="anything"))


FOLLOWING = ("certificate written", "authorities written", "old pair kept", "authorities moved", *STEPS[2:])


def following(folder: Path) -> Pi:
    """A room with a request, whose hub has another authority for rooms."""
    pi = Pi(folder)
    pi.rotate("begin", "sign")
    pi.renew()
    return pi


def test_another_authority_is_believed_where_the_one_of_before_vouches_for_it(tmp_path: Path) -> None:
    pi = following(tmp_path)
    (former,) = pi.believed()
    pi.pair().take(pi.follow())
    assert pi.works()
    assert pi.believed() == fingerprints(tmp_path / "hub" / "device-ca.crt")
    assert former in pi.believed()
    pi.pair().go_back()
    assert pi.believed() == (former,)
    assert pi.works()


def test_one_that_has_ended_is_believed_no_longer(tmp_path: Path) -> None:
    pi = following(tmp_path)
    pi.pair().take(pi.follow())
    pi.pair().settle()
    follows, _ = pi.believed()
    pi.rotate("serve", "end")
    pi.pair().ask_early(due=True)
    pi.renew()
    pi.pair().take(pi.follow())
    assert pi.believed() == (follows,)
    assert pi.works()
    assert sorted(path.name for path in tmp_path.glob("ca.crt*")) == ["ca.crt", "ca.crt.old"]


@pytest.mark.parametrize("step", FOLLOWING)
def test_killed_at_any_step_pair_and_authorities_fit(tmp_path: Path, step: str) -> None:
    pi = following(tmp_path)
    (former,) = pi.believed()
    answer = pi.follow()
    with pytest.raises(Killed):
        pi.pair(step).take(answer)
    pi.pair().repair()
    assert pi.works()
    if step == "certificate written":
        # What vouches for the authority was not on the card: the request waits, and is sent again.
        assert pi.believed() == (former,)
        assert pi.pair().request() is not None
        pi.pair().take(answer)
    assert len(pi.believed()) == 2
    assert pi.identity.certificate.read_text() == answer.certificate
    with pytest.raises(Killed):
        pi.pair("old authorities back").go_back()
    pi.pair().repair()
    pi.pair().go_back()
    assert pi.believed() == (former,)
    assert pi.works()


def stranger(folder: Path) -> Pi:
    """Somebody with an authority of their own, under our authority's name, and a word of it for another."""
    other = Pi(folder)
    other.rotate("begin", "sign")
    return other


def test_an_authority_for_which_nobody_vouches_changes_nothing(tmp_path: Path) -> None:
    pi = following(tmp_path / "pi")
    other = stranger(tmp_path / "other")
    shutil.copytree(other.folder / "vault", pi.folder / "strange")
    before, believed = pi.files(), pi.believed()
    ours, theirs = pi.follow(), pi.follow(vault="strange")
    for forged in (
        theirs,
        msgspec.structs.replace(theirs, voucher=ours.voucher),
        msgspec.structs.replace(theirs, voucher=None),
        msgspec.structs.replace(theirs, authorities=(*theirs.authorities, *ours.authorities), voucher=ours.voucher),
        msgspec.structs.replace(theirs, authorities=ours.authorities),
        msgspec.structs.replace(ours, voucher=theirs.voucher),
        msgspec.structs.replace(ours, voucher=None),
        msgspec.structs.replace(ours, voucher="no certificate"),
        msgspec.structs.replace(ours, authorities=("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",)),
    ):
        with pytest.raises(HomeError):
            pi.pair().take(forged)
        assert pi.files() == before
        assert pi.believed() == believed
    # A foreign one beside those that are vouched for is passed over, and the rest taken.
    pi.pair().take(msgspec.structs.replace(ours, authorities=(*ours.authorities, theirs.authorities[0])))
    assert pi.believed() == fingerprints(pi.folder / "hub" / "device-ca.crt")
    assert not list(pi.folder.glob("*.chain"))


def test_a_certificate_of_a_room_vouches_for_nobody(tmp_path: Path) -> None:
    """Whoever has a stolen Pi has a certificate of ours and its key: to sign for an authority with it is in vain."""
    pi = following(tmp_path / "pi")
    stolen = pi.identity.certificate.read_text()
    other = stranger(tmp_path / "other")
    shutil.copytree(other.folder / "vault", pi.folder / "strange")
    before = pi.files()
    with pytest.raises(HomeError):
        pi.pair().take(msgspec.structs.replace(pi.follow(vault="strange"), voucher=stolen))
    assert pi.files() == before


def test_the_script_asks_before_its_time_where_the_agent_left_word(tmp_path: Path) -> None:
    pi = Pi(tmp_path, age=1)
    assert "nothing to do" in pi.renew().stdout
    assert pi.pair().request() is None
    pi.pair().ask_early(due=True)
    pi.pair().ask_early(due=True)
    assert "waits" in pi.renew().stdout
    assert pi.pair().request() is not None
    pi.pair().ask_early(due=False)
    assert not pi.pair().due.exists()
