"""Certificates and revocation lists as they are built and signed, pure: no file is read or written here."""

import datetime as dt
from collections.abc import Iterable

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from deploy.pki.leaf import Leaf, extensions, key_usage, name_constraints, subject
from shared.words.problem import HomeError

Key = ec.EllipticCurvePrivateKey
SKEW = dt.timedelta(minutes=10)
"""Certificates start a little in the past: a room's clock may be behind."""


def private_bytes(key: Key) -> bytes:
    """A key as it lies on disk: PEM, without a password, as services start by themselves."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def pem(signed: x509.Certificate) -> bytes:
    """A certificate as it lies on disk."""
    return signed.public_bytes(serialization.Encoding.PEM)


def key_id(signed: x509.Certificate) -> str:
    """What tells the keys of two authorities apart that have the same name: the subject's key identifier, in hex."""
    return signed.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value.digest.hex()


def authority(
    key: Key, name: x509.Name, *, begins: dt.datetime, ends: dt.datetime, hosts: Iterable[str] | None = None
) -> x509.Certificate:
    """An authority's own certificate; one with `hosts` may vouch for those alone."""
    builder = _of_authority(key.public_key(), name, begins, ends)
    if hosts is not None:
        builder = builder.add_extension(name_constraints(hosts), critical=True)
    return builder.sign(key, hashes.SHA256())


def voucher(following: x509.Certificate, former: x509.Certificate, former_key: Key) -> x509.Certificate:
    """The former authority's word for the key of the one that follows it, under the name that both have.

    Names being the same it is self-issued, so that it takes no place in the former's path, which has none to give
    (RFC 5280, 4.2.1.9; "new with old" in RFC 4210, 4.4).
    """
    public = following.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    ends = min(following.not_valid_after_utc, former.not_valid_after_utc)
    builder = _of_authority(public, former.subject, following.not_valid_before_utc, ends)
    return builder.add_extension(_key_of(former), critical=False).sign(former_key, hashes.SHA256())


def certificate(
    leaf: Leaf, public: ec.EllipticCurvePublicKey, signer: tuple[Key, x509.Certificate], now: dt.datetime, days: int
) -> x509.Certificate:
    """A certificate that says what `leaf` does, good for so many days from now."""
    key, issuer = signer
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject(leaf.name))
        .issuer_name(issuer.subject)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - SKEW)
        .not_valid_after(now + dt.timedelta(days=days))
        .add_extension(_key_of(issuer), critical=False)
    )
    for extension, critical in extensions(leaf, public):
        builder = builder.add_extension(extension, critical=critical)
    return builder.sign(key, hashes.SHA256())


def revocations(
    signer: tuple[Key, x509.Certificate], revoked: Iterable[tuple[int, dt.datetime]], now: dt.datetime, days: int
) -> bytes:
    """An authority's list (PEM), good for so many days: of each that it took back the serial number, and when."""
    key, issuer = signer
    builder = (
        x509.CertificateRevocationListBuilder()
        .issuer_name(issuer.subject)
        .last_update(now - SKEW)
        .next_update(now + dt.timedelta(days=days))
        .add_extension(x509.CRLNumber(int(now.timestamp() * 1000)), critical=False)
        .add_extension(_key_of(issuer), critical=False)
    )
    for serial, at in revoked:
        builder = builder.add_revoked_certificate(
            x509.RevokedCertificateBuilder().serial_number(serial).revocation_date(at).build()
        )
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)


def requested_key(request: bytes) -> ec.EllipticCurvePublicKey:
    """The key of a signing request (PEM), on P-256 and its own. Raises HomeError("invalid-value")."""
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


def _of_authority(
    public: ec.EllipticCurvePublicKey, name: x509.Name, begins: dt.datetime, ends: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(begins)
        .not_valid_after(ends)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(key_usage(authority=True), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _key_of(authority: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = authority.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)
