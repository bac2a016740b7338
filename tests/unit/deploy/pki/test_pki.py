"""The authorities: what they sign, what they refuse to vouch for, and what a revocation leaves behind."""

import base64
import datetime as dt
import shutil
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from deploy.pki import leaf
from deploy.pki.authorities import CRL_DAYS, LEAF_DAYS, Authorities
from deploy.pki.pairs import RENEW_DAYS, Pki
from deploy.pki.vaulted import CA_DAYS
from shared.running.config import ConfigError
from shared.words.problem import HomeError

NOW = dt.datetime(2026, 3, 1, 12, tzinfo=dt.UTC)
HOSTS = ["hub.local", "127.0.0.1"]


def authority(folder: Path, *, days: float = 0, demo: bool = True) -> Pki:
    made = Pki(folder, vault=folder / "ca", demo=demo, now=NOW + dt.timedelta(days=days))
    made.ensure_authorities(HOSTS)
    return made


def certificate(path: Path) -> x509.Certificate:
    return x509.load_pem_x509_certificate(path.read_bytes())


def crl(folder: Path) -> x509.CertificateRevocationList:
    return x509.load_pem_x509_crl((folder / "crl.pem").read_bytes())


def test_a_client_certificate_names_identity_and_role_and_serves_nobody(tmp_path: Path) -> None:
    authority(tmp_path).ensure_client("hall", "room")
    made = certificate(tmp_path / "hall.crt")
    assert made.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "hall"
    usage = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.UniformResourceIdentifier) == ["urn:homesystem:role:room"]
    assert made.not_valid_after_utc - NOW == dt.timedelta(days=LEAF_DAYS)
    made.verify_directly_issued_by(certificate(tmp_path / "device-ca.crt"))


def test_keys_are_for_their_owner_alone_and_authorities_lie_apart(tmp_path: Path) -> None:
    authority(tmp_path).ensure_client("hall", "room")
    assert stat.S_IMODE((tmp_path / "hall.key").stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "ca").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "ca" / "device-ca.key").stat().st_mode) == 0o600


def test_demo_authorities_say_so(tmp_path: Path) -> None:
    authority(tmp_path / "demo")
    authority(tmp_path / "real", demo=False)
    assert "DEMO" in certificate(tmp_path / "demo" / "web-ca.crt").subject.rfc4514_string()
    assert "DEMO" not in certificate(tmp_path / "real" / "device-ca.crt").subject.rfc4514_string()


def test_the_web_authority_is_held_to_the_hubs_names(tmp_path: Path) -> None:
    authority(tmp_path).ensure_web(HOSTS)
    constraints = certificate(tmp_path / "web-ca.crt").extensions.get_extension_for_class(x509.NameConstraints)
    assert constraints.critical
    assert constraints.value.permitted_subtrees is not None
    assert {str(n.value) for n in constraints.value.permitted_subtrees} == {"hub.local", "127.0.0.1/32"}
    certificate(tmp_path / "web.crt").verify_directly_issued_by(certificate(tmp_path / "web-ca.crt"))


def test_a_certificate_is_kept_until_thirty_days_before_its_end(tmp_path: Path) -> None:
    assert authority(tmp_path).ensure_client("hall", "room")
    first = certificate(tmp_path / "hall.crt").serial_number
    assert not authority(tmp_path, days=LEAF_DAYS - RENEW_DAYS - 1).ensure_client("hall", "room")
    assert authority(tmp_path, days=LEAF_DAYS - RENEW_DAYS + 1).ensure_client("hall", "room")
    assert certificate(tmp_path / "hall.crt").serial_number != first


def test_an_older_index_takes_over_what_was_signed_and_revoked_since(tmp_path: Path) -> None:
    now = authority(tmp_path / "now")
    for name in ("hall", "kitchen", "garage"):
        now.ensure_client(name, "room")
    shutil.copytree(tmp_path / "now" / "ca", tmp_path / "then")
    now.revoke("kitchen")
    now.ensure_client("cellar", "room")
    then = Authorities(tmp_path / "then", demo=True, now=NOW)
    then.revoke("garage")
    then.take_over(Authorities(tmp_path / "now" / "ca", demo=True, now=NOW).issued())
    newest = {line.name: line for line in then.newest()}
    assert {name for name, line in newest.items() if line.gone} == {"kitchen", "garage"}
    assert newest["cellar"].serial == certificate(tmp_path / "now" / "cellar.crt").serial_number
    listed = {entry.serial_number for entry in x509.load_pem_x509_crl(then.crl())}
    assert certificate(tmp_path / "now" / "kitchen.crt").serial_number in listed


def test_the_revocation_list_is_there_from_the_first_day_and_renewed(tmp_path: Path) -> None:
    authority(tmp_path)
    assert list(crl(tmp_path)) == []
    assert crl(tmp_path).next_update_utc == NOW + dt.timedelta(days=CRL_DAYS)
    authority(tmp_path, days=3)
    assert crl(tmp_path).next_update_utc == NOW + dt.timedelta(days=CRL_DAYS + 3)


def test_what_was_revoked_is_made_anew_for_a_service_and_for_nobody_else(tmp_path: Path) -> None:
    """A room or client may live on another machine by now, which would be thrown out."""
    made = authority(tmp_path)
    made.ensure_client("auth", "service")
    made.ensure_client("hall", "room")
    made.retire("auth")
    made.retire("hall")
    assert made.ensure_client("auth", "service")
    assert not made.ensure_client("auth", "service")
    assert not made.ensure_client("hall", "room")


def test_revoking_lists_every_certificate_of_a_name_and_no_other(tmp_path: Path) -> None:
    made = authority(tmp_path)
    for name in ("hall", "kitchen"):
        made.ensure_client(name, "room")
    later = authority(tmp_path, days=80)
    later.ensure_client("hall", "room")
    assert later.revoke("hall") == 2
    assert later.revoke("hall") == 0
    serials = {entry.serial_number for entry in crl(tmp_path)}
    assert certificate(tmp_path / "hall.crt").serial_number in serials
    assert certificate(tmp_path / "kitchen.crt").serial_number not in serials
    authority(tmp_path, days=81)
    assert len(list(crl(tmp_path))) == 2


def test_a_lost_authority_key_is_named(tmp_path: Path) -> None:
    made = authority(tmp_path)
    (tmp_path / "ca" / "device-ca.key").unlink()
    with pytest.raises(ConfigError, match=r"device-ca\.key: the authority cannot be used"):
        made.ensure_client("hall", "room")


def request(key: PrivateKeyTypes, name: str) -> bytes:
    builder = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    signed = builder.sign(key, hashes.SHA256())  # type: ignore[arg-type]  # the kinds of key that tests make can sign
    return signed.public_bytes(Encoding.PEM)


def test_a_request_gives_the_key_alone(tmp_path: Path) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    made = authority(tmp_path)
    signed = made.authorities.sign(leaf.client("hall", "room"), request(key, "admin"))
    (tmp_path / "hall.crt").write_bytes(signed)
    got = certificate(tmp_path / "hall.crt")
    assert got.public_key() == key.public_key()
    assert got.subject.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "hall"
    assert not got.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    assert made.revoke("hall") == 1


def as_pem(der: bytes) -> bytes:
    inside = base64.encodebytes(der)
    return b"-----BEGIN CERTIFICATE REQUEST-----\n" + inside + b"-----END CERTIFICATE REQUEST-----\n"


def test_a_request_with_another_kind_of_key_or_a_foreign_signature_is_refused(tmp_path: Path) -> None:
    authorities = authority(tmp_path).authorities
    wanted = leaf.client("hall", "room")
    for key in (rsa.generate_private_key(65537, 3072), ec.generate_private_key(ec.SECP384R1())):
        with pytest.raises(HomeError, match="P-256"):
            authorities.sign(wanted, request(key, "hall"))
    good = x509.load_pem_x509_csr(request(ec.generate_private_key(ec.SECP256R1()), "hall")).public_bytes(Encoding.DER)
    with pytest.raises(HomeError, match="signed by its own key"):
        authorities.sign(wanted, as_pem(good[:-1] + bytes([good[-1] ^ 1])))
    with pytest.raises(HomeError, match="no signing request: 38 is not a valid CSR version"):
        authorities.sign(wanted, as_pem(good.replace(b"\x02\x01\x00", b"\x02\x01\x26", 1)))
    with pytest.raises(HomeError, match="no signing request"):
        authorities.sign(wanted, b"nonsense")


def test_an_older_homes_authorities_stay_what_they_are(tmp_path: Path) -> None:
    authority(tmp_path)
    first = (tmp_path / "device-ca.crt").read_bytes()
    for name in ("device-ca", "web-ca"):
        (tmp_path / "ca" / f"{name}.crt").unlink()  # older versions kept the keys alone there
    authority(tmp_path, days=1).ensure_client("hall", "room")
    assert (tmp_path / "device-ca.crt").read_bytes() == first
    (tmp_path / "device-ca.crt").unlink()
    authority(tmp_path, days=2)
    assert (tmp_path / "device-ca.crt").read_bytes() == first


def test_the_vault_may_lie_elsewhere(tmp_path: Path) -> None:
    made = Pki(tmp_path / "pki", vault=tmp_path / "vault", demo=True, now=NOW)
    made.ensure_authorities(HOSTS)
    assert made.ensure_web(HOSTS)
    assert sorted(path.name for path in (tmp_path / "vault").iterdir()) == [
        "device-ca.crt",
        "device-ca.key",
        "issued.json",
        "lock",
        "web-ca.crt",
        "web-ca.key",
    ]
    assert not list((tmp_path / "pki").glob("*ca.key"))


def test_a_name_that_was_taken_back_stays_known_when_all_its_certificates_have_ended(tmp_path: Path) -> None:
    authority(tmp_path).ensure_client("hall", "room")
    authority(tmp_path, days=1).revoke("hall")
    later = authority(tmp_path, days=5000)
    later.ensure_client("kitchen", "room")
    assert isinstance(later.authorities, Authorities)
    (gone,) = [line for line in later.authorities.issued() if line.name == "hall"]
    assert gone.gone
    assert list(crl(tmp_path)) == []  # what has ended needs no place on the list


def test_what_was_replaced_is_revoked_and_the_newest_stays_good(tmp_path: Path) -> None:
    made = authority(tmp_path)
    made.ensure_client("hall", "room", folder=tmp_path / "old")
    made.ensure_client("hall", "room", folder=tmp_path / "new")
    assert made.replace("hall") == 1
    assert made.replace("hall") == 0
    old = certificate(tmp_path / "old" / "hall.crt")
    assert {entry.serial_number for entry in crl(tmp_path)} == {old.serial_number}
    assert isinstance(made.authorities, Authorities)
    assert not any(line.gone for line in made.authorities.issued())


def test_whom_another_machine_is_awaited_for_has_nothing_good_and_keeps_the_name(tmp_path: Path) -> None:
    made = authority(tmp_path)
    for folder in ("one", "two"):
        made.ensure_client("hall", "room", folder=tmp_path / folder)
    assert made.retire("hall") == 2
    assert made.retire("hall") == 0
    olds = {certificate(tmp_path / folder / "hall.crt").serial_number for folder in ("one", "two")}
    assert {entry.serial_number for entry in crl(tmp_path)} == olds
    assert [end.name for end in made.authorities.ends() if end.role == "room"] == []
    made.ensure_client("hall", "room", folder=tmp_path / "three")
    assert {entry.serial_number for entry in crl(tmp_path)} == olds
    assert [end.name for end in made.authorities.ends() if end.role == "room"] == ["hall"]


def test_ends_are_told_of_the_newest_of_each_name_that_stands(tmp_path: Path) -> None:
    made = authority(tmp_path)
    for name in ("hall", "kitchen"):
        made.ensure_client(name, "room")
    made.ensure_web(HOSTS)
    later = authority(tmp_path, days=40)
    later.ensure_client("hall", "room")
    later.revoke("kitchen")
    assert isinstance(later.authorities, Authorities)
    ends = {(end.name, end.role): (end.at - NOW).days for end in later.authorities.ends()}
    assert ends == {
        ("hall", "room"): LEAF_DAYS + 40,
        ("hub.local", ""): LEAF_DAYS,
        ("device-ca", "authority"): CA_DAYS,
        ("web-ca", "authority"): CA_DAYS,
    }


@pytest.mark.parametrize(
    ("hosts", "fine"),
    [
        (["hub.local"], True),
        (["hub.local", "127.0.0.1"], True),
        (["a.hub.local"], True),
        (["HUB.local"], False),
        (["xhub.local"], False),
        (["local"], False),
        (["hub.local", "127.0.0.2"], False),
        (["other.local"], False),
        (["::1"], False),
    ],
)
def test_the_web_authority_signs_for_nobody_whom_browsers_would_refuse(
    tmp_path: Path, hosts: list[str], *, fine: bool
) -> None:
    made = authority(tmp_path)
    assert leaf.permits(certificate(tmp_path / "web-ca.crt"), hosts) is fine
    if fine:
        made.ensure_web(hosts)
        return
    with pytest.raises(HomeError, match="may vouch for"):
        made.ensure_web(hosts)
    assert not (tmp_path / "web.crt").exists()


def test_another_name_gets_an_authority_of_its_own_and_the_first_stays(tmp_path: Path) -> None:
    first = authority(tmp_path)
    first.ensure_web(HOSTS)
    before = certificate(tmp_path / "web-ca.crt")
    other = ["new.local", "127.0.0.1"]
    first.ensure_authorities(other)
    assert first.ensure_web(other)
    assert leaf.permitted_names(certificate(tmp_path / "web-ca.crt")) == ["new.local"]
    assert certificate(tmp_path / "web-ca.crt").subject != before.subject
    assert first.ensure_former(["hub.local"]) == ["web for hub.local"]
    assert first.ensure_former(["hub.local"]) == []
    assert certificate(tmp_path / "former" / "hub.local" / "web-ca.crt") == before
    certificate(tmp_path / "former" / "hub.local" / "web.crt").verify_directly_issued_by(before)
    first.ensure_authorities(HOSTS)
    assert certificate(tmp_path / "web-ca.crt") == before
    assert first.ensure_former([]) == []
    assert list((tmp_path / "former").iterdir()) == []


def test_a_pair_of_another_authority_is_made_anew(tmp_path: Path) -> None:
    authority(tmp_path / "a").ensure_web(HOSTS)
    made = authority(tmp_path / "b")
    for name in ("web.crt", "web.key"):
        (tmp_path / "b" / name).write_bytes((tmp_path / "a" / name).read_bytes())
    assert made.ensure_web(HOSTS)
    certificate(tmp_path / "b" / "web.crt").verify_directly_issued_by(certificate(tmp_path / "b" / "web-ca.crt"))


def test_the_end_of_a_certificate_for_a_name_that_the_hub_gave_up_concerns_nobody(tmp_path: Path) -> None:
    made, other = authority(tmp_path), ["new.local", "127.0.0.1"]
    made.ensure_web(HOSTS)

    def told() -> set[str]:
        return {end.name for end in made.authorities.ends() if end.role == ""}

    assert told() == {"hub.local"}
    made.ensure_authorities(other, ["hub.local"])
    made.ensure_web(other)
    made.ensure_former(["hub.local"])
    assert told() == {"new.local", "hub.local"}
    made.ensure_authorities(other)
    assert told() == {"new.local"}
    made.ensure_authorities(HOSTS, ["new.local"])
    made.ensure_web(HOSTS)
    assert told() == {"new.local", "hub.local"}
