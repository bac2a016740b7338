"""The file for an app: OpenSSL opens it with the passphrase alone, and it is sealed as old phones read it."""

import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization

from deploy.pki import leaf as leaves
from deploy.pki.authorities import Authorities
from gateway.desk import pkcs12

PASSPHRASE = "kqzfmwhtbnrd"


def openssl(path: Path, *words: str, passphrase: str = PASSPHRASE) -> "subprocess.CompletedProcess[str]":
    command = ["openssl", "pkcs12", "-in", str(path), "-passin", f"pass:{passphrase}", *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("p12")
    authorities = Authorities(folder / "vault", demo=True, now=datetime.now(UTC))
    authorities.ensure(["hub.home.arpa"])
    pair = pkcs12.make()
    certificate = authorities.sign(leaves.client("tablet", "client"), pair.request.encode())
    (folder / "tablet.crt").write_bytes(certificate)
    content = pkcs12.packed(
        pair,
        name="tablet",
        certificate=certificate.decode(),
        authority=authorities.certificate("device-ca").decode(),
        passphrase=PASSPHRASE,
    )
    (folder / "tablet.p12").write_bytes(content)
    return folder / "tablet.p12"


def test_it_has_key_certificate_and_authority_and_these_belong_together(made: Path) -> None:
    key = openssl(made, "-nodes", "-nocerts").stdout
    certificate = openssl(made, "-nokeys", "-clcerts").stdout
    authority = openssl(made, "-nokeys", "-cacerts").stdout
    assert "friendlyName: tablet" in certificate
    own = x509.load_pem_x509_certificate(certificate.encode())
    assert own == x509.load_pem_x509_certificate(made.with_suffix(".crt").read_bytes())
    assert serialization.load_pem_private_key(key.encode(), None).public_key() == own.public_key()
    own.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.encode()))


def test_it_is_sealed_as_every_phone_reads_it_and_the_way_that_openssl_reads_without_being_told(made: Path) -> None:
    told = openssl(made, "-info", "-noout").stderr
    assert "MAC: sha1, " in told
    assert told.count("pbeWithSHA1And3-KeyTripleDES-CBC, ") == 2, "key and certificates"


def test_another_passphrase_opens_nothing(made: Path) -> None:
    for passphrase in ("", PASSPHRASE.upper(), "kqzf mwht bnrd"):
        assert openssl(made, "-nodes", passphrase=passphrase).returncode != 0


def test_each_has_another_key() -> None:
    assert pkcs12.make().request != pkcs12.make().request
