"""Another web authority follows: for which names, who signs meanwhile, and what a power cut leaves in the vault."""

import datetime as dt
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from deploy.pki import leaf, reading
from deploy.pki.authorities import Authorities
from deploy.pki.leaf import WEB_CA
from deploy.pki.rotation import RECORD
from shared.running.config import ConfigError
from shared.trust.signing import Phase, WebStep
from shared.words.problem import HomeError
from tests import killed

NOW = dt.datetime.now(dt.UTC)
LATER = NOW.replace(microsecond=0) + dt.timedelta(days=30)
STEPS: tuple[WebStep, ...] = ("begin", "serve", "end")
HOSTS = ("hub.local", "localhost", "127.0.0.1")


class Vault:
    """A vault with its authorities, at one moment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.own = Authorities(folder, demo=False, now=NOW)
        self.own.ensure(HOSTS)

    def sign(self) -> x509.Certificate:
        key = ec.generate_private_key(ec.SECP256R1())
        request = x509.CertificateSigningRequestBuilder().subject_name(leaf.subject("x")).sign(key, hashes.SHA256())
        return x509.load_pem_x509_certificate(self.own.sign(leaf.web(HOSTS), request.public_bytes(Encoding.PEM)))

    def believed(self) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates(self.own.certificate(WEB_CA, HOSTS))

    def rotate(self, step: WebStep) -> bool:
        return self.own.rotate_web(step, HOSTS, LATER if step == "begin" else None)


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def test_the_former_signs_until_the_hub_changes_over_and_is_gone_after_the_end(vault: Vault) -> None:
    (former,) = vault.believed()
    assert vault.own.following_web(HOSTS).phase is None
    assert vault.rotate("begin")
    assert vault.believed()[0] == former
    follows = vault.believed()[1]
    told = vault.own.following_web(HOSTS)
    assert (told.phase, told.changes_at, told.ends) == (Phase.BELIEVED, LATER, former.not_valid_after_utc)
    assert x509.load_pem_x509_certificate(told.pem.encode()) == follows
    assert reading.is_signed_by(vault.sign(), former)

    assert vault.rotate("serve")
    assert vault.believed() == [follows, former]
    assert reading.is_signed_by(vault.sign(), follows)

    assert vault.rotate("end")
    assert vault.believed() == [follows]
    assert reading.is_signed_by(vault.sign(), follows)
    assert vault.own.following_web(HOSTS).phase is None
    (kept,) = (vault.folder / RECORD).iterdir()
    assert reading.certificate(kept) == former
    keys = [reading.private_key(path) for path in vault.folder.rglob("*.key")]
    assert not any(reading.belong_together(key, former) for key in keys)
    assert not list(vault.folder.glob("next-*"))


def test_it_is_for_the_names_of_the_former_alone_and_listed_under_another_name(vault: Vault) -> None:
    """Whoever may ask the signer has no authority for a bank by having one followed."""
    vault.own.rotate_web("begin", ["localhost"], LATER)
    former, follows = vault.believed()
    constraints = x509.NameConstraints
    assert follows.extensions.get_extension_for_class(constraints) == former.extensions.get_extension_for_class(
        constraints
    )
    assert former.subject == leaf.subject("Home System Web CA")
    assert follows.subject == leaf.subject("Home System Web CA 2 hub.local")
    for step in (*STEPS[1:], STEPS[0]):
        vault.rotate(step)
    assert vault.believed()[1].subject == leaf.subject("Home System Web CA 3 hub.local")
    with pytest.raises(HomeError, match=r"No authority of this home may vouch for bank\.example"):
        vault.own.rotate_web("begin", ["bank.example"], LATER)


def test_a_step_taken_twice_is_nothing_and_none_is_left_out(vault: Vault) -> None:
    with pytest.raises(HomeError, match="not where serving comes next"):
        vault.rotate("serve")
    with pytest.raises(HomeError, match="when the hub changes over"):
        vault.own.rotate_web("begin", HOSTS)
    assert not vault.rotate("end")
    assert vault.rotate("begin")
    assert not vault.rotate("begin")
    with pytest.raises(HomeError, match="does not sign for the servers yet"):
        vault.rotate("end")
    assert vault.rotate("serve")
    assert not vault.rotate("serve")
    assert not vault.own.rotate_web("begin", HOSTS, LATER + dt.timedelta(days=1)), "too late to say another day"


def test_another_day_may_be_said_until_the_hub_changes_over(vault: Vault) -> None:
    vault.rotate("begin")
    believed = vault.believed()
    sooner = LATER - dt.timedelta(days=20)
    assert vault.own.rotate_web("begin", HOSTS, sooner)
    assert vault.own.following_web(HOSTS).changes_at == sooner
    assert vault.believed() == believed


def test_each_name_of_the_hub_has_an_authority_of_its_own_that_may_be_followed(vault: Vault) -> None:
    (first,) = vault.believed()
    vault.own.ensure(["other.local", "localhost"])
    vault.own.rotate_web("begin", ["other.local"], LATER)
    assert vault.believed() == [first]
    assert len(x509.load_pem_x509_certificates(vault.own.certificate(WEB_CA, ["other.local"]))) == 2
    for step in STEPS[1:]:
        vault.own.rotate_web(step, ["other.local"])
    (other,) = x509.load_pem_x509_certificates(vault.own.certificate(WEB_CA, ["other.local"]))
    assert other == reading.certificate(vault.folder / "web-ca-2.crt")
    assert other.subject == leaf.subject("Home System Web CA 3 other.local")


def test_killed_anywhere_it_stands_where_it_stood_or_at_the_next_step(tmp_path: Path) -> None:
    def all_steps(folder: Path) -> None:
        made = Vault(folder)
        for step in STEPS:
            made.rotate(step)

    Vault(tmp_path / "count")
    _, writes = killed.at_write(lambda: all_steps(tmp_path / "count"), tmp_path / "count", 0)
    assert writes > 10
    for number in range(1, writes + 1):
        folder = tmp_path / str(number)
        (former,) = Vault(folder).believed()
        code, _ = killed.at_write(lambda: all_steps(folder), folder, number)  # noqa: B023 - done before the next
        assert code < 0
        cut = Vault(folder)
        phase = cut.own.following_web(HOSTS).phase
        assert former in cut.believed() or phase is None, number
        assert cut.sign().issuer == cut.believed()[0].subject
        if cut.believed() != [former] and phase is None:
            continue  # it had come to its end
        all_steps(folder)
        (follows,) = cut.believed()
        assert follows != former
        assert reading.is_signed_by(cut.sign(), follows)


def test_a_day_that_cannot_be_read_is_said_with_what_to_do(vault: Vault) -> None:
    vault.rotate("begin")
    (vault.folder / "next-web-ca.changes").write_text("soon")
    with pytest.raises(ConfigError, match="restore it from a backup"):
        vault.own.following_web(HOSTS)
