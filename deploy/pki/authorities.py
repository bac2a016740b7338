"""The two authorities in their vault: they sign what a request gives the key for, and keep the revocation list.

The device CA signs broker, services, rooms and clients; the web CA, name-constrained to the hub's names, signs
the gateway's HTTPS certificate alone. EC P-256 throughout; leaves live 90 days.
"""

import datetime as dt
from collections.abc import Iterable
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.pki import reading
from deploy.pki.files import write
from deploy.pki.index import Index, Issued
from deploy.pki.leaf import DEVICE_CA, WEB_CA, Leaf, extensions, key_usage, name_constraints, permits, subject
from shared.running.config import ConfigError
from shared.trust.signing import End
from shared.words.problem import HomeError

CA_DAYS = 3650
LEAF_DAYS = 90
CRL_DAYS = 30
_NAME_MOST = 64
"""The longest common name (RFC 5280, ub-common-name)."""
_SKEW = dt.timedelta(minutes=10)
"""Certificates start a little in the past: a room's clock may be behind."""


class Authorities:
    """A folder of its own (0700): each authority's key and certificate, and the index of what the device CA signed.

    The index is changed by one process at a time; whoever makes authorities holds the home's lock.
    """

    def __init__(self, vault: Path, *, demo: bool, now: dt.datetime) -> None:
        self._vault = vault
        self._index = Index(vault / "issued.json", now)
        self._mark = "DEMO " if demo else ""
        self._now = now

    def ensure(self, hosts: Iterable[str], former: Iterable[str] = ()) -> None:
        """Make the authorities that are missing. `hosts`: names and addresses that a web CA is to vouch for.

        A hub that is renamed gets another web CA beside the one it has, for the new name alone; `former` are the names
        that browsers may still use.
        """
        hosts = tuple(hosts)
        self._vault.mkdir(parents=True, exist_ok=True)
        self._vault.chmod(0o700)
        if not self.exists(DEVICE_CA):
            self._make(DEVICE_CA, f"{self._mark}Home System Device CA", None)
        if self._web_ca(hosts) is None:
            number = len(self._web_cas()) + 1
            self._make(WEB_CA if number == 1 else f"{WEB_CA}-{number}", self._web_ca_name(hosts, number), hosts)
        self.keep([hosts[0], *former])

    def keep(self, names: Iterable[str]) -> None:
        """Note by which names browsers reach the hub now: the end of a certificate for another is nobody's concern."""
        self._index.keep(WEB_CA, names)

    def lacks(self, hosts: Iterable[str]) -> tuple[str, ...]:
        """Which authorities `ensure` would make."""
        missing = [] if self.exists(DEVICE_CA) else [DEVICE_CA]
        return (*missing, *([] if self._web_ca(tuple(hosts)) is not None else [WEB_CA]))

    def exists(self, authority: str) -> bool:
        """Whether an authority was made; its certificate is written last."""
        return (self._vault / f"{authority}.crt").exists()

    def adopt(self, authority: str, certificate: Path) -> None:
        """Take the certificate of an authority whose key lies here alone, as older versions left it.

        Raises ConfigError where neither lies here: what that authority signed would be worth nothing under another.
        """
        key = self._vault / f"{authority}.key"
        if not self.exists(authority) and certificate.exists():
            if not key.exists():
                raise ConfigError(f"{key}: the authority is gone; restore {self._vault} from a backup")
            if not reading.belong_together(reading.private_key(key), reading.certificate(certificate)):
                raise ConfigError(f"{certificate}: is not of the key {key}; restore both from a backup")
            write(self._vault / f"{authority}.crt", certificate.read_bytes(), 0o644)

    def certificate(self, authority: str, hosts: Iterable[str] = ()) -> bytes:
        """An authority's own certificate, PEM; of the web's that which may vouch for `hosts`. Raises as `sign` does."""
        return self._pair(self._signer(authority, hosts))[1].public_bytes(serialization.Encoding.PEM)

    def sign(self, leaf: Leaf, request: bytes) -> bytes:
        """A certificate (PEM) that says what `leaf` does, for the key of a signing request (PEM, PKCS #10).

        The request gives the key alone; its own names and extensions are not looked at. Raises
        HomeError("invalid-value") where its signature is not by that key, or the key is not on P-256, and
        HomeError("forbidden") for a name that was taken back, and where no web CA may vouch for the names: browsers
        would refuse what it signed.
        """
        public = _requested_key(request)
        if leaf.role in ("room", "client") and any(line.gone for line in self.issued() if line.name == leaf.name):
            raise HomeError("forbidden", f"The name {leaf.name} was taken back, for good.")
        ca_key, ca = self._pair(self._signer(leaf.authority, leaf.hosts))
        serial = x509.random_serial_number()
        not_after = self._now + dt.timedelta(days=LEAF_DAYS)
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(leaf.name))
            .issuer_name(ca.subject)
            .public_key(public)
            .serial_number(serial)
            .not_valid_before(self._now - _SKEW)
            .not_valid_after(not_after)
            .add_extension(_authority_key(ca), critical=False)
        )
        for extension, critical in extensions(leaf, public):
            builder = builder.add_extension(extension, critical=critical)
        certificate = builder.sign(ca_key, hashes.SHA256())
        # Noted before it is given out: what is not in the index could not be revoked.
        line = Issued(
            serial=serial, name=leaf.name, role=leaf.role or "", not_after=not_after, authority=leaf.authority
        )
        self._index.add(line)
        return certificate.public_bytes(serialization.Encoding.PEM)

    def revoke(self, name: str) -> int:
        """Take a name back for good: all its certificates are on the lists signed from now on; how many there were.

        Of one that was given out by a later index than this one nothing is known but that it is never signed again.
        """
        if not any(line.name == name and line.authority == DEVICE_CA for line in self.issued()):
            ours, now = x509.random_serial_number(), self._now
            self._index.add(Issued(serial=ours, name=name, role="client", not_after=now, revoked_at=now, gone=True))
            return 0
        return self._index.note(name, lambda of_name: of_name, gone=True)

    def replace(self, name: str) -> int:
        """Put all certificates of a name but the newest on the lists signed from now on; how many there were."""
        return self._index.note(name, lambda of_name: of_name[:-1], gone=False)

    def take_over(self, lines: Iterable[Issued]) -> None:
        """What a newer index of the same authorities has, revocations above all."""
        self._index.take_over(lines)

    def issued(self) -> list[Issued]:
        """What was signed, the newest last. Raises ConfigError where the index cannot be read."""
        return self._index.read()

    def newest(self) -> list[Issued]:
        """The newest line of each name and use, and one for each authority, whose role is `authority`."""
        found = self._index.newest()
        own = []
        for authority in (DEVICE_CA, *self._web_cas()):
            if self.exists(authority):
                ca = self._pair(authority)[1]
                end = ca.not_valid_after_utc
                own.append(Issued(serial=ca.serial_number, name=authority, role="authority", not_after=end))
        return [*found, *own]

    def crl(self) -> bytes:
        """A fresh revocation list of the device CA, PEM, good for CRL_DAYS; with nobody on it at first."""
        key, authority = self._pair(DEVICE_CA)
        builder = (
            x509.CertificateRevocationListBuilder()
            .issuer_name(authority.subject)
            .last_update(self._now - _SKEW)
            .next_update(self._now + dt.timedelta(days=CRL_DAYS))
            .add_extension(x509.CRLNumber(int(self._now.timestamp() * 1000)), critical=False)
            .add_extension(_authority_key(authority), critical=False)
        )
        for line in self.issued():
            # What has ended needs no place on the list any more.
            if line.revoked_at is not None and line.authority == DEVICE_CA and line.not_after > self._now:
                builder = builder.add_revoked_certificate(
                    x509.RevokedCertificateBuilder().serial_number(line.serial).revocation_date(line.revoked_at).build()
                )
        return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    def ends(self) -> tuple[End, ...]:
        """When the newest certificate of each name ends, and the authorities; of names that stand."""
        standing = [line for line in self.newest() if line.revoked_at is None and not line.gone]
        return tuple(End(name=line.name, role=line.role, at=line.not_after) for line in standing)

    def _web_cas(self) -> list[str]:
        """The web's authorities, the newest first."""
        names = [path.stem for path in self._vault.glob(f"{WEB_CA}*.crt")]
        return sorted(names, key=lambda name: int(name.removeprefix(WEB_CA).lstrip("-") or 1), reverse=True)

    def _web_ca(self, hosts: tuple[str, ...]) -> str | None:
        return next((name for name in self._web_cas() if permits(self._pair(name)[1], hosts)), None)

    def _web_ca_name(self, hosts: tuple[str, ...], number: int) -> str:
        """What browsers list it as: the first by our name alone, later ones so that they can be told apart."""
        name = f"{self._mark}Home System Web CA"
        return name if number == 1 else f"{name} {number} {hosts[0]}"[:_NAME_MOST].strip()

    def _signer(self, authority: str, hosts: Iterable[str]) -> str:
        hosts = tuple(hosts)
        found = authority if authority != WEB_CA else self._web_ca(hosts) if self._web_cas() else WEB_CA
        if found is None:
            raise HomeError(
                "forbidden",
                f"No authority of this home may vouch for {hosts[0]} in browsers; `homesystem rename` gives the hub "
                "another name.",
            )
        return found

    def _make(self, authority: str, name: str, constrained_to: Iterable[str] | None) -> None:
        key = ec.generate_private_key(ec.SECP256R1())
        builder = (
            x509.CertificateBuilder()
            .subject_name(subject(name))
            .issuer_name(subject(name))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self._now - _SKEW)
            .not_valid_after(self._now + dt.timedelta(days=CA_DAYS))
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(key_usage(authority=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        )
        if constrained_to is not None:
            builder = builder.add_extension(name_constraints(constrained_to), critical=True)
        certificate = builder.sign(key, hashes.SHA256())
        write(self._vault / f"{authority}.key", private_bytes(key), 0o600)
        write(self._vault / f"{authority}.crt", certificate.public_bytes(serialization.Encoding.PEM), 0o644)

    def _pair(self, authority: str) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        path = self._vault / f"{authority}.key"
        try:
            return reading.private_key(path), reading.certificate(self._vault / f"{authority}.crt")
        except ConfigError as error:
            cause = error.__cause__ or error
            raise ConfigError(f"{path}: the authority cannot be used ({cause}); restore it from a backup") from error


def private_bytes(key: ec.EllipticCurvePrivateKey) -> bytes:
    """A key as it lies on disk: PEM, without a password, as services start by themselves."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _requested_key(request: bytes) -> ec.EllipticCurvePublicKey:
    try:
        asked = x509.load_pem_x509_csr(request)
        public = asked.public_key()
        own = asked.is_signature_valid
    except (ValueError, TypeError, InvalidSignature, UnsupportedAlgorithm, x509.InvalidVersion) as error:
        raise HomeError("invalid-value", f"This is no signing request: {error}.") from error
    if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
        raise HomeError("invalid-value", "The key of a signing request must be on the curve P-256 (prime256v1).")
    if not own:
        raise HomeError("invalid-value", "The signing request is not signed by its own key.")
    return public


def _authority_key(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
