"""A device authority is followed by another: who signs for whom, what is believed, and what a power cut leaves."""

import datetime as dt
import ssl
import subprocess
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from deploy.pki import authorities as authorities_module
from deploy.pki import building, index, leaf, reading, rotation
from deploy.pki.authorities import Authorities
from deploy.pki.leaf import DEVICE_CA
from deploy.pki.rotation import NEXT, RECORD
from shared.running.config import ConfigError
from shared.trust import revoked
from shared.trust.signing import Phase, Step
from shared.words.problem import HomeError

NOW = dt.datetime.now(dt.UTC)
STEPS: tuple[Step, ...] = ("begin", "sign", "serve", "end")
HALL, BROKER = leaf.client("hall", "room"), leaf.server("broker", "service", ["hub.local"])


class KilledError(BaseException):
    """As kill -9 would: nothing of ours catches it."""


class Vault:
    """A vault with its authorities, at one moment."""

    def __init__(self, folder: Path, now: dt.datetime = NOW) -> None:
        self.folder = folder
        self.authorities = Authorities(folder, demo=False, now=now)
        self.authorities.ensure(["hub.local"])

    def sign(self, what: leaf.Leaf, *, former: bool = False) -> x509.Certificate:
        request = x509.CertificateSigningRequestBuilder().subject_name(leaf.subject("x"))
        key = ec.generate_private_key(ec.SECP256R1())
        csr = request.sign(key, hashes.SHA256()).public_bytes(Encoding.PEM)
        return x509.load_pem_x509_certificate(self.authorities.sign(what, csr, former=former))

    def believed(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.authorities.certificate(DEVICE_CA))

    def serials_on_lists(self) -> frozenset[int]:
        path = self.folder.parent / "crl.pem"
        path.write_bytes(self.authorities.crl())
        return revoked.read(path).serials


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def test_each_step_has_the_one_that_follows_sign_for_more_and_the_last_leaves_it_alone(vault: Vault) -> None:
    (former,) = vault.believed()
    assert vault.authorities.following().phase is None
    assert vault.authorities.voucher() == b""

    assert vault.authorities.rotate("begin")
    first, follows = vault.believed()
    assert (first, vault.authorities.following().phase) == (former, Phase.BELIEVED)
    assert reading.is_signed_by(vault.sign(HALL), former)  # the broker does not believe the other yet

    assert vault.authorities.rotate("sign")
    assert vault.believed() == [follows, former]
    assert reading.is_signed_by(vault.sign(HALL), follows)
    assert reading.is_signed_by(vault.sign(HALL, former=True), former)
    assert reading.is_signed_by(vault.sign(BROKER), former)  # not everybody believes the other yet

    assert vault.authorities.rotate("serve")
    assert reading.is_signed_by(vault.sign(BROKER), follows)
    assert vault.authorities.rotate("end")
    assert vault.believed() == [follows]
    assert reading.is_signed_by(vault.sign(HALL), follows)
    (kept,) = (vault.folder / RECORD).iterdir()
    assert reading.certificate(kept) == former
    assert not any(
        reading.belong_together(reading.private_key(key), former)
        for key in vault.folder.rglob("*")
        if key.suffix == ".key"
    )


def test_a_step_taken_twice_is_nothing_and_none_is_left_out(vault: Vault) -> None:
    refused: tuple[Step, ...] = ("sign", "serve")
    for step in refused:
        with pytest.raises(HomeError):
            vault.authorities.rotate(step)
    assert not vault.authorities.rotate("end")
    for number, step in enumerate(STEPS[:3]):
        assert vault.authorities.rotate(step)
        assert [vault.authorities.rotate(again) for again in STEPS[: number + 1]] == [False] * (number + 1)
        if step != "serve":
            with pytest.raises(HomeError, match="does not sign for the servers yet"):
                vault.authorities.rotate("end")


def test_the_voucher_is_what_those_who_believe_the_former_alone_can_check(vault: Vault, tmp_path: Path) -> None:
    """With openssl, as strictly as it can: the former's path has no place for another authority, and needs none."""
    for step in STEPS[:2]:
        vault.authorities.rotate(step)
    follows, former = vault.believed()
    files = {"former": former, "follows": follows, "hall": vault.sign(HALL)}
    for name, certificate in files.items():
        (tmp_path / name).write_bytes(building.pem(certificate))
    (tmp_path / "voucher").write_bytes(vault.authorities.voucher())

    def verified(*arguments: str) -> bool:
        command = ["openssl", "verify", "-x509_strict", "-CAfile", "former", *arguments, "hall"]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, check=False).returncode == 0

    assert verified("-untrusted", "voucher")
    assert not verified()
    assert not verified("-untrusted", "follows")


def test_what_was_taken_back_is_on_the_list_of_whoever_signed_it(vault: Vault) -> None:
    old = vault.sign(leaf.client("phone", "client"))
    for step in STEPS[:2]:
        vault.authorities.rotate(step)
    new = vault.sign(leaf.client("tablet", "client"))
    vault.authorities.revoke("phone")
    vault.authorities.revoke("tablet")
    assert vault.serials_on_lists() == {old.serial_number, new.serial_number}
    path = vault.folder.parent / "crl.pem"
    by_authority = {
        number: [
            entry.serial_number
            for listed in reading.revocation_lists(path)
            if reading.is_list_of(listed, one)
            for entry in listed
        ]
        for number, one in enumerate(vault.believed())
    }
    assert by_authority == {0: [new.serial_number], 1: [old.serial_number]}
    vault.authorities.rotate("serve")
    vault.authorities.rotate("end")
    assert new.serial_number in vault.serials_on_lists()
    assert len(reading.revocation_lists(path)) == 1


def test_holders_are_those_who_have_something_of_the_former_that_is_still_good(vault: Vault) -> None:
    vault.sign(HALL)
    vault.sign(leaf.client("attic", "room"))
    vault.sign(leaf.client("phone", "client"))
    vault.sign(leaf.client("gone", "client"))
    vault.authorities.revoke("gone")
    for step in STEPS[:2]:
        vault.authorities.rotate(step)
    hall = vault.sign(HALL)
    vault.sign(leaf.client("phone", "client"))
    vault.authorities.replace("phone")
    vault.sign(leaf.client("porch", "room"))
    told = vault.authorities.following()
    assert {(one.name, one.role, one.serials) for one in told.holders} == {
        ("attic", "room", ()),
        ("hall", "room", (f"{hall.serial_number:X}",)),
    }
    assert told.ends == vault.believed()[1].not_valid_after_utc
    assert told.since is not None
    assert abs(told.since - NOW) < dt.timedelta(seconds=2)


def test_whoever_was_left_behind_has_nothing_that_is_good_and_keeps_its_name(vault: Vault) -> None:
    vault.sign(leaf.client("attic", "room"))
    for step in STEPS:
        vault.authorities.rotate(step)
    (end,) = [end for end in vault.authorities.ends() if end.name == "attic"]
    assert end.at <= NOW
    assert reading.is_signed_by(vault.sign(leaf.client("attic", "room")), vault.believed()[0])
    vault.authorities.revoke("attic")
    for step in STEPS:
        vault.authorities.rotate(step)
    with pytest.raises(HomeError, match="for good"):
        vault.sign(leaf.client("attic", "room"))


def test_an_authority_may_be_followed_again_and_again(vault: Vault) -> None:
    seen = vault.believed()
    for _ in range(3):
        for step in STEPS:
            assert vault.authorities.rotate(step)
        seen += vault.believed()
        vault.sign(HALL)
        assert vault.authorities.following().holders == ()
    assert len({building.key_id(each) for each in seen}) == 4
    assert len({each.subject for each in seen}) == 1
    assert len(list((vault.folder / RECORD).iterdir())) == 3


@pytest.fixture
def kills(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """Dies before the change of the disk whose number is `at`; counts them."""
    state = {"count": 0, "at": 0}

    def counted(change: object) -> object:
        def changed(*arguments: object, **named: object) -> object:
            state["count"] += 1
            if state["count"] == state["at"]:
                raise KilledError
            return change(*arguments, **named)  # type: ignore[operator]  # whichever it is

        return changed

    for module in (authorities_module, rotation, index):
        monkeypatch.setattr(module, "write", counted(module.write))
    monkeypatch.setattr(Path, "unlink", counted(Path.unlink))
    monkeypatch.setattr(Path, "replace", counted(Path.replace))
    return state


@pytest.mark.parametrize("step", STEPS)
def test_a_power_cut_at_any_change_of_the_disk_is_finished_by_the_same_step_again(
    tmp_path: Path, kills: dict[str, int], step: Step
) -> None:
    for at in range(1, 100):
        kills["at"] = 0
        vault = Vault(tmp_path / str(at))
        lost = vault.sign(leaf.client("lost", "client"))
        vault.authorities.revoke("lost")
        for before in STEPS[: STEPS.index(step)]:
            vault.authorities.rotate(before)
        believed = set(vault.believed())
        kills["count"], kills["at"] = 0, at
        try:
            vault.authorities.rotate(step)
        except KilledError:
            kills["at"] = 0
        else:
            assert at > (1 if step in ("sign", "serve") else 3)
            return
        again = Vault(vault.folder)
        # In between: it signs, and whoever was taken back stays so as long as its authority is believed.
        assert any(reading.is_signed_by(again.sign(HALL), one) for one in again.believed())
        assert set(again.believed()) >= believed or len(again.believed()) == 1
        if len(again.believed()) == 2 or step == "begin":
            assert lost.serial_number in again.serials_on_lists()
        again.authorities.rotate(step)
        phases = {"begin": Phase.BELIEVED, "sign": Phase.SIGNING, "serve": Phase.SERVING, "end": None}
        assert again.authorities.following().phase is phases[step]
        assert len(again.believed()) == (1 if step == "end" else 2)
        if step == "end":
            assert not list(vault.folder.glob(f"{NEXT}*"))
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_cert_chain(vault.folder / f"{DEVICE_CA}.crt", vault.folder / f"{DEVICE_CA}.key")
    raise AssertionError("it never came to its end")


def test_a_vault_whose_following_key_is_lost_says_so(vault: Vault) -> None:
    vault.authorities.rotate("begin")
    (vault.folder / f"{NEXT}.key").unlink()
    with pytest.raises(ConfigError, match=r"restore .* from a backup"):
        vault.authorities.following()
