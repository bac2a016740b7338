"""Reads certificates, keys and revocation lists from disk, and says what belongs together and until when it is good."""

import datetime as dt
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from shared.running.config import ConfigError

_LIST_BEGINS = b"-----BEGIN X509 CRL-----"
_DER, _SPKI = serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo


def certificate(path: Path) -> x509.Certificate:
    """The certificate in a file. Raises ConfigError where it cannot be read or is none."""
    try:
        return x509.load_pem_x509_certificate(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no certificate ({error}); run `homesystem renew`") from error


def private_key(path: Path) -> ec.EllipticCurvePrivateKey:
    """The key in a file. Raises ConfigError where it cannot be read or is none of ours."""
    try:
        key = serialization.load_pem_private_key(path.read_bytes(), None)
    except (OSError, ValueError, TypeError) as error:
        raise ConfigError(f"{path}: is no key ({error}); run `homesystem renew`") from error
    if not isinstance(key, ec.EllipticCurvePrivateKey):
        raise ConfigError(f"{path}: is no key on an elliptic curve; run `homesystem renew`")
    return key


def revocation_lists(path: Path) -> list[x509.CertificateRevocationList]:
    """The revocation lists in a file, one for each authority that is believed.

    Raises ConfigError where it cannot be read or has none.
    """
    try:
        parts = path.read_bytes().split(_LIST_BEGINS)[1:]
        found = [x509.load_pem_x509_crl(_LIST_BEGINS + part) for part in parts]
        if not found:
            raise ValueError("it holds none")
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: is no revocation list ({error}); run `homesystem renew`") from error
    return found


def certificates(path: Path) -> list[x509.Certificate]:
    """All certificates in a file of trusted authorities. Raises ConfigError where it cannot be read or has none."""
    try:
        return x509.load_pem_x509_certificates(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ConfigError(f"{path}: has no certificates ({error}); run `homesystem renew`") from error


def belong_together(key: ec.EllipticCurvePrivateKey, certified: x509.Certificate) -> bool:
    """Whether a certificate is for this key."""
    return key.public_key().public_bytes(_DER, _SPKI) == certified.public_key().public_bytes(_DER, _SPKI)


def is_signed_by(signed: x509.Certificate, authority: x509.Certificate) -> bool:
    """Whether an authority signed a certificate."""
    try:
        signed.verify_directly_issued_by(authority)
    except (InvalidSignature, ValueError, TypeError):
        return False
    return True


def is_list_of(listed: x509.CertificateRevocationList, authority: x509.Certificate) -> bool:
    """Whether an authority signed a revocation list."""
    public = authority.public_key()
    assert isinstance(public, ec.EllipticCurvePublicKey)
    return listed.issuer == authority.subject and listed.is_signature_valid(public)


def ends_at(path: Path) -> dt.datetime:
    """When a certificate ends to be good, or the first of revocation lists (`.pem`). Raises ConfigError for neither."""
    if path.suffix != ".pem":
        return certificate(path).not_valid_after_utc
    ends = [listed.next_update_utc for listed in revocation_lists(path)]
    known = [end for end in ends if end is not None]
    if len(known) < len(ends):
        raise ConfigError(f"{path}: does not say when it ends; run `homesystem renew`")
    return min(known)


def begins_at(path: Path) -> dt.datetime:
    """When a certificate begins to be good. Raises ConfigError where it cannot be read."""
    return certificate(path).not_valid_before_utc
