"""The two authorities and every certificate they sign; owns the cryptography library.

The device CA signs broker, services, rooms and clients; the web CA, name-constrained to the hub's names, signs
the gateway's HTTPS certificate alone. EC P-256; leaves live 90 days and are renewed 30 days before their end.
"""

import datetime as dt
import ipaddress
import os
from collections.abc import Iterable
from pathlib import Path

import msgspec
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from shared.config import ConfigError

CA_DAYS = 3650
LEAF_DAYS = 90
RENEW_DAYS = 30
CRL_DAYS = 30
_SKEW = dt.timedelta(minutes=10)
"""Certificates start a little in the past: a room's clock may be behind."""

Names = list[str]


class Issued(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the authority's own index: what was signed, and whether it still counts."""

    serial: int
    name: str
    role: str
    not_after: dt.datetime
    revoked_at: dt.datetime | None = None


class Pki:
    """The folder `pki/`: public files beside each identity's key, the authorities' keys apart in `ca/` (0700)."""

    def __init__(self, folder: Path, *, demo: bool, now: dt.datetime) -> None:
        self.folder = folder
        self._vault = folder / "ca"
        self._index = self._vault / "issued.json"
        self._mark = "DEMO " if demo else ""
        self._now = now

    def ensure_authorities(self, names: Names) -> None:
        """Make both authorities and the revocation list where missing. `names`: the hub's DNS names and addresses."""
        self._vault.mkdir(parents=True, exist_ok=True)
        self._vault.chmod(0o700)
        if not (self.folder / "device-ca.crt").exists():
            self._make_authority("device-ca", f"{self._mark}Home System Device CA", None)
        if not (self.folder / "web-ca.crt").exists():
            self._make_authority("web-ca", f"{self._mark}Home System Web CA", names)
        self.write_crl()

    def ensure_client(self, name: str, role: str, *, folder: Path | None = None, stem: str | None = None) -> bool:
        """A client certificate for identity `name`; True if a new one was made."""
        return self._ensure("device-ca", stem or name, name, role, [ExtendedKeyUsageOID.CLIENT_AUTH], [], folder)

    def ensure_server(self, stem: str, name: str, role: str, hosts: Names) -> bool:
        """A server certificate of the device CA for the broker or an internal service; True if a new one was made."""
        return self._ensure("device-ca", stem, name, role, [ExtendedKeyUsageOID.SERVER_AUTH], hosts, None)

    def ensure_web(self, hosts: Names) -> bool:
        """The gateway's HTTPS certificate of the web CA; True if a new one was made."""
        return self._ensure("web-ca", "web", hosts[0], None, [ExtendedKeyUsageOID.SERVER_AUTH], hosts, None)

    def revoke(self, name: str) -> int:
        """Put every certificate of `name` on the revocation list; how many there were."""
        issued = self._read_index()
        marked = [
            msgspec.structs.replace(i, revoked_at=self._now) if i.name == name and i.revoked_at is None else i
            for i in issued
        ]
        self._write_index(marked)
        self.write_crl()
        return sum(old != new for old, new in zip(issued, marked, strict=True))

    def write_crl(self) -> None:
        """Sign the revocation list anew; it is empty at first, but there from the first day."""
        key, authority = self._authority("device-ca")
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.subject)
            .last_update(self._now - _SKEW)
            .next_update(self._now + dt.timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(int(self._now.timestamp() * 1000)), critical=False)
            .add_extension(_authority_key(authority), critical=False)
        )
        for line in self._read_index():
            if line.revoked_at is not None:
                builder = builder.add_revoked_certificate(
                    x509.RevokedCertificateBuilder().serial_number(line.serial).revocation_date(line.revoked_at).build()
                )
        crl = builder.sign(key, hashes.SHA256())
        write(self.folder / "crl.pem", crl.public_bytes(serialization.Encoding.PEM), 0o644)

    def _ensure(
        self,
        authority: str,
        stem: str,
        name: str,
        role: str | None,
        usages: list[x509.ObjectIdentifier],
        hosts: Names,
        folder: Path | None,
    ) -> bool:
        folder = folder or self.folder
        path = folder / f"{stem}.crt"
        if path.exists() and (folder / f"{stem}.key").exists():
            left = _read_certificate(path).not_valid_after_utc - self._now
            if left > dt.timedelta(days=RENEW_DAYS) and _hosts_of(path) == sorted(hosts):
                return False
        key = ec.generate_private_key(ec.SECP256R1())
        certificate = self._sign(authority, key.public_key(), name, role, usages, hosts)
        write(folder / f"{stem}.key", _private_bytes(key), 0o600)
        write(path, certificate.public_bytes(serialization.Encoding.PEM), 0o644)
        return True

    def _sign(
        self,
        authority: str,
        public: ec.EllipticCurvePublicKey,
        name: str,
        role: str | None,
        usages: list[x509.ObjectIdentifier],
        hosts: Names,
    ) -> x509.Certificate:
        ca_key, ca = self._authority(authority)
        serial = x509.random_serial_number()
        not_after = self._now + dt.timedelta(days=LEAF_DAYS)
        alternatives = [_general_name(host) for host in hosts]
        if role is not None:
            alternatives.append(x509.UniformResourceIdentifier(f"urn:homesystem:role:{role}"))
        certificate = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(ca.subject)
            .public_key(public)
            .serial_number(serial)
            .not_valid_before(self._now - _SKEW)
            .not_valid_after(not_after)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(_key_usage(authority=False), critical=True)
            .add_extension(x509.ExtendedKeyUsage(usages), critical=False)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(_authority_key(ca), critical=False)
            .sign(ca_key, hashes.SHA256())
        )
        if authority == "device-ca":
            line = Issued(serial=serial, name=name, role=role or "", not_after=not_after)
            self._write_index([*self._read_index(), line])
        return certificate

    def _make_authority(self, stem: str, name: str, constrained_to: Names | None) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _SKEW)
            .not_valid_after(self._now + dt.timedelta(days=CA_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(_key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if constrained_to is not None:
            permitted = [_constraint(host) for host in constrained_to]
            builder = builder.add_extension(x509.NameConstraints(permitted, None), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        write(self._vault / f"{stem}.key", _private_bytes(key), 0o600)
        write(self.folder / f"{stem}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)

    def _authority(self, stem: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        path = self._vault / f"{stem}.key"
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
            certificate = _read_certificate(self.folder / f"{stem}.crt")
        except (OSError, ValueError) as error:
            raise ConfigError(f"{path}: the authority cannot be used ({error}); restore it from a backup") from error
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        return key, certificate

    def _read_index(self) -> list[Issued]:
        return msgspec.json.decode(self._index.read_bytes(), type=list[Issued]) if self._index.exists() else []

    def _write_index(self, issued: Iterable[Issued]) -> None:
        # What expired needs no place on the list any more.
        write(self._index, msgspec.json.encode([i for i in issued if i.not_after > self._now]), 0o600)


def write(path: Path, content: bytes, mode: int) -> None:
    """Replace a file whole, with its mode from the first moment."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.new")
    temporary.unlink(missing_ok=True)
    with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _read_certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no certificate ({error}); delete it and run `homesystem renew`") from error


def _hosts_of(path: Path) -> Names:
    names = _read_certificate(path).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    return sorted(str(n.value) for n in names if not isinstance(n, x509.UniformResourceIdentifier))


def _general_name(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(host))
    except ValueError:
        return x509.DNSName(host)


def _constraint(host: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_network(host))
    except ValueError:
        return x509.DNSName(host)


def _authority_key(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _key_usage(*, authority: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not authority,
        key_cert_sign=authority,
        crl_sign=authority,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def ends_at(path: Path) -> dt.datetime:
    """When a certificate, or a revocation list (`.pem`), ends to be good. Raises ConfigError for neither."""
    if path.suffix != ".pem":
        return _read_certificate(path).not_valid_after_utc
    try:
        end = x509.load_pem_x509_crl(path.read_bytes()).next_update_utc
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no revocation list ({error}); run `homesystem renew`") from error
    if end is None:
        raise ConfigError(f"{path}: does not say when it ends; run `homesystem renew`")
    return end


def begins_at(path: Path) -> dt.datetime:
    """When a certificate begins to be good. Raises ConfigError where it cannot be read."""
    return _read_certificate(path).not_valid_before_utc
